"""Checkpoints: a training as it stands, in a file, so that whatever stops it, it can be gone on with.

A folder holds the newest checkpoint and the one before it. A new one is written beside them, flushed to disk and read
again; only then does it take the name of the newest. Whatever happens in between, one whole checkpoint is there.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from plainnet import safetensors
from plainnet.errors import InputError
from plainnet.training import Training

NEWEST, PREVIOUS = "checkpoint.safetensors", "checkpoint.previous.safetensors"
_FORMAT = "plainnet checkpoint 1"


class Checkpoint:
    """The state of a training, read from a folder: `about` is what `save` was given, `restore` takes the state up.

    `arrays` and `values` are what `Training.state` returned.

    Raises: `InputError` if the folder holds no checkpoint, or none that is whole.
    """

    def __init__(self, folder: Path) -> None:
        if not present(folder):
            raise InputError(f"there is no checkpoint in {folder}; give the folder of a training that was interrupted")
        problems = []
        for path in (folder / NEWEST, folder / PREVIOUS):
            if path.exists():
                try:
                    return self._read(path)
                except InputError as error:
                    problems.append(str(error).partition("; ")[0])  # the advice behind is one for models
        raise InputError(f"{', and '.join(problems)}; start the training anew")

    def _read(self, path: Path) -> None:
        self.path = path
        self.arrays, texts = safetensors.read(path)
        try:
            if texts["format"] != _FORMAT:
                raise ValueError(f"its format is {texts['format']!r}, this program reads {_FORMAT!r}")
            self.about: dict[str, Any] = dict(json.loads(texts["about"]))
            self.values: Mapping[str, Any] = dict(json.loads(texts["training"]))
            self.epoch, self.batch = len(self.values["history"]), int(self.values["batch"])
        except (KeyError, TypeError, ValueError, RecursionError) as error:
            raise InputError(f"{path} is not a checkpoint of plainnet: {error!r}; start the training anew") from error

    def restore(self, training: Training) -> None:
        """Put a training that has the same settings to where this checkpoint was saved.

        Raises: `InputError` if the state is not one of such a training.
        """
        try:
            training.restore(self.arrays, self.values)
        except (KeyError, TypeError, ValueError, AttributeError, IndexError) as error:
            raise InputError(
                f"{self.path} does not fit its own settings: {error!r}; start the training anew"
            ) from error


def save(folder: Path, training: Training, about: Mapping[str, Any]) -> None:
    """Write a checkpoint into the folder; the newest one there becomes the previous one.

    Raises: `InputError` if it cannot be written, `TrainingDivergedError` if the weights are not finite; either way the
    checkpoints in the folder stay as they are.
    """
    arrays, values = training.state()
    texts = {"format": _FORMAT, "about": json.dumps(about), "training": json.dumps(values)}
    safetensors.write(folder / NEWEST, arrays, texts, keep=folder / PREVIOUS)


def present(folder: Path) -> bool:
    """Tell whether the folder holds a checkpoint."""
    return (folder / NEWEST).exists() or (folder / PREVIOUS).exists()


def remove(folder: Path) -> None:
    """Remove the checkpoints from the folder, when the training is finished and its results are written."""
    for name in (NEWEST, PREVIOUS):
        (folder / name).unlink(missing_ok=True)
