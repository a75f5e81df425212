"""Trained models that come with the package, ready to use by name; beside each is the record of its run."""

from __future__ import annotations

import contextlib
from pathlib import Path

_FOLDER = Path(__file__).parent
RESULT = "model_final.safetensors"  # the model's file name in a results folder


def available() -> list[str]:
    """Return the names of the models in the package."""
    return sorted(path.stem for path in _FOLDER.glob("*.safetensors"))


def find(path: str | Path) -> Path:
    """Return the path of a model: a file of this name, the model in a results folder, or one in the package."""
    here = Path(path)
    with contextlib.suppress(OSError, ValueError):  # invalid paths cause an error later, when they are opened
        if (here / RESULT).is_file():
            return here / RESULT
    return _FOLDER / f"{here}.safetensors" if str(here) in available() and not here.is_file() else here
