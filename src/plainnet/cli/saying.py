"""Saying things: whatever a command tells, it tells through here, as text that any terminal can show."""

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
    """Print a text, with invisible signs written out, words kept whole, and advice under the name we were called by.

    What is to be copied is not folded; lines that go on begin at `indent`, if it is given.
    """
    stream = to or sys.stdout
    lines = advice(lines_shown(text, 10_000_000))
    stream.write((folded(lines, width(stream), indent) if fold and stream.isatty() else lines) + end)
    stream.flush()


def width(stream: TextIO) -> int:
    """Return the columns of a terminal, 80 where they are not known."""
    try:
        columns = os.get_terminal_size(stream.fileno()).columns
    except (OSError, ValueError):
        columns = 0
    asked_for = os.environ.get("COLUMNS", "")
    return (int(asked_for) if asked_for.isdecimal() and len(asked_for) < 6 else 0) or columns or 80


def folded(text: str, columns: int, indent: int | None = None) -> str:
    """Return the text with lines of at most so many columns, broken between words.

    They go on as far indented as they began, or at `indent`.
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
    """Return how this program was called: `plainnet` where the path finds it, else the way to it."""
    program = Path(sys.argv[0])
    if program.name == "__main__.py":
        return f"{_way_to(Path(sys.executable))} -m plainnet"
    return _way_to(program) if program.stem == "plainnet" else "plainnet"


def _way_to(program: Path) -> str:
    """Return the name of a program if the path finds it by that, else where it is, as seen from here."""
    found = shutil.which(program.name)
    if found is not None and Path(found).absolute() == program.absolute():
        return program.name
    try:
        return str(program.absolute().relative_to(Path.cwd()))
    except ValueError:
        return str(program)


def advice(text: str) -> str:
    """Return a text in which every command it advises begins with the name that we were called by."""
    name = called_by()
    return text if name == "plainnet" else re.sub(_COMMAND, lambda _: f"{name} ", text)


_COMMAND = re.compile(
    r"(?<![\w/.-])plainnet (?=(?:train|evaluate|predict|check|doctor|diagnose|recipes|bench|series|ensemble|records|"
    r"ladder|preview|curves|iterations|report|lab|--help)\b)"
)
