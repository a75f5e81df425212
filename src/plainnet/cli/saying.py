"""Prints all output of the commands, as text that any terminal can show."""

from __future__ import annotations

import os
import re
import shutil
import sys
import textwrap
from pathlib import Path
from typing import TextIO

from plainnet.foreign.showing import lines_shown


def say(
    text: object = "", *, end: str = "\n", to: TextIO | None = None, fold: bool = True, indent: int | None = None
) -> None:
    """Print text: escape control characters, wrap lines between words, and give advice with the name in use.

    With `fold=False`, lines do not wrap, so that they can be copied. Wrapped lines begin at `indent`, if given.
    """
    stream = to or sys.stdout
    lines = advice(lines_shown(text, 10_000_000))
    stream.write((folded(lines, width(stream), indent) if fold and stream.isatty() else lines) + end)
    stream.flush()


def width(stream: TextIO) -> int:
    """Return the columns of a terminal, or 80 if they are unknown."""
    try:
        columns = os.get_terminal_size(stream.fileno()).columns
    except (OSError, ValueError):
        columns = 0
    asked_for = os.environ.get("COLUMNS", "")
    return (int(asked_for) if asked_for.isdecimal() and len(asked_for) < 6 else 0) or columns or 80


def folded(text: str, columns: int, indent: int | None = None) -> str:
    """Return the text wrapped between words to at most `columns` columns.

    A wrapped line continues at the indentation it began with, or at `indent`.
    """
    return "\n".join(
        line if len(line) <= columns else _folded_line(line, columns, indent) for line in text.split("\n")
    )  # fmt: skip


def _folded_line(line: str, columns: int, indent: int | None) -> str:
    begins = " " * indent if indent is not None and indent < columns // 2 else line[: len(line) - len(line.lstrip())]
    return textwrap.fill(
        line, columns, subsequent_indent=begins, break_long_words=False, break_on_hyphens=False,
        replace_whitespace=False, drop_whitespace=True,
    )  # fmt: skip


def called_by() -> str:
    """Return how this program was called: `plainnet` if it is on the PATH, else the path to it."""
    program = Path(sys.argv[0])
    if program.name == "__main__.py":
        return f"{_way_to(Path(sys.executable))} -m plainnet"
    return _way_to(program) if program.stem == "plainnet" else "plainnet"


def _way_to(program: Path) -> str:
    """Return the name of a program if it is on the PATH, else its path relative to the current folder."""
    found = shutil.which(program.name)
    if found is not None and Path(found).absolute() == program.absolute():
        return program.name
    try:
        return str(program.absolute().relative_to(Path.cwd()))
    except ValueError:
        return str(program)


def advice(text: str) -> str:
    """Return the text with every suggested command beginning with the name by which this program was called."""
    name = called_by()
    return text if name == "plainnet" else re.sub(_COMMAND, lambda _: f"{name} ", text)


_COMMAND = re.compile(
    r"(?<![\w/.-])plainnet (?=(?:train|evaluate|predict|check|doctor|diagnose|recipes|bench|series|ensemble|records|"
    r"ladder|preview|curves|iterations|report|lab|course|--help)\b)"
)
