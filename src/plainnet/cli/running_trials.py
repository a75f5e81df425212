"""Shows the running trials of a sweep, one line each, at the bottom of the terminal."""

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
    """Show the progress of each trial while the `with` block runs; show nothing if the output is not a terminal."""
    if not sys.stdout.isatty():
        yield
        return
    console = Console(width=width(sys.stdout))
    with Live(get_renderable=lambda: Text(lines(out)), console=console, refresh_per_second=4, transient=True):
        yield


def lines(out: Path) -> str:
    """Return a line for each running trial that has finished an epoch."""
    from plainnet.sweep.telling import RUNNING

    told = []
    for path in sorted((out / RUNNING).glob("[0-9]*")):
        with contextlib.suppress(OSError, ValueError):  # the trial has just ended, or its file is being written
            epoch, of, figure = path.read_text().split()
            told.append(f"trial {int(path.name)}: epoch {epoch} of {of}, {float(figure):.5g}")
    return "\n".join(told)
