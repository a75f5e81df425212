"""How a training shows its progress: a live bar on a terminal, one plain line an epoch elsewhere."""

from __future__ import annotations

import sys
from collections.abc import Iterable

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from plainnet.events import Batch, Epoch


def show(events: Iterable[object], total: int) -> None:
    """Show each epoch of a training, as it comes, how many threads were chosen, and why it ended if that was early."""
    console = Console()
    if console.is_terminal and console.width >= 100:
        _live(events, total, console)
    else:
        _lines(events, total)


class TimeLeft:
    """How much longer a training will take, by the batches made since it was begun or resumed."""

    def __init__(self, epochs: int) -> None:
        self.epochs = epochs
        self._seconds, self._batches, self._left = 0.0, 0, 0

    def add(self, batch: Batch) -> None:
        """Take a batch into account."""
        self._seconds += batch.seconds
        self._batches += 1
        self._left = (self.epochs - batch.epoch) * batch.of + batch.of - batch.number

    def __str__(self) -> str:
        seconds = round(self._seconds / max(self._batches, 1) * self._left)
        return f"{seconds // 60}:{seconds % 60:02d}"


def _live(events: Iterable[object], total: int, console: Console) -> None:
    columns = (
        TextColumn("epoch"),
        MofNCompleteColumn(),
        BarColumn(bar_width=None if console.width > 110 else 12),
        TextColumn("{task.fields[figures]}"),
        TextColumn("left {task.fields[left]}"),
    )
    left = TimeLeft(total)
    with Progress(*columns, console=console, expand=console.width > 110) as progress:
        task = progress.add_task("", total=total, figures="", left="")
        for event in events:
            if isinstance(event, Batch):
                left.add(event)
                progress.update(task, left=str(left))
            elif isinstance(event, Epoch):
                progress.update(task, completed=event.number, figures=_figures(event), left=str(left))
            else:
                progress.console.print(str(event), markup=False, highlight=False)
    console.print()


def _figures(epoch: Epoch) -> str:
    def shown(accuracy: float | None) -> str:
        return "" if accuracy is None else f"{accuracy:.2%}"

    validation = "" if epoch.validation_accuracy is None else f"  validation {shown(epoch.validation_accuracy)}"
    train = shown(epoch.train_accuracy)
    return f"loss {epoch.train_loss:.4f}  train {train}{validation}  rate {epoch.learning_rate:.3g}"


def _lines(events: Iterable[object], total: int) -> None:
    left = TimeLeft(total)
    for event in events:
        if isinstance(event, Batch):
            left.add(event)
        else:
            print(f"{event}  left {left}" if isinstance(event, Epoch) else event, flush=True)
    print(file=sys.stdout)
