"""Shows the progress of a training run: a live bar on a terminal, one plain line per epoch elsewhere."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, ProgressColumn, TextColumn

from plainnet.cli.saying import say, width
from plainnet.events import Batch, Epoch

_WIDE, _NARROW = 100, 60  # columns needed for all figures, and for a bar with the most important one
_SILENT = 5.0  # seconds until the first message where there is no bar


def show(events: Iterable[object], total: int) -> None:
    """Show each epoch as it ends, the chosen number of threads, and the reason for stopping early."""
    columns = width(sys.stdout)
    if sys.stdout.isatty() and columns >= _NARROW:
        _live(events, total, Console(width=columns))
    else:
        _lines(events, total)


class TimeLeft:
    """Estimates how much longer training takes, from the batches done since it began or resumed."""

    def __init__(self, epochs: int) -> None:
        self.epochs, self.seconds = epochs, 0.0
        self._batches, self._left = 0, 0

    def add(self, batch: Batch) -> None:
        """Take a batch into account."""
        self.seconds += batch.seconds
        self._batches += 1
        self._left = (self.epochs - batch.epoch) * batch.of + batch.of - batch.number

    def __str__(self) -> str:
        seconds = round(self.seconds / max(self._batches, 1) * self._left)
        hours, minutes = seconds // 3600, seconds // 60 % 60
        return f"{hours}:{minutes:02d}:{seconds % 60:02d}" if hours else f"{minutes}:{seconds % 60:02d}"


def _live(events: Iterable[object], total: int, console: Console) -> None:
    wide = console.width >= _WIDE
    columns: list[ProgressColumn] = [
        TextColumn("epoch"),
        MofNCompleteColumn(),
        BarColumn(bar_width=12 if console.width <= 110 else None),
        TextColumn("{task.fields[figures]}"),
        TextColumn("{task.fields[left]}"),
    ]
    left, done = TimeLeft(total), 0
    # No refreshing thread: a process forked while a thread holds a lock may wait for that lock forever.
    with Progress(*columns, console=console, expand=console.width > 110, auto_refresh=False) as progress:
        refreshed = time.monotonic()
        task = progress.add_task("", total=total, figures="", left="")
        for event in events:
            if isinstance(event, Batch):
                left.add(event)
                if not done:
                    progress.update(task, figures=f"batch {event.number:,} of {event.of:,}")
                progress.update(task, left=f"{left} left")
            elif isinstance(event, Epoch):
                done = event.number
                progress.update(task, completed=done, figures=_figures(event, wide=wide), left=f"{left} left")
            else:
                progress.console.print(str(event), markup=False, highlight=False)
            if time.monotonic() - refreshed > 0.1 or not isinstance(event, Batch):
                progress.refresh()
                refreshed = time.monotonic()
    console.print()


def _figures(epoch: Epoch, *, wide: bool) -> str:
    def shown(figures: dict[str, float]) -> str:
        return next(
            (f"{v:.2%}" if n == "accuracy" else f"{n.replace('_', ' ')} {v:.4g}" for n, v in figures.items()), ""
        )

    validation = "" if epoch.validation is None else f"validation {shown(epoch.validation)}"
    train = f"train {shown(epoch.train)}"
    if not wide:
        return f"loss {epoch.train_loss:.3f}  {validation or train}"
    return f"loss {epoch.train_loss:.4f}  {train}  {validation}  rate {epoch.learning_rate:.3g}"


def _lines(events: Iterable[object], total: int) -> None:
    left, told = TimeLeft(total), False
    for event in events:
        if isinstance(event, Batch):
            left.add(event)
            if not told and left.seconds > _SILENT:
                told = True
                say(f"epoch {event.epoch} of {total} is running, {left} left")
        else:
            told = told or isinstance(event, Epoch)
            say(f"{event}  {left} left" if isinstance(event, Epoch) else event)
    say()
