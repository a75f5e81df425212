"""Trainings that end badly, seen in their own figures: they diverge, rise, jump, collapse, or stop changing."""

from __future__ import annotations

import numpy as np

from plainnet.checks.trainings.case import Case
from plainnet.checks.trainings.finding import ERROR, NOTE, WARNING, TrainingFinding, rough
from plainnet.checks.trainings.signs import SHORT


def too_short(case: Case) -> TrainingFinding | None:
    """Find a history that is too short to judge."""
    signs = case.signs
    points = max(len(signs.train_loss), len(signs.train), len(signs.validation_loss), len(signs.validation))
    if points >= SHORT:
        return None
    return TrainingFinding(
        name="too-short",
        severity=NOTE,
        evidence=f"there are figures of only {points} {signs.unit}{'s' * (points != 1)}, too few to judge training",
        suggestion="train longer, or record the loss more often",
    )


def diverged(case: Case) -> TrainingFinding | None:
    """Find a training run that ended with figures that are not finite, or far above where it began."""
    signs = case.signs
    curves = [
        ("training loss", signs.train_loss),
        ("validation loss", signs.validation_loss),
        ("accuracy", signs.accuracy),
    ]
    name, curve = next(((n, c) for n, c in curves if c.broken_at_the_end), ("", signs.loss))
    if not case.diverged and not name:
        return _smallest_float(case) or _exploded(case)
    if name == "validation loss" and len(signs.train_loss):
        return TrainingFinding(
            name="validation-loss-not-finite",
            severity=WARNING,
            evidence="the validation loss is never a finite number, but the training loss is"
            if not len(curve)
            else f"the validation loss of {signs.epoch(curve.broken or 0)} is not a finite number, but the training loss is",
            suggestion="look for an empty validation set, and for a logarithm of 0",
        )
    what = (case.diverged or "").partition(":")[
        0
    ] or f"the {name} is not a finite number from {signs.epoch(curve.broken or 0)} on"
    before = curve.before(curve.broken) if curve.broken is not None else curve.values
    good = len(before) > 1 and before[-1] < 0.7 * before[0] and "loss" in name
    learning = f"; until then it had fallen from {before[0]:.3g} to {before[-1]:.3g}" if good else ""
    return TrainingFinding(
        name="not-finite-after-learning" if good else "diverged", severity=ERROR, evidence=f"{what}{learning}",
        suggestion="divide the learning rate by 10; if the loss had been falling, look for a logarithm of 0 or a division by 0",
    )  # fmt: skip


def _smallest_float(case: Case) -> TrainingFinding | None:
    """Find a loss of 87.34, the negative logarithm of the smallest float32: the right class has no probability left."""
    loss = case.signs.loss
    if not len(loss) or abs(loss.last - 87.3365) > 0.01:
        return None
    return TrainingFinding(
        name="diverged", severity=ERROR,
        evidence=f"the loss is {loss.last:.2f}, the negative logarithm of the smallest float32 number: the network gives the right class no probability at all",
        suggestion="divide the learning rate by 10, and look at the sizes of the logits",
    )  # fmt: skip


def _exploded(case: Case) -> TrainingFinding | None:
    """Find a loss that ends far above where it began."""
    signs = case.signs
    loss = signs.train_loss
    if len(loss) < SHORT or loss.first <= 0 or loss.end < 3 * max(loss.first, 0.5):
        return None
    if len(signs.train) and not signs.at_chance(signs.train.end) and signs.train.end > signs.train.first:
        return None
    return TrainingFinding(
        name="diverged", severity=ERROR,
        evidence=f"the training loss went from {loss.first:.4g} to {loss.last:.4g}, far above where it began",
        suggestion="divide the learning rate by 10; make sure that the update subtracts the gradient",
    )  # fmt: skip


