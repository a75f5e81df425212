"""Checks of the output files that the user names, before a command does any work."""

from __future__ import annotations

from pathlib import Path

from plainnet.errors import InputError


def check_ending(path: Path | None, ending: str, option: str, *inputs: Path) -> None:
    """Reject a path with another ending, and a path that is one of the inputs, so that no input is overwritten."""
    if path is not None and path.suffix != ending:
        raise InputError(f"{option} takes a file that ends in {ending}, received {path}")
    for source in inputs:
        if path is not None and path.exists() and source.exists() and path.samefile(source):
            raise InputError(f"{option} would overwrite the input {source}; choose another name")
