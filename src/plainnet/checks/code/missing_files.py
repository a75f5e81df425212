"""Missing files: if the author's code opens a data file that is not there, it gets made-up data in the format of its name."""

from __future__ import annotations

import builtins
import io
import os
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any

from plainnet.checks.code.looks import OWN
from plainnet.checks.code.made_up_data import file_content

_BETWEEN = ("gzip", "bz2", "lzma", "pathlib", "io")  # modules that open a file for the author's code


def make_up_missing_files(lines: list[int], path: str) -> None:
    """Let `open` and `os.path.exists` make up data files for the author's code; note the lines of the examined file."""
    right: Callable[..., Any] = getattr(builtins.open, "right", builtins.open)

    def open_or_make_up(file: Any, mode: str = "r", *arguments: Any, **options: Any) -> Any:
        try:
            return right(file, mode, *arguments, **options)
        except (FileNotFoundError, NotADirectoryError):
            frame = _frame_of_the_author(sys._getframe(1))
            content = file_content(Path(file).name) if frame is not None and "r" in mode and _is_a_path(file) else None
            if content is None or frame is None:
                raise
            if frame.f_code.co_filename == path and frame.f_lineno not in lines:
                lines.append(frame.f_lineno)
            made = tempfile.TemporaryFile()  # noqa: SIM115  (its caller closes it)
            made.write(content)
            made.seek(0)
            return made if "b" in mode else io.TextIOWrapper(made, encoding=options.get("encoding"))

    open_or_make_up.right = right  # type: ignore[attr-defined]
    builtins.open = open_or_make_up
    for name in ("exists", "isfile"):
        setattr(os.path, name, _says_yes(getattr(getattr(os.path, name), "right", getattr(os.path, name))))


def _says_yes(right: Callable[..., bool]) -> Callable[..., bool]:
    def exists(file: Any) -> bool:
        if right(file):
            return True
        asks = _frame_of_the_author(sys._getframe(1), between=()) is not None
        return asks and _is_a_path(file) and _is_data(Path(file).name)

    exists.right = right  # type: ignore[attr-defined]
    return exists


def _is_data(name: str) -> bool:
    """Return whether a name is that of a data file: a model or checkpoint that is missing is no data."""
    return any(word in name.lower() for word in ("mnist", "ubyte", "cifar", "train", "test")) and (
        file_content(name) is not None
    )


def _is_a_path(file: Any) -> bool:
    return isinstance(file, str | os.PathLike)


def _frame_of_the_author(frame: FrameType | None, between: tuple[str, ...] = _BETWEEN) -> FrameType | None:
    """Return the frame of the author's code that opens a file, perhaps through a module of the standard library."""
    while frame is not None and str(frame.f_globals.get("__name__", "")).partition(".")[0] in between:
        frame = frame.f_back
    return frame if frame is not None and OWN in frame.f_globals else None
