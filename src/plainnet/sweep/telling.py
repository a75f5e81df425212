"""Telling: how a trial that runs somewhere else tells its progress to the machine that shows it."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from pathlib import Path

RUNNING = ".running"  # in the folder of a sweep: a file for each running trial, with its progress


@dataclass(frozen=True)
class InFile:
    """Tells the progress of a trial by a file."""

    path: Path

    def __call__(self, text: str | None) -> None:
        """Write the progress, or remove the file at the end; an error here must not stop the training."""
        with contextlib.suppress(OSError):
            if text is None:
                self.path.unlink(missing_ok=True)
            else:
                self.path.write_text(text)


@dataclass(frozen=True)
class OverDask:
    """Tells the progress of a trial by an event of the Dask scheduler, which its clients receive."""

    topic: str
    number: int

    def __call__(self, text: str | None) -> None:
        """Send the progress, None at the end."""
        from distributed import get_worker

        get_worker().log_event(self.topic, [self.number, text])


def in_folder(folder: Path, number: int) -> InFile:
    """Return what tells the progress of a trial in the folder of a sweep."""
    return InFile(folder / RUNNING / f"{number:05}")


def topic_of(folder: Path) -> str:
    """Return the topic of the events about a sweep in this folder."""
    return f"plainnet {folder.absolute()}"
