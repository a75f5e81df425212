"""Files that commands write on demand."""

from __future__ import annotations

from pathlib import Path

from plainnet.errors import InputError


def check_ending(path: Path | None, ending: str, option: str) -> None:
    """Refuse a path that ends otherwise, so that an output never replaces a model or a picture by mistake."""
    if path is not None and path.suffix != ending:
        raise InputError(f"{option} takes a file that ends in {ending}, received {path}")
