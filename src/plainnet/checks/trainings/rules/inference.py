"""Causes that are concluded from the curves, once none that could be seen is left."""

from __future__ import annotations

import math
from itertools import pairwise

from plainnet.checks.trainings.case import Case
from plainnet.checks.trainings.finding import ERROR, TrainingFinding, oscillation, too_high, too_low


def _diverged(case: Case) -> TrainingFinding | None:
    curves = case.curves
    name, figures = ("loss", curves.train_loss) if curves.train_loss else (
        "accuracy", curves.validation_accuracy or curves.train_accuracy
    )  # fmt: skip
    broken = [number for number, figure in enumerate(figures, start=1) if math.isnan(figure)]
    if not case.diverged and not broken:
        return None
    what = case.diverged or f"the {name} of epoch {broken[0]} is not a finite number"
    steps = f"; the first updates are {case.steps.ratio:.1%} of the length of all weights" if case.steps else ""
    return too_high(case, f"{what.partition(':')[0]}{steps}")


def _at_chance(case: Case) -> TrainingFinding | None:
    """Nothing is learned, and it is not the learning rate: the labels do not fit the images."""
    accuracy = case.curves.validation_accuracy or case.curves.train_accuracy
    which = "validation" if case.curves.validation_accuracy else "training"
    if not accuracy or not accuracy[-1] < 1.6 / case.classes:
        return None
    if case.steps is None:
        losses = case.curves.train_loss
        if len(losses) > 1 and losses[-1] < losses[0] * 0.98:
            return None
        return too_high(
            case, f"after {case.curves.epochs} epochs the accuracy is {accuracy[-1]:.1%}, no better than chance"
        )
    if case.steps.ratio < 1e-4:
        return too_low(case)
    return TrainingFinding(
        name="labels-shuffled",
        severity=ERROR,
        evidence=f"after {case.curves.epochs} epochs {accuracy[-1]:.1%} of the {which} images are recognized, no better than "
        f"chance, though the updates are of a sound size ({case.steps.ratio:.2%} of the weights) and no unit is dead",
        suggestion="look at a few training images beside their labels: shuffle images and labels together or not at all",
    )


def _hardly_learning(case: Case) -> TrainingFinding | None:
    """Look for a loss that falls in every epoch and is still high: as far as one can see, it is only slow."""
    losses = case.curves.train_loss
    if case.curves.epochs < 2 or not losses or not losses[-1] > 0.2 * math.log(case.classes):
        return None
    if case.steps is not None and case.steps.ratio > 3e-4:
        return None
    falling = sum(after < before for before, after in pairwise(losses)) / max(1, len(losses) - 1)
    if falling < 0.9 or losses[-1] > losses[0] or losses[-1] < 0.05 * losses[0]:
        return None
    return too_low(case)


def _oscillates(case: Case) -> TrainingFinding | None:
    evidence = oscillation(case)
    return too_high(case, evidence) if evidence else None


RULES = (_diverged, _at_chance, _hardly_learning, _oscillates)
