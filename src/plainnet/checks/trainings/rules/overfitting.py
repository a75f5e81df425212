"""Overfitting: the network memorizes its training examples while the validation figures stop improving."""

from __future__ import annotations

from typing import Any

import numpy as np

from plainnet.checks.trainings.case import Case
from plainnet.checks.trainings.curve import Curve
from plainnet.checks.trainings.finding import NOTE, WARNING, TrainingFinding
from plainnet.checks.trainings.signs import Signs

_ENOUGH = 4  # epochs from which the two are compared


def overfitting(case: Case) -> TrainingFinding | None:
    """Find training figures that keep improving while the validation figures get worse, or stay far behind."""
    signs = case.signs
    train_loss, loss, accuracy, measure = signs.train_loss, signs.validation_loss, signs.validation, case.curves.measure
    right = case.metrics["train_accuracy"] if case.metrics else (signs.train.end if len(signs.train) else None)
    rising = _rises_again(train_loss, loss, 1.1)
    if right is None or not len(accuracy):
        behind = signs.far_apart or _never_followed(signs) or _left_behind(train_loss, loss)
        if not (rising or behind) or len(loss) < 5:
            return None
        severity = WARNING if rising else NOTE
        evidence = f"the training loss went from {train_loss.first:.3g} to {train_loss.last:.3g}, but the validation loss is {loss.last:.3g}"
    else:
        gap = right - accuracy.end
        behind = _left_behind(train_loss, loss)
        wide = gap > 0.08 or (gap > 0.05 and accuracy.end < accuracy.most - 0.02 and len(accuracy) >= 8)
        wide = (wide and right > 0.85) or (gap > 0.12 and right > 0.75 and accuracy.end < accuracy.most - 0.04)
        slowly = gap > 0.2 and right > 0.6 and _rises_again(train_loss, loss, 1.05)
        if not (wide or (rising and gap > 0.015) or slowly or behind) or _apart_from_the_start(signs):
            return None
        shown = case.metrics["train_accuracy"] if case.metrics else signs.train.last
        severity = NOTE if _still_best(signs) or not (wide or rising or slowly) else WARNING
        evidence = f"the training {measure} is {shown:.1%}, the validation {measure} {accuracy.last:.1%}"
        if measure == "accuracy":
            evidence = f"the network is right on {shown:.1%} of the training examples, but on {accuracy.last:.1%} of the validation examples"
    if rising:
        best = loss.epoch_of(int(loss.values.argmin()))
        evidence += f"; the validation loss was lowest in {signs.epoch(best)}, at {loss.least:.3g}, and has risen to {loss.last:.3g} since"
    return TrainingFinding(
        name="overfitting", severity=severity, evidence=evidence,
        suggestion="train on more examples, or use augmentation; stop earlier; use more weight decay; use dropout",
        change=_against_overfitting(case),
    )  # fmt: skip


def _still_best(signs: Signs) -> bool:
    """Return whether training longer does no harm: the validation accuracy is at its best, and the loss not far from it."""
    loss, accuracy = signs.validation_loss, signs.validation
    best = accuracy.most - max(accuracy.end, accuracy.last) < 0.02
    return len(loss) > 3 and best and loss.end < 2 * loss.least


def _against_overfitting(case: Case) -> dict[str, Any]:
    """Return augmentation that suits the size of the images, or more weight decay if the inputs are not images."""
    shape = case.network.in_shape if case.network else ()
    if len(shape) < 2:
        return {"optimizer.weight_decay": 1e-3}
    return {"augmentation": {"rotation": 10.0, "shift": round(shape[0] / 14, 1), "scale": 0.1}}


def _rises_again(train: Curve, loss: Curve, least: float) -> bool:
    """Return whether the validation loss rises for some time while the training loss still falls."""
    if min(len(train), len(loss)) < _ENOUGH:
        return False
    smooth = loss.smooth() if len(loss) > 8 else loss.values
    place = int(smooth.argmin())
    after = loss.values[place + 1 :]
    if len(after) < max(2, len(loss) // 8) or loss.end < least * smooth[place] or loss.end < smooth[place] + 0.01:
        return False
    since = train.values[int(np.searchsorted(train.at, loss.at[place])) :]
    return (
        len(since) > 1
        and float(np.median(since[-2:])) < 0.9 * float(since[0])
        and float(np.median(after)) > (1 + (least - 1) / 3) * smooth[place]
    )


def _never_followed(signs: Signs) -> bool:
    """Return whether the validation loss is no lower than at first, and its accuracy no higher, while the training loss fell."""
    train, loss, accuracy = signs.train_loss, signs.validation_loss, signs.validation
    if min(len(train), len(loss)) < 8 or (len(accuracy) and accuracy.end > accuracy.first + 0.02):
        return False
    return train.end < 0.7 * train.first and min(loss.end, float(np.median(loss.values))) > 0.97 * loss.first


def _left_behind(train: Curve, loss: Curve) -> bool:
    """Return whether the validation loss has long stood at a multiple of the training loss, which still fell."""
    if min(len(train), len(loss)) < 12 or min(train.first, loss.least) <= 0 or loss.first > 2 * train.first:
        return False
    place = int(np.flatnonzero(loss.values < 1.05 * loss.least)[0])  # where it stood still
    since = train.values[int(np.searchsorted(train.at, loss.at[place])) :]
    return place < 0.75 * len(loss) and loss.end > 2.5 * train.end > 0 and train.end < 0.85 * float(since[0])


def _apart_from_the_start(signs: Signs) -> bool:
    """Return whether the validation accuracy was never above chance: a sign of different data, not of overfitting."""
    return signs.at_chance(signs.validation.most) and signs.classes is not None
