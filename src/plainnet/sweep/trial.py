"""A trial: one training run of a sweep, compared with others by its validation result only."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from plainnet.data.splits import Splits
from plainnet.errors import InputError, TrainingDivergedError
from plainnet.events import Epoch
from plainnet.recipes import Recipe, override
from plainnet.runs.environment import hardware, versions
from plainnet.runs.run import Run
from plainnet.sweep.own_layers import OwnLayers

Told = Callable[[str | None], None]  # takes the progress, None at the end
Report = Callable[[int, float], bool]  # takes an epoch and its figure; returns whether to end the trial


def _nobody(progress: str | None) -> None:
    """Take the progress of a trial that nobody asks about."""


@dataclass(frozen=True)
class Task:
    """What a trial trains: a recipe with some values replaced, a seed, and a limit on the examples.

    `told` takes the progress during the training.
    """

    number: int
    recipe: dict[str, Any]
    overrides: dict[str, Any]
    seed: int
    limit: int | None = None
    own_layers: OwnLayers = field(default_factory=OwnLayers)
    report: Report | None = field(default=None, repr=False)
    told: Told = field(default=_nobody, repr=False)

    def run(self, data: Splits) -> dict[str, Any]:
        """Train, and return a record; see `train`."""
        return train(self, data)


def judged_by(epoch: dict[str, Any]) -> str:
    """Return the figure that trials are compared by: the validation accuracy, if there is one, or the loss."""
    return "validation_accuracy" if "validation_accuracy" in epoch else "validation_loss"


def train(task: Task, data: Splits) -> dict[str, Any]:
    """Train, and return a record: the settings, the history, and the figures of the epoch that is kept.

    `state` is "complete", "pruned", "diverged", or "refused" if the settings are invalid; `error` gives the reason. The
    same task with the same versions and threads gives the same record to the last bit, except for `made`.
    """
    began = time.perf_counter()
    told: dict[str, Any] = {"number": task.number, "overrides": task.overrides, "seed": task.seed, "limit": task.limit}
    try:
        recipe = Recipe.from_table(override(task.recipe, task.overrides), task.own_layers.kinds)
        run = Run(recipe, data, seed=task.seed, limit=task.limit, threads=1)
        if run.validation is None:
            raise InputError("a sweep needs validation examples; leave validate = true in the recipe")
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
    task.told(None)
    return told | {"made": {"seconds": round(time.perf_counter() - began, 3), "hardware": hardware(), **versions()}}


def _trained(run: Run, task: Task) -> str:
    with np.errstate(all="ignore"):
        for epoch in run.epochs():
            figure = _figure(epoch)
            task.told(f"{epoch.number} {run.training.epochs} {figure!r}")
            if task.report is not None and task.report(epoch.number, figure):
                return "pruned"
    return "complete"


def _figure(epoch: Epoch) -> float:
    table = epoch.to_table()
    return float(table[judged_by(table)])
