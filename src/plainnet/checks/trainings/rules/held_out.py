"""Validation against training: a broken evaluation, a validation at chance, exchanged names, jumps from epoch to epoch."""

from __future__ import annotations

import numpy as np

from plainnet.checks.trainings.case import Case
from plainnet.checks.trainings.curve import Curve
from plainnet.checks.trainings.finding import ERROR, WARNING, TrainingFinding
from plainnet.checks.trainings.signs import Signs

_ENOUGH = 4  # epochs from which the two are compared


def broken(case: Case) -> TrainingFinding | None:
    """Find validation figures that are exactly the same in every epoch while the network learns."""
    signs = case.signs
    always = len(signs.train) > 2 and np.ptp(signs.train.values[1:]) <= 1e-4
    if not signs.learns or always:
        return None
    loss, accuracy = signs.validation_loss, signs.validation
    named = [(name, curve) for name, curve in (("loss", loss), ("accuracy", accuracy)) if len(curve) >= _ENOUGH]
    still = [(name, curve) for name, curve in named if curve.constant(max(_ENOUGH, len(curve) // 2))]
    if (
        not still
        or (len(named) > len(still) and still[0][0] == "accuracy" and loss.spread(1) > 0.02)
        or (still[0][0] == "accuracy" and accuracy.last > 0.95)
    ):
        return None
    name, curve = still[0]
    since = float(curve.at[curve.values == curve.last][0])
    moved = [c.values[c.at >= since] for c in (signs.train_loss, signs.train) if len(c)]
    if not any(len(part) > 2 and np.ptp(part) > 0.05 * max(abs(float(part[0])), 1e-3) for part in moved):
        return None
    shown = f"{curve.last:.1%}" if name == "accuracy" else f"{curve.last:.6g}"
    return TrainingFinding(
        name="evaluation-broken", severity=ERROR,
        evidence=f"the validation {name} is exactly {shown} in the last {curve.alike()} {signs.unit}s, while the "
        f"training {_learning(signs)}: the evaluation uses another network, or other data",
        suggestion="evaluate the network that is being trained, in evaluation mode, on data prepared in the same way as for training",
    )  # fmt: skip


def _learning(signs: Signs) -> str:
    if len(signs.train):
        return f"accuracy goes from {signs.train.first:.1%} to {signs.train.last:.1%}"
    return f"loss goes from {signs.train_loss.first:.4g} to {signs.train_loss.last:.4g}"


def at_chance(case: Case) -> TrainingFinding | None:
    """Find a validation accuracy that stays at chance to the end while the training accuracy rises."""
    signs = case.signs
    accuracy = signs.validation
    if len(accuracy) < _ENOUGH or not signs.learns or len(signs.train) < _ENOUGH or case.curves.measure != "accuracy":
        return None
    if not (
        signs.at_chance(float(np.quantile(accuracy.values, 0.9))) and signs.train.end > max(0.3, 2.5 * accuracy.most)
    ):
        return None
    return TrainingFinding(
        name="validation-at-chance", severity=ERROR,
        evidence=f"the training accuracy goes from {signs.train.first:.1%} to {signs.train.last:.1%}, but the validation accuracy is never above "
        f"{accuracy.most:.1%}",
        suggestion="look at a few validation examples beside their labels; check how they are scaled and ordered; evaluate on the "
        "training examples, which should give the training accuracy",
    )  # fmt: skip


def exchanged(case: Case) -> TrainingFinding | None:
    """Find a training loss that behaves like a validation loss, and a validation loss that behaves like a training loss."""
    signs = case.signs
    train, validation = signs.train_loss, signs.validation_loss
    if min(len(train), len(validation)) < 5:
        return None
    rises = (
        train.end > 1.1 * train.least
        and train.values[:-2].argmin() < 0.7 * len(train)
        and train.end > train.least + 0.02
    )
    falls = validation.end < 0.5 * validation.first and validation.end < 1.3 * validation.least + 1e-3
    apart = validation.end < 0.4 * train.end
    right = not len(signs.train) or not len(signs.validation) or signs.validation.end > signs.train.end + 0.03
    done = (
        len(signs.validation) > 0
        and validation.end < 0.1 * train.end
        and validation.end < 0.05 * validation.first
        and train.end > 0.1
    )
    if not (falls and apart and right and (rises or done)):
        return None
    return TrainingFinding(
        name="curves-exchanged", severity=WARNING,
        evidence=f"the figure called training loss {'rose from' if rises else 'went from'} {train.least if rises else train.first:.3f} to {train.last:.3f}, while the validation loss fell to {validation.last:.3f}: "
        "no training does that, but if the two are exchanged, it is ordinary overfitting",
        suggestion="check which figures are written under which name",
    )  # fmt: skip


def unstable(case: Case) -> TrainingFinding | None:
    """Find validation figures that jump from epoch to epoch while the training figures are smooth."""
    signs = case.signs
    accuracy, train = signs.validation, signs.train
    learned = signs.learns or (len(train) > 5 and train.end > signs.low + 0.2 and train.end > train.most - 0.05)
    if len(accuracy) < 6 or not learned or _rough(signs.train_loss):
        return _loss_unstable(case)
    rough, smooth = accuracy.roughness(), train.roughness() if len(train) > 2 else np.zeros(1)
    late = rough[len(rough) // 4 :]
    middle = float(np.quantile(late, 0.7)) if len(late) else 0.0
    falls = int((np.diff(accuracy.values[max(1, len(accuracy) // 10) :]) < -0.06).sum())
    if middle < 0.04 or falls < max(2, 0.15 * len(accuracy)) or middle < 3 * float(np.quantile(smooth, 0.7)):
        return None
    steps = np.diff(accuracy.values)
    place = int(np.abs(steps[1:]).argmax()) + 1
    return TrainingFinding(
        name="validation-unstable", severity=WARNING,
        evidence=f"the validation {case.curves.measure} jumps from {signs.unit} to {signs.unit}, from {accuracy.values[place]:.1%} to {accuracy.values[place + 1]:.1%} in "
        f"{signs.unit} {accuracy.epoch_of(place + 1):,.0f}; it fell by more than 6 points {falls} times, while the training curves are smooth",
        suggestion="check how many validation examples there are; with batch normalization, check its running averages and use "
        "larger batches; otherwise use a smaller learning rate",
    )  # fmt: skip


def _rough(loss: Curve) -> bool:
    """Return whether the training loss itself jumps by more than a third in two of five epochs."""
    steps = np.diff(loss.values) / np.maximum(loss.values[:-1], 1e-30)
    return len(steps) > 3 and bool((np.abs(steps) > 0.35).mean() > 0.4 and steps.max() > 0.35)


def _loss_unstable(case: Case) -> TrainingFinding | None:
    signs = case.signs
    loss, train = signs.validation_loss, signs.train_loss
    if (
        len(signs.validation)
        or len(loss) < 8
        or len(train) < 8
        or not signs.learns
        or np.min(loss.values) <= 0
        or np.min(train.values) <= 0
    ):
        return None
    ours, theirs = (np.abs(np.diff(np.log(curve.values[len(curve) // 4 :]))) for curve in (loss, train))
    if np.quantile(ours, 0.6) < 0.35 or np.quantile(ours, 0.6) < 4 * np.quantile(theirs, 0.6):
        return None
    return TrainingFinding(
        name="validation-unstable", severity=WARNING,
        evidence=f"from {signs.unit} to {signs.unit} the validation loss changes by {np.expm1(np.median(ours)):.0%} (median), the training loss by only "
        f"{np.expm1(np.median(theirs)):.0%}",
        suggestion="check how many validation examples there are; with batch normalization, check its running averages; otherwise use a "
        "smaller learning rate",
    )  # fmt: skip