def collapsed(case: Case) -> TrainingFinding | None:
    """Find an accuracy that fell far from one epoch to the next: to chance and for good, or with a jump of the loss."""
    signs = case.signs
    if case.diverged or signs.train_loss.broken_at_the_end:
        return None
    for which, curve in (("training", signs.train), ("validation", signs.validation)):
        learned = which == "training" or not len(signs.train) or signs.train.most > 0.5 * curve.most
        if len(curve) < 4 or not learned:
            continue
        falls = -np.diff(curve.values)
        place = int(falls.argmax())
        best, after = float(curve.values[: place + 1].max()), curve.values[place + 1 :]
        other = signs.validation if which == "training" else signs.train
        alone = len(other) > 0 and other.end > max(signs.low, 0.8 * other.most)
        losses = signs.train_loss.values
        leapt = (
            len(losses) == len(curve) and losses[place + 1] > 3 * max(losses[0], losses[place]) and falls[place] > 0.2
        )
        for_good = (
            falls[place] >= 0.4 * best >= 0.8 * signs.low and after.max() <= max(signs.low, 0.45 * best) and not alone
        )
        frozen = len(after) > 3 and np.ptp(after) < 1e-9 and falls[place] > 0.25 and not alone
        once = len(after) == 1 and not (len(losses) and losses[-1] > 2 * signs.train_loss.least)
        if not leapt and not frozen and (not for_good or once):
            continue
        fell = signs.epoch(curve.epoch_of(place + 1))
        leap = f", when the loss jumped from {losses[place]:.3g} to {losses[place + 1]:.3g}," if leapt else ""
        since = "did not recover" if after.max() < best - 0.03 else f"has been {after.max():.1%} at best since"
        return TrainingFinding(
            name="collapse", severity=WARNING if after.max() > best - 0.1 else ERROR,
            evidence=f"the {which} accuracy fell from {curve.values[place]:.1%} to {after[0]:.1%} in {fell}{leap} and {since}; the best before was {best:.1%}, in "
            f"{signs.epoch(curve.epoch_of(int(curve.values[: place + 1].argmax())))}",
            suggestion="resume from the weights before the fall, with a smaller learning rate; clip the gradient by its norm",
        )  # fmt: skip
    return _loss_collapsed(case)


def _loss_collapsed(case: Case) -> TrainingFinding | None:
    signs = case.signs
    loss = signs.train_loss
    if len(signs.accuracy) or len(loss) < 5 or (signs.unit == "step" and len(loss) < 40):
        return None
    rises = np.diff(loss.values)
    place = int(rises.argmax())
    if place + 2 >= len(loss):
        return None  # what came after it is not known
    before, after = loss.values[: place + 1], loss.values[place + 1 :]
    back = before.min() < 0.6 * loss.first and after.min() > 0.9 * loss.first and rises[place] > 0.4 * loss.first
    far = before.min() < 0.25 * loss.first and after.min() > 0.5 * loss.first and rises[place] > 0.25 * loss.first
    if not back and not (far and len(after) > 3):
        return None
    return TrainingFinding(
        name="collapse", severity=ERROR,
        evidence=f"the training loss rose from {before[-1]:.4g} to {after[0]:.4g} in {signs.epoch(loss.epoch_of(place + 1))}, towards "
        f"where it began ({loss.first:.4g}), and stayed there",
        suggestion="resume from the weights before the rise, with a smaller learning rate; clip the gradient by its norm",
    )  # fmt: skip


def constant(case: Case) -> TrainingFinding | None:
    """Find a loss that never changes."""
    signs = case.signs
    loss = signs.train_loss
    if len(loss) < 4 or not loss.constant() or abs(loss.last) < 0.02 * abs(loss.first) or signs.accuracy_is_good:
        return None
    if len(signs.rate) and signs.rate.last < 1e-3 * signs.rate.most:
        return None
    return TrainingFinding(
        name="loss-constant", severity=ERROR,
        evidence=f"the training loss is exactly {loss.last:.6g} in the last {loss.alike()} {signs.unit}s: no update "
        "changes the network's answers",
        suggestion="check whether the optimizer has the network's parameters, whether gradients reach them, and whether all "
        "units are dead",
    )  # fmt: skip


def rising(case: Case) -> TrainingFinding | None:
    """Find a loss that rises from the beginning."""
    signs = case.signs
    loss = signs.train_loss
    if len(loss) < SHORT or loss.first <= 0 or signs.near_zero:
        return None
    held_out = signs.validation_loss
    both = min(len(loss), len(held_out)) > 3 and loss.share_falling() == held_out.share_falling() == 0
    if loss.end < (1.04 if both else 1.15) * loss.first or loss.share_falling() > 0.5:
        return None
    if len(signs.train) and signs.train.end > signs.train.first + 0.02:
        return None
    return TrainingFinding(
        name="loss-rises", severity=ERROR,
        evidence=f"the training loss rises from the beginning, from {loss.first:.4g} to {loss.last:.4g}, and the accuracy does not rise" if len(signs.train)
        else f"the training loss rises from the beginning, from {loss.first:.4g} to {loss.last:.4g}",
        suggestion="make sure that the update subtracts the gradient; try the learning rate divided by 10",
    )  # fmt: skip


