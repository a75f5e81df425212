"""Verification: train briefly without and with a suggested change, to see whether it helps."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import numpy as np

from plainnet.checks.trainings.case import Case
from plainnet.checks.trainings.finding import TrainingFinding
from plainnet.errors import TrainingDivergedError
from plainnet.recipes import Recipe, override
from plainnet.runs.run import Run

_IMAGES, _EPOCHS = 6000, 3


def verify(case: Case, finding: TrainingFinding) -> dict[str, Any] | None:
    """Train briefly without and with the finding's change, from the same seed; None if the finding has no change.

    Returns `before` and `after`, the accuracies on the validation images (None for a training run that diverged), and
    `helped`.
    """
    if case.recipe is None or not finding.change:
        return None
    changed = Recipe.from_table(override(json.loads(json.dumps(case.recipe.to_table())), finding.change))
    images = min(case.limit or _IMAGES, _IMAGES, len(case.data.train))
    epochs = _EPOCHS if finding.name != "overfitting" else case.recipe.epochs  # overfitting takes time to show
    before, after = (_accuracy(case, replace(recipe, epochs=epochs), images) for recipe in (case.recipe, changed))
    return {
        "before": before,
        "after": after,
        "helped": after is not None and (before is None or after > before),
        "images": images,
        "epochs": epochs,
    }


def _accuracy(case: Case, recipe: Recipe, images: int) -> float | None:
    run = Run(replace(recipe, validate=True), case.data, seed=case.seed, limit=images)
    try:
        with np.errstate(all="ignore"):
            *_, last = run.epochs()
    except TrainingDivergedError:
        return None
    return last.validation_accuracy
