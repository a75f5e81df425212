"""Trainings that hardly move: the learning rate is too small, or it fell too early."""

from __future__ import annotations

import numpy as np

from plainnet.checks.trainings.case import Case
from plainnet.checks.trainings.finding import ERROR, WARNING, TrainingFinding, figure

_LONG = 8  # epochs after which a loss that hardly moves is a sign


def creeping(case: Case) -> TrainingFinding | None:
    """Find a loss that falls in nearly every epoch, but by far too little."""
    signs = case.signs
    loss, accuracy = signs.train_loss, signs.accuracy
    if len(loss) < _LONG or loss.first <= 0 or signs.near_zero or case.curves.loss != "loss":
        return None
    fallen = (loss.first - loss.end) / loss.first
    half = len(loss) // 2
    early, late = loss.values[0] - loss.values[half], loss.values[half] - loss.values[-1]
    sure = len(accuracy) > 0 and case.curves.measure == "accuracy"
    if not late > 0.35 * early or loss.share_falling() < (0.75 if sure else 0.9):
        return None
    if not 0 < fallen < (0.15 if sure else 0.02) or (
        sure and (accuracy.end > 0.6 or accuracy.end > accuracy.first + 0.15)
    ):
        return None
    held_out = signs.validation_loss
    if len(held_out) > 2 and held_out.end > held_out.first - 0.2 * (loss.first - loss.end):
        return None  # the validation loss does not follow: the learning rate is not to blame
    needed = case.curves.epochs * (loss.end - 0.1 * loss.first) / max(loss.first - loss.end, 1e-30)
    right = f", and the {signs.which} accuracy is {accuracy.last:.1%}" if sure else ""
    return TrainingFinding(
        name="hardly-learning", severity=ERROR if sure else WARNING,
        evidence=f"in {case.curves.epochs} {signs.unit}s the training loss only fell from {figure(loss.first)} to "
        f"{figure(loss.last)}, by about the same amount each time; at this pace it would take {needed:,.0f} more{right}",
        suggestion="multiply the learning rate by 10 or 100",
    )  # fmt: skip


def still(case: Case) -> TrainingFinding | None:
    """Find a loss, recorded without an accuracy, that has hardly moved from the first figure on."""
    signs = case.signs
    loss = signs.train_loss
    if (
        len(signs.accuracy)
        or len(loss) < 5
        or loss.least <= 0
        or (len(signs.validation_loss.values[1:]) and signs.validation_loss.spread() > 0.02)
    ):
        return None
    if loss.spread() > (0.015 if len(loss) >= 20 else 1e-4):
        return None
    return TrainingFinding(
        name="hardly-learning", severity=WARNING,
        evidence=f"in {case.curves.epochs} {signs.unit}s the training loss only went from {loss.first:.6g} to {loss.last:.6g}",
        suggestion="try the learning rate multiplied by 10, and by 100; check whether gradients reach the weights, and how the targets are scaled",
    )  # fmt: skip


def fell_too_early(case: Case) -> TrainingFinding | None:
    """Find a learning rate that fell to almost nothing while the loss was still high; the loss has hardly moved since."""
    signs = case.signs
    rate, loss = signs.rate, signs.train_loss
    if len(rate) != len(loss) or len(loss) < 5 or rate.most <= 0:
        return None
    small = np.flatnonzero(rate.values < 0.06 * rate.most)
    peak = int(rate.values.argmax())
    small = small[small > peak]
    if not len(small) or small[0] > 0.6 * len(loss) or len(loss) - small[0] < 3:
        return None
    place = int(small[0])
    high = int(np.flatnonzero(rate.values > 0.5 * rate.most)[-1])
    if high >= 3 and loss.values[high] > 0.97 * loss.values[high - 3]:
        return None  # the loss had stopped before: the rate fell because of that
    before, after = loss.first - loss.values[place], loss.values[place] - loss.end
    if (
        signs.accuracy_is_good
        or loss.values[place] < 0.15 * loss.first
        or after > min(0.1 * max(before, 0.2 * loss.first), 0.08 * loss.values[place])
    ):
        return None
    return TrainingFinding(
        name="rate-falls-too-early", severity=WARNING,
        evidence=f"from {signs.epoch(rate.epoch_of(place))} on, the learning rate is {rate.values[place]:.2g} or less, and was {rate.most:.2g} before; since then the "
        f"loss only went from {loss.values[place]:.3f} to {loss.last:.3f}",
        suggestion="lower the learning rate later, or by less",
    )  # fmt: skip
