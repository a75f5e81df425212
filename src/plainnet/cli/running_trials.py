"""The trials of a sweep that run on this machine, a line each, below what is printed on a terminal."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console
from rich.live import Live
from rich.text import Text

from plainnet.cli.saying import width


@contextmanager
def running_trials(out: Path) -> Iterator[None]:
    """Show, as long as this lasts, how far each trial is; elsewhere than on a terminal, nothing."""
    if not sys.stdout.isatty():
        yield
        return
    console = Console(width=width(sys.stdout))
    with Live(get_renderable=lambda: Text(lines(out)), console=console, refresh_per_second=4, transient=True):
        yield


def lines(out: Path) -> str:
    """Return a line for each trial that has ended an epoch."""
    from plainnet.sweep.sweeping import RUNNING

    told = []
    for path in sorted((out / RUNNING).glob("[0-9]*")):
        with contextlib.suppress(OSError, ValueError):  # it has just ended, or is being written
            epoch, of, figure = path.read_text().split()
            told.append(f"trial {int(path.name)}: epoch {epoch} of {of}, {float(figure):.5g}")
    return "\n".join(told)
