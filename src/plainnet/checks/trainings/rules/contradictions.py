"""A training whose own figures contradict each other: loss and accuracy cannot both be what they are called."""

from __future__ import annotations

import math

import numpy as np

from plainnet.checks.trainings.case import Case
from plainnet.checks.trainings.finding import ERROR, TrainingFinding
from plainnet.checks.trainings.signs import SHORT

_CLIPS = (1e-7, 1.1920929e-7, 1e-8, 1e-6, 1e-12, 1e-15, 2.220446e-16)  # the least probability that programs allow


def floor(case: Case) -> TrainingFinding | None:
    """Find a loss that falls to ln(e + K - 1) - 1 and no further: softmax of a softmax."""
    signs = case.signs
    accuracy = signs.train if len(signs.train) else signs.validation
    loss = signs.train_loss if len(signs.train) or not len(signs.validation_loss) else signs.validation_loss
    if (
        len(loss) < SHORT
        or len(accuracy) != len(loss)
        or case.curves.measure != "accuracy"
        or case.curves.loss != "loss"
    ):
        return None
    late = slice(-max(3, len(loss) // 4), None)
    right, losses = accuracy.values[late], loss.values[late]
    if losses.min() < 0.3 or losses.max() > 10 or len(right) < 3 or len(loss) < 5:
        return None
    # with softmax twice, a sure answer costs ln(e + K - 1) - 1 if it is right, and 1 more if it is wrong
    counts = np.exp(losses - (1 - right) + 1) - math.e + 1
    classes = signs.classes or round(float(np.median(counts)))
    if not 2 <= classes <= 2000:
        return None
    floor = math.log(math.e + classes - 1) - 1
    # from the first epoch on the loss is what is wrong, and the floor; smoothed labels have a floor as well, but not this line
    along = float(np.abs(floor + (1 - accuracy.values) - loss.values).max())
    apart = float(np.abs(floor + (1 - right) - losses).max())
    known = signs.classes is not None or (classes >= 4 and np.ptp(counts) < 0.6)
    least = 0.97 if floor < 0.5 else 0.9 if signs.classes is None else 0.75 if floor < 1.3 else 0.5
    smoothed = case.recipe is not None and (case.recipe.loss or {}).get("label_smoothing", 0) > 0
    moved = float(np.ptp(accuracy.values)) > 0.1
    line = along < 0.15 and moved and apart < 0.06 and right[-1] >= least
    # or all is right, and the loss ends where that of ten classes ends, to the second place
    settled = apart < 0.02 and right[-1] > 0.97 and floor > 1.0 and loss.first < math.log(classes) + 0.1
    if not known or smoothed or not (line or settled):
        return None
    return TrainingFinding(
        name="softmax-twice", severity=ERROR,
        evidence=f"{right[-1]:.1%} are right, and still the loss is {losses[-1]:.3f}: with {classes} classes it cannot fall below {floor:.3f} where "
        "softmax is applied to the output of a softmax",
        suggestion="give the loss the outputs of the last layer as they are (logits); take the softmax out of the network",
    )  # fmt: skip


def accuracy_not_of_it(case: Case) -> TrainingFinding | None:
    """Find a loss that falls far, while the accuracy of the same examples stays at chance."""
    signs = case.signs
    loss, accuracy = signs.train_loss, signs.train
    if len(loss) < 4 or len(accuracy) < 4 or case.curves.measure != "accuracy" or case.curves.loss != "loss":
        return None
    low = signs.low
    if not (loss.end < 0.5 * loss.first and loss.first > 0.5 and accuracy.most < low and 0 <= loss.end < 1.0):
        return None
    return TrainingFinding(
        name="accuracy-measured-wrongly", severity=ERROR,
        evidence=f"the training loss fell from {loss.first:.3f} to {loss.last:.3f}, at which most answers are right, but the training accuracy is "
        f"{accuracy.last:.1%}",
        suggestion="look at how the accuracy is counted: answers and labels of the same batch, argmax over the right axis, the same order",
    )  # fmt: skip


def sure_and_wrong(case: Case) -> TrainingFinding | None:
    """Find a loss that is the logarithm of the smallest number a program allows, times the share of wrong answers."""
    loss = case.signs.train_loss
    accuracy = case.signs.train if len(case.signs.train) else case.signs.validation
    if len(loss) < SHORT or len(accuracy) != len(loss) or case.curves.measure != "accuracy" or accuracy.end > 0.98:
        return None
    costs = loss.values[1:] / np.maximum(1 - accuracy.values[1:], 1e-9)
    smallest = next((clip for clip in _CLIPS if np.abs(costs + math.log(clip)).max() < 0.01 * -math.log(clip)), None)
    if smallest is None:
        return None
    return TrainingFinding(
        name="sure-and-wrong", severity=ERROR,
        evidence=f"the training loss is {-math.log(smallest):.2f} times the share of wrong answers, from {loss.values[1]:.3f} at {accuracy.values[1]:.1%} right to "
        f"{loss.last:.3f} at {accuracy.last:.1%}: every wrong answer has the probability {smallest:.2g} that the program allows at least, so all outputs are "
        "saturated at 0 or 1, where no gradient passes",
        suggestion="let the last layer fit the loss (one output a class with softmax, or a sigmoid for two); scale the inputs; take a tenth of the "
        "learning rate",
    )  # fmt: skip
