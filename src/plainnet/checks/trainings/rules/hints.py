"""Remarks on a training that works: what could be better, and what only looks as if it could."""

from __future__ import annotations

import math
from itertools import pairwise

from plainnet.checks.trainings.case import Case
from plainnet.checks.trainings.finding import NOTE, WARNING, TrainingFinding


def _overfitting(case: Case) -> TrainingFinding | None:
    curves = case.curves
    train = case.metrics["train_accuracy"] if case.metrics else (curves.train_accuracy or (math.nan,))[-1]
    gap = train - curves.validation_accuracy[-1] if curves.validation_accuracy else math.nan
    losses = curves.validation_loss
    best = min(losses, default=math.nan)
    rising = bool(losses) and losses[-1] > 1.3 * best and (curves.train_loss or losses)[-1] < best
    if not train > 0.9 or (not gap > 0.04 and not (rising and gap > 0.005)):
        return None
    evidence = f"{train:.1%} of the training images are recognized, and {train - gap:.1%} of the validation images"
    if rising:
        evidence += f"; the validation loss was best in epoch {losses.index(best) + 1} of {len(losses)}, and rose since"
    return TrainingFinding(
        name="overfitting",
        severity=WARNING,
        evidence=evidence,
        suggestion="learn from more images, or change them as you go (augmentation); stop earlier; more weight decay; dropout",
        change={"augmentation": {"rotation": 10.0, "shift": 2.0, "scale": 0.1}},
    )


def _underfitting(case: Case) -> TrainingFinding | None:
    curves = case.curves
    train = case.metrics["train_accuracy"] if case.metrics else (curves.train_accuracy or (math.nan,))[-1]
    losses = curves.train_loss
    if not train < 0.93 or len(losses) < 4 or losses[-1] < 0.9 * losses[-3]:
        return None
    units = {f"layers.{i}.units": 256 for i, layer in enumerate(case.recipe.layers[:-1] if case.recipe else [])
             if layer["type"] == "Dense"}  # fmt: skip
    return TrainingFinding(
        name="underfitting",
        severity=WARNING,
        evidence=f"only {train:.1%} of the training images are recognized, and the training loss hardly falls any more "
        f"({losses[-3]:.3f} two epochs before the end, {losses[-1]:.3f} at the end)",
        suggestion="give the network more units or another layer",
        change=units,
    )


def _plateau(case: Case) -> TrainingFinding | None:
    rates, losses = case.curves.learning_rate, case.curves.train_loss
    if len(rates) != len(losses):
        return None
    for epoch, (before, after) in enumerate(pairwise(rates), start=1):
        if epoch > 5 and after < before / 2 and losses[epoch - 1] > 0.98 * losses[epoch - 6]:
            return TrainingFinding(
                name="plateau-before-decay",
                severity=NOTE,
                evidence=f"in the five epochs before the learning rate fell after epoch {epoch}, the loss went from "
                f"{losses[epoch - 6]:.4f} to {losses[epoch - 1]:.4f} only",
                suggestion=f"let the learning rate fall earlier than after epoch {epoch}; those epochs bought nothing",
            )
    return None


def _validation_better(case: Case) -> TrainingFinding | None:
    train, validation = case.curves.train_accuracy, case.curves.validation_accuracy
    if not train or not validation or not validation[-1] > train[-1]:
        return None
    if case.recipe is not None:
        harder = case.made_harder_by
        why = f"with {' and '.join(harder)} the training images are harder than those to validate" if harder else (
            "the training figure is the mean while the weights were still learning, the validation figure comes after"
        )  # fmt: skip
    else:
        why = "dropout or augmentation make training images harder, or the training figure is a mean while learning"
    return TrainingFinding(
        name="validation-better",
        severity=NOTE,
        evidence=f"at the end {validation[-1]:.1%} of the validation images are recognized, and {train[-1]:.1%} of the training "
        f"images; {why}",
        suggestion="nothing: this is as it should be",
    )


RULES = (_overfitting, _underfitting, _plateau, _validation_better)
