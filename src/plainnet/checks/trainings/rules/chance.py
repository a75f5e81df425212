"""Training at chance: the accuracy is no better than guessing, or the network always gives the same answer."""

from __future__ import annotations

import math

import numpy as np

from plainnet.checks.trainings.case import Case
from plainnet.checks.trainings.finding import ERROR, TrainingFinding
from plainnet.checks.trainings.signs import SHORT
from plainnet.foreign.showing import counted

_LOOK = "look at a few training examples beside their labels; then try the learning rate divided by 10, and multiplied by 10"


def at_chance(case: Case) -> TrainingFinding | None:
    """Find a training run that learns nothing: the loss stays where it began, and the accuracy is that of chance."""
    signs = case.signs
    loss, accuracy = signs.train_loss, signs.accuracy
    if case.curves.measure == "AUC":
        return _area_of_half(case)
    if max(len(loss), len(accuracy)) < SHORT or case.curves.measure not in ("accuracy", "balanced accuracy"):
        return None
    if not len(accuracy):
        return _loss_at_chance(case)
    if (always := _one_answer(case)) is not None or signs.near_zero:
        return always
    if not (_at_chance(case) or _hardly_better(case) or _same_answer(case) or _goes_nowhere(case)):
        return None
    than = f", no better than chance for {signs.classes} classes" if signs.classes else ""
    as_begun = ", about the same as at the beginning" * (
        len(loss) > 0 and abs(loss.end - loss.first) < 0.1 * abs(loss.first)
    )
    figures = f", and the training loss is {loss.last:.3f}{as_begun}" if len(loss) else ""
    if signs.classes and len(loss) and abs(loss.end - math.log(signs.classes)) < 0.012:
        figures = f", and the training loss is {loss.last:.3f}, the logarithm of {signs.classes}"
    same = (
        "; the validation accuracy never changes: the network always gives the same answer"
        * signs.validation.constant(3)
    )
    return TrainingFinding(
        name="stuck-at-chance", severity=ERROR,
        evidence=f"after {counted(case.curves.epochs, signs.unit)} the {signs.which} accuracy is {accuracy.last:.1%}{than}{figures}{same}",
        suggestion=_LOOK,
    )  # fmt: skip


def _area_of_half(case: Case) -> TrainingFinding | None:
    """Find an area under the ROC curve that stays at a half: the network ranks the examples no better than chance."""
    area = case.signs.accuracy
    if len(area) < 8 or float(np.abs(area.values[len(area) // 4 :] - 0.5).max()) > 0.02:
        return None
    return TrainingFinding(
        name="stuck-at-chance", severity=ERROR,
        evidence=f"the {case.signs.which} AUC stays between {area.least:.3f} and {area.most:.3f}; 0.5 is that of chance",
        suggestion=_LOOK,
    )  # fmt: skip


def _at_chance(case: Case) -> bool:
    """Return whether the accuracy is that of chance, and the loss is where it began."""
    signs = case.signs
    loss, accuracy = signs.train_loss, signs.accuracy
    still = not len(loss) or signs.flat or loss.end > 0.97 * loss.first
    known = signs.classes is not None or signs.flat or signs.validation.constant(3)
    if len(loss) and loss.last < 0.9 * loss.first and accuracy.last > 2 * accuracy.first:
        return False  # low, but learning
    return known and still and signs.at_chance(accuracy.end) and signs.at_chance(float(np.median(accuracy.values)))


def _hardly_better(case: Case) -> bool:
    """Return whether training has long been hardly better than chance, as if the network knew two classes of ten."""
    signs = case.signs
    loss, accuracy = signs.train_loss, signs.accuracy
    if signs.classes is None or signs.classes < 5 or len(loss) < 8 or len(accuracy) != len(loss):
        return False
    half = slice(len(loss) // 2, None)
    stands = np.ptp(loss.values[half]) < 0.04 * loss.end and loss.end > 0.7 * math.log(signs.classes)
    return bool(stands and accuracy.values[half].max() < 2.4 / signs.classes)


def _same_answer(case: Case) -> bool:
    """Return whether the validation accuracy never changes, while the loss hardly moves and the accuracy is low."""
    accuracy = case.signs.accuracy
    moved = accuracy.most - accuracy.first
    return case.signs.flat and case.signs.validation.constant(3) and accuracy.end < 0.7 and moved < 0.03


def _goes_nowhere(case: Case) -> bool:
    """Tell, without losses, whether the validation accuracy is nearly always the same and the training accuracy does not rise."""
    train, validation = case.signs.train, case.signs.validation
    if len(case.signs.train_loss) or min(len(train), len(validation)) < 6 or train.most > 0.75:
        return False
    same = np.unique(validation.values, return_counts=True)[1].max() >= 0.7 * len(validation)
    return bool(same and abs(train.end - train.first) < 0.05 and np.ptp(train.values) < 0.12)


def _one_answer(case: Case) -> TrainingFinding | None:
    """Find accuracies that never change: the network always gives the same answer."""
    train, validation = case.signs.train, case.signs.validation
    if (
        min(len(train), len(validation)) < 5
        or np.ptp(train.values[1:]) > 1e-4
        or np.ptp(validation.values[1:]) > 1e-6
        or max(validation.last, train.last) > 0.995
    ):
        return None
    return TrainingFinding(
        name="stuck-at-chance", severity=ERROR,
        evidence=f"the validation accuracy is {validation.last:.2%} in every {case.signs.unit}, and the training accuracy {train.last:.2%}: the network always gives "
        "the same answer, and these are the shares of examples for which it is right",
        suggestion="count the examples of each class; give rare classes more weight, or use a measure other than "
        "accuracy",
    )  # fmt: skip


def _loss_at_chance(case: Case) -> TrainingFinding | None:
    """Find, without accuracies, a loss that stays at the logarithm of a whole number."""
    signs = case.signs
    loss = signs.train_loss
    if len(loss) < 5 or not signs.flat or loss.spread(1) > 0.01 or case.curves.loss != "loss":
        return None
    classes = round(math.exp(min(loss.end, 7.0)))
    if not 2 <= classes <= 20 or abs(loss.end - math.log(classes)) > 0.004:
        return None
    return TrainingFinding(
        name="stuck-at-chance", severity=ERROR,
        evidence=f"the training loss stays at {loss.last:.4f}, the logarithm of {classes}: this is the loss of a network that gives {classes} classes the same probability",
        suggestion=_LOOK,
    )  # fmt: skip
