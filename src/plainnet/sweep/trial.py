"""A trial: one training of a sweep, judged by its validation examples alone."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from plainnet.data.splits import Splits
from plainnet.errors import InputError, TrainingDivergedError
from plainnet.events import Epoch
from plainnet.recipes import Recipe, override
from plainnet.runs.environment import hardware, versions
from plainnet.runs.run import Run
from plainnet.sweep.own_layers import OwnLayers

Report = Callable[[int, float], bool]  # of an epoch and its figure; whether there is no hope


@dataclass(frozen=True)
class Task:
    """What a trial trains: a recipe's table with some values replaced, a seed, a limit of examples.

    `running` is a file that says, while it trains, how far it is.
    """

    number: int
    recipe: dict[str, Any]
    overrides: dict[str, Any]
    seed: int
    limit: int | None = None
    own_layers: OwnLayers = field(default_factory=OwnLayers)
    report: Report | None = field(default=None, repr=False)
    running: Path | None = None

    def run(self, data: Splits) -> dict[str, Any]:
        """Train, and return a record; see `train`."""
        return train(self, data)


def judged_by(epoch: dict[str, Any]) -> str:
    """Return by which figure of the validation trials are judged: its accuracy, if the loss has one."""
    return "validation_accuracy" if "validation_accuracy" in epoch else "validation_loss"


def train(task: Task, data: Splits) -> dict[str, Any]:
    """Train, and return a record: what was trained, the history, the figures of the epoch that is kept.

    `state` is "complete", "pruned", "diverged", or "refused" if the settings make no training; `error` says why. What
    the same task gives anywhere, with the same versions and threads, is the same to the bit, but for `made`.
    """
    began = time.perf_counter()
    told: dict[str, Any] = {"number": task.number, "overrides": task.overrides, "seed": task.seed, "limit": task.limit}
    try:
        recipe = Recipe.from_table(override(task.recipe, task.overrides), task.own_layers.kinds)
        run = Run(recipe, data, seed=task.seed, limit=task.limit, threads=1)
        if run.validation is None:
            raise InputError("trials are judged by validation examples; leave validate = true in the recipe")
        state = _trained(run, task)
    except InputError as error:
        told |= {"state": "refused", "error": str(error), "history": []}
    except TrainingDivergedError as error:
        told |= {"state": "diverged", "error": str(error), "history": run.history_table()}
    else:
        kept = run.stop.best if run.stop is not None and run.stop.best is not None else len(run.history)
        history = [{key: value for key, value in epoch.items() if key != "seconds"} for epoch in run.history_table()]
        figure = judged_by(history[-1])
        told |= {
            "state": state, "error": None, "history": history, "epoch": kept, "figure": figure,
            "value": history[kept - 1][figure], "parameters": int(run.network.theta.size),
        }  # fmt: skip
    if task.running is not None:
        task.running.unlink(missing_ok=True)
    return told | {"made": {"seconds": round(time.perf_counter() - began, 3), "hardware": hardware(), **versions()}}


def _trained(run: Run, task: Task) -> str:
    with np.errstate(all="ignore"):
        for epoch in run.epochs():
            figure = _figure(epoch)
            if task.running is not None:
                with contextlib.suppress(OSError):  # who looks on must not stop it
                    task.running.write_text(f"{epoch.number} {run.training.epochs} {figure!r}")
            if task.report is not None and task.report(epoch.number, figure):
                return "pruned"
    return "complete"


def _figure(epoch: Epoch) -> float:
    table = epoch.to_table()
    return float(table[judged_by(table)])
