"""Checkpoints: files with the complete state of a training run, so that it can resume after any interruption.

A folder holds the newest checkpoint and the one before it. A new one is written beside them, flushed to disk and read
back; only then does it take the name of the newest. Whatever happens in between, one complete checkpoint exists.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from plainnet import safetensors
from plainnet.errors import InputError
from plainnet.events import Epoch
from plainnet.foreign.opening import parse_json
from plainnet.training import Training

NEWEST, PREVIOUS = "checkpoint.safetensors", "checkpoint.previous.safetensors"
_FORMATS = "plainnet checkpoint 3", "plainnet checkpoint 2", "plainnet checkpoint 1"


class Checkpoint:
    """The state of a training run, read from a folder; `restore` puts it into a training run.

    `about` is what `save` was given. `arrays` and `values` are what `Training.state` returned. `converted` tells
    whether an earlier version wrote them.

    Raises: `InputError` if the folder holds no checkpoint, or only damaged ones.
    """

    def __init__(self, folder: Path) -> None:
        if not present(folder):
            raise InputError(f"there is no checkpoint in {folder}; give the folder of an interrupted training run")
        problems = []
        for path in (folder / NEWEST, folder / PREVIOUS):
            if path.exists():
                try:
                    return self._read(path)
                except InputError as error:
                    problems.append(str(error).partition("; ")[0])  # the advice after it is for models
        raise InputError(f"{', and '.join(problems)}; start over")

    def _read(self, path: Path) -> None:
        self.path = path
        self.arrays, texts = safetensors.read(path, "checkpoint", _FORMATS)
        try:
            self.about: dict[str, Any] = dict(parse_json(texts["about"]))
            self.values: Mapping[str, Any] = dict(parse_json(texts["training"]))
            version = _FORMATS[::-1].index(texts["format"]) + 1
            if version == 1:
                self.arrays, self.values = _from_version_1(self.arrays, self.values, self.about)
            if version <= 2:
                self.arrays = _from_version_2(self.arrays, self.about)
            self.converted = version < len(_FORMATS)
            self.epoch, self.batch = len(self.values["history"]), int(self.values["batch"])
        except (KeyError, TypeError, ValueError, AttributeError, IndexError, ArithmeticError) as error:
            raise InputError(f"{path} is not a checkpoint of plainnet: {error!r}; start over") from error

    def history(self) -> list[Epoch]:
        """Return the records of the complete epochs.

        Raises: `InputError` if they are invalid.
        """
        try:
            return [Epoch.from_table(table) for table in self.values["history"]]
        except (KeyError, TypeError, ValueError, AttributeError, ArithmeticError) as error:
            raise InputError(f"{self.path} holds no history: {error!r}; start over") from error

    def restore(self, training: Training) -> None:
        """Put the state into a training run with the same settings, so that it resumes where this checkpoint was saved.

        Raises: `InputError` if the state does not fit the training.
        """
        try:
            training.restore(self.arrays, self.values)
        except (KeyError, TypeError, ValueError, AttributeError, IndexError, ArithmeticError) as error:
            raise InputError(f"{self.path} does not fit its own settings: {error!r}; start over") from error


def _from_version_1(
    arrays: Mapping[str, np.ndarray], values: Mapping[str, Any], about: Mapping[str, Any]
) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    """Convert the state of a training run from version 1, where the optimizer had two rows, to version 2.

    SGD's velocity alternated between the two rows; Adam's rows are the means of the gradients and of their squares.
    """
    first, second = arrays["optimizer.0"], arrays["optimizer.3"]
    steps = int(values["optimizer_steps"])
    if about["run"]["recipe"]["optimizer"]["type"] == "SGD":
        memory = {"optimizer.velocity": first if steps % 2 == 0 else second}
    else:
        memory = {"optimizer.mean": first, "optimizer.square": second}
    keys = (
        "epoch",
        "train_loss",
        "train_accuracy",
        "validation_loss",
        "validation_accuracy",
        "learning_rate",
        "seconds",
    )
    history = [dict(zip(keys, row, strict=True)) for row in values["history"]]
    examples = sum(about["run"]["data"]["class_counts"])
    sums, seen = values["sums"], min(values["batch"] * about["run"]["recipe"]["batch_size"], examples)
    figures = {
        "loss": sums["loss"], "metrics": {"accuracy": sums["right"]} if seen else {}, "weight": float(seen),
        "counted": float(seen), "seconds": sums["seconds"],
    }  # fmt: skip
    return (
        {name: array for name, array in arrays.items() if not name.startswith("optimizer.")} | memory,
        {
            "history": history, "batch": values["batch"], "figures": figures, "optimizer": {"steps": steps},
            "best": None, "shuffle": values["shuffle"], "generators": values["generators"],
        },
    )  # fmt: skip


def _from_version_2(arrays: Mapping[str, np.ndarray], about: Mapping[str, Any]) -> dict[str, np.ndarray]:
    """Convert the arrays of version 2 to version 3, where Adam keeps sums instead of means."""
    found = dict(arrays)
    if "optimizer.mean" in found:
        settings = about["run"]["recipe"]["optimizer"]
        for before, now, name, usual in (("mean", "gradients", "beta1", 0.9), ("square", "squares", "beta2", 0.999)):
            mean, factor = found.pop(f"optimizer.{before}"), 1 / (1 - float(settings.get(name, usual)))
            found[f"optimizer.{now}"] = (mean * factor).astype(mean.dtype)
    return found


def save(folder: Path, training: Training, about: Mapping[str, Any]) -> None:
    """Write a checkpoint into the folder; the newest one there becomes the previous one.

    If several processes train together, all of them call this, and the leading one writes.

    Raises: `InputError` if it cannot be written, `TrainingDivergedError` if the weights are not finite; in both cases
    the checkpoints in the folder stay unchanged.
    """
    arrays, values = training.state()
    if training.workers.leads:
        texts = {"format": _FORMATS[0], "about": json.dumps(about), "training": json.dumps(values)}
        safetensors.write(folder / NEWEST, arrays, texts, keep=folder / PREVIOUS)
    training.workers.rest()


def present(folder: Path) -> bool:
    """Return whether the folder holds a checkpoint."""
    return (folder / NEWEST).exists() or (folder / PREVIOUS).exists()


def remove(folder: Path) -> None:
    """Remove the checkpoints from the folder, once training is finished and its results are written."""
    for name in (NEWEST, PREVIOUS):
        (folder / name).unlink(missing_ok=True)