def unstable(case: Case) -> TrainingFinding | None:
    """Find a training run in which loss and accuracy go up and down while the loss is still high."""
    signs = case.signs
    loss, accuracy = signs.train_loss, signs.train
    falls = int((np.diff(accuracy.values) < -0.03).sum())
    if signs.unit == "step" or not rough(case) or loss.end < 0.5 * loss.first or signs.far_apart:
        return _accuracy_unstable(case)
    if len(accuracy) > 3 and falls < max(2, (len(accuracy) - 1) / 5):
        return None
    rises = loss.values[1:] / np.maximum(loss.values[:-1], 1e-30) - 1
    worst = float(rises.max())
    times = f"once by {worst:.0%}" if worst < 10 else "once to many times its value"
    return TrainingFinding(
        name="training-unstable", severity=ERROR if len(accuracy) and loss.end > 0.8 * loss.first else WARNING,
        evidence=f"the training loss rose by more than 10 % in {int((rises > 0.1).sum())} of {len(rises)} {signs.unit}s, {times}; it was {loss.first:.3g} at the "
        f"beginning and is {loss.last:.3g} at the end",
        suggestion="divide the learning rate by 10",
    )  # fmt: skip


def _accuracy_unstable(case: Case) -> TrainingFinding | None:
    """Find training and validation accuracies that fall together, again and again."""
    train, validation, unit = case.signs.train, case.signs.validation, case.signs.unit
    if len(train) != len(validation) or len(train) < 6 or unit == "step":
        return None
    together = (np.diff(train.values) < -0.06) & (np.diff(validation.values) < -0.06)
    if together.sum() < max(2, (len(train) - 1) / 4):
        return None
    return TrainingFinding(
        name="training-unstable", severity=WARNING,
        evidence=f"in {int(together.sum())} of {len(train) - 1} {unit}s both the training and the validation accuracy fell by more than 6 points; the training accuracy fell "
        f"as low as {train.values[1:][together].min():.1%}, and its best is {train.most:.1%}",
        suggestion="divide the learning rate by 10",
    )  # fmt: skip


def worsening(case: Case) -> TrainingFinding | None:
    """Find a training run whose figures were best early and have been much worse since."""
    signs = case.signs
    loss, accuracy = signs.train_loss, signs.accuracy
    better = (
        len(signs.validation) > 2
        and signs.validation.end > signs.validation.first + 0.1
        and signs.validation.end > signs.validation.most - 0.05
    )
    if signs.unit == "step" or better or (len(accuracy) and case.curves.measure != "accuracy"):
        return None
    lost = accuracy.most - accuracy.end if len(accuracy) > 4 else 0.0
    if lost and accuracy.values[-len(accuracy) // 3 :].max() > accuracy.most - 0.6 * lost:
        lost = 0.0  # it has recovered since
    rose = loss.end / loss.least if len(loss) > 4 and loss.least > 0.1 * loss.first > 0 else 1.0
    if rose > 1 and loss.values[-len(loss) // 3 :].min() < loss.least * (1 + 0.5 * (rose - 1)):
        rose = 1.0
    if not (lost > 0.12 or (rose > 1.5 and lost > 0.03) or (rose > 2 and not len(signs.train))):
        return None
    parts = []
    if rose > 1.3:
        parts.append(
            f"the training loss rose from {loss.least:.3g} in {signs.epoch(loss.epoch_of(int(loss.values.argmin())))} to {loss.last:.3g}"
        )
    if lost > 0.03:
        best = signs.epoch(accuracy.epoch_of(int(accuracy.values.argmax())))
        parts.append(f"the {signs.which} accuracy fell from {accuracy.most:.1%} in {best} to {accuracy.last:.1%}")
    return TrainingFinding(
        name="training-worsens", severity=ERROR if lost > 0.12 and (signs.which == "training" or rose > 1.3) else WARNING,
        evidence=" and ".join(parts),
        suggestion="divide the learning rate by 10; check whether gradients are set to zero before each step, and how strong the weight decay is",
    )  # fmt: skip
