"""How a training shows its progress: a live bar on a terminal, one plain line an epoch elsewhere."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from plainnet.training import Epoch


def show(epochs: Iterable[Epoch], total: int) -> None:
    """Show each epoch of a training, as it comes."""
    console = Console()
    if console.is_terminal and console.width >= 100:
        _live(epochs, total, console)
    else:
        _lines(epochs, total)


def _live(epochs: Iterable[Epoch], total: int, console: Console) -> None:
    columns = (
        TextColumn("epoch"),
        MofNCompleteColumn(),
        BarColumn(bar_width=None if console.width > 110 else 12),
        TextColumn("{task.fields[figures]}"),
        TextColumn("left"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console, expand=console.width > 110) as progress:
        task = progress.add_task("", total=total, figures="")
        for epoch in epochs:
            progress.update(task, completed=epoch.number, figures=_figures(epoch))
    console.print()


def _figures(epoch: Epoch) -> str:
    validation = "" if epoch.validation_accuracy is None else f"  validation {epoch.validation_accuracy:.2%}"
    return f"loss {epoch.train_loss:.4f}  train {epoch.train_accuracy:.2%}{validation}  rate {epoch.learning_rate:.3g}"


def _lines(epochs: Iterable[Epoch], total: int) -> None:
    started = time.perf_counter()
    for shown, epoch in enumerate(epochs, start=1):
        left = (time.perf_counter() - started) / shown * (total - epoch.number)
        print(f"{epoch}  left {round(left) // 60}:{round(left) % 60:02d}", flush=True)
    print(file=sys.stdout)
