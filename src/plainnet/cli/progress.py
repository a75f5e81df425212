"""How a training shows its progress: a live bar on a terminal, one plain line an epoch elsewhere."""

from __future__ import annotations

import sys
import time

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from plainnet.application.run import Run
from plainnet.training import Epoch


def show(run: Run) -> None:
    """Train `run` to its end and show each epoch."""
    console = Console()
    if console.is_terminal and console.width >= 100:
        _live(run, console)
    else:
        _lines(run)


def _live(run: Run, console: Console) -> None:
    columns = (
        TextColumn("epoch"),
        MofNCompleteColumn(),
        BarColumn(bar_width=None if console.width > 110 else 12),
        TextColumn("{task.fields[figures]}"),
        TextColumn("left"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console, expand=console.width > 110) as progress:
        task = progress.add_task("", total=run.recipe.epochs, figures="")
        for epoch in run.epochs():
            progress.update(task, advance=1, figures=_figures(epoch))
    console.print()


def _figures(epoch: Epoch) -> str:
    validation = "" if epoch.validation_accuracy is None else f"  validation {epoch.validation_accuracy:.2%}"
    return f"loss {epoch.train_loss:.4f}  train {epoch.train_accuracy:.2%}{validation}  rate {epoch.learning_rate:.3g}"


def _lines(run: Run) -> None:
    started = time.perf_counter()
    for epoch in run.epochs():
        left = (time.perf_counter() - started) / epoch.number * (run.recipe.epochs - epoch.number)
        print(f"{epoch}  left {round(left) // 60}:{round(left) % 60:02d}", flush=True)
    print(file=sys.stdout)
