"""Trained models that come with the package, to be used at once by name; beside each lies the record of its run."""

from __future__ import annotations

import contextlib
from pathlib import Path

_FOLDER = Path(__file__).parent
RESULT = "model_final.safetensors"  # of a folder that a training has written


def available() -> list[str]:
    """Return the names of the models in the package."""
    return sorted(path.stem for path in _FOLDER.glob("*.safetensors"))


def find(path: str | Path) -> Path:
    """Return where a model lies: in a file of this name, a folder of results, or the package, under this name."""
    here = Path(path)
    with contextlib.suppress(OSError, ValueError):  # the path cannot be a name; the error comes when it is opened
        if (here / RESULT).is_file():
            return here / RESULT
    return _FOLDER / f"{here}.safetensors" if str(here) in available() and not here.is_file() else here
