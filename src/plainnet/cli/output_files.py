"""Files that commands write on demand."""

from __future__ import annotations

from pathlib import Path

from plainnet.errors import InputError


def check_ending(path: Path | None, ending: str, option: str, *inputs: Path) -> None:
    """Refuse a path that ends otherwise, or is one of the inputs, so that an output never replaces them by mistake."""
    if path is not None and path.suffix != ending:
        raise InputError(f"{option} takes a file that ends in {ending}, received {path}")
    for source in inputs:
        if path is not None and path.exists() and source.exists() and path.samefile(source):
            raise InputError(f"{option} would replace {source}, which is read; choose another name")
