"""Contradictions: a loss and an accuracy that cannot both be what their names say."""

from __future__ import annotations

import math

import numpy as np

from plainnet.checks.trainings.case import Case
from plainnet.checks.trainings.finding import ERROR, NOTE, WARNING, TrainingFinding
from plainnet.checks.trainings.signs import SHORT

_CLIPS = (1e-7, 1.1920929e-7, 1e-8, 1e-6, 1e-12, 1e-15, 2.220446e-16)  # the smallest probability that programs allow


def floor(case: Case) -> TrainingFinding | None:
    """Find a loss that falls to ln(e + K - 1) - 1 and no further: softmax was applied twice."""
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
    # with softmax twice, the loss of a fully confident answer is ln(e + K - 1) - 1 if right, and 1 more if wrong
    counts = np.exp(losses - (1 - right) + 1) - math.e + 1
    middle = float(np.median(counts))
    classes = signs.classes or (round(middle) if math.isfinite(middle) else 0)
    if not 2 <= classes <= 2000:
        return None
    floor = math.log(math.e + classes - 1) - 1
    # from the first epoch on, the loss is the share of wrong answers plus the floor; smoothed labels have a floor too,
    # but do not follow this line
    along = float(np.abs(floor + (1 - accuracy.values) - loss.values).max())
    apart = float(np.abs(floor + (1 - right) - losses).max())
    known = signs.classes is not None or (classes >= 4 and np.ptp(counts) < 0.6)
    least = 0.97 if floor < 0.5 or len(loss) < 8 else 0.9 if signs.classes is None else 0.75 if floor < 1.3 else 0.5
    smoothed = case.recipe is not None and (case.recipe.loss or {}).get("label_smoothing", 0) > 0
    moved = float(np.ptp(accuracy.values)) > (0.03 if len(loss) >= 20 and along < 0.06 and floor > 0.8 else 0.1)
    line = along < 0.15 and moved and apart < 0.06 and right[-1] >= least
    # or all answers are right, and the loss ends at the floor, to the second place
    settled = apart < 0.02 and right[-1] > 0.97 and floor > 1.0 and loss.first < math.log(classes) + 0.1
    if not known or smoothed or not (line or settled):
        return None
    return TrainingFinding(
        name="softmax-twice", severity=ERROR,
        evidence=f"{right[-1]:.1%} of the answers are right, but the loss is still {losses[-1]:.3f}: with {classes} classes it cannot fall below {floor:.3f} if "
        "softmax is applied twice",
        suggestion="remove softmax from the network, and give the loss the logits: the outputs of the last layer as they are",
    )  # fmt: skip


def accuracy_not_of_it(case: Case) -> TrainingFinding | None:
    """Find a loss that falls far while the accuracy on the same examples stays at chance."""
    signs = case.signs
    loss, accuracy = signs.train_loss, signs.train
    if len(loss) < 4 or len(accuracy) < 4 or case.curves.measure != "accuracy" or case.curves.loss != "loss":
        return None
    if accuracy.least > 0.9999 and loss.first > max(0.1, 5 * loss.end):
        return TrainingFinding(
            name="accuracy-measured-wrongly", severity=NOTE,
            evidence=f"the training accuracy is {accuracy.first:.1%} from the first {signs.unit} on, although the loss was {loss.first:.3f} then and is {loss.last:.3g} now",
            suggestion="check what the accuracy counts: if all examples have one class or are left out, it says nothing",
        )  # fmt: skip
    of_values = max(accuracy.most, signs.validation.most if len(signs.validation) else 0.0) < 0.02
    if of_values and loss.first < 1.0 and loss.end < 0.6 * loss.first:
        return TrainingFinding(
            name="accuracy-measured-wrongly", severity=WARNING,
            evidence=f"the training loss fell from {loss.first:.3f} to {loss.last:.3f}, but the accuracy is {accuracy.last:.2%}: it seems to count predictions that equal "
            "their targets exactly, as if this were classification",
            suggestion="for a regression, measure the mean absolute error or R2",
        )  # fmt: skip
    far = loss.end < 0.5 * loss.first and loss.first > 0.5 and accuracy.most < signs.low and 0 <= loss.end < 1.0
    of_two = accuracy.least > 0.4 and accuracy.most < 0.6 and 0.5 < loss.first < 1.2 and 0 <= loss.end < 0.52
    if not far and not (of_two and loss.end < 0.75 * loss.first and len(loss) > 7):
        return None
    return TrainingFinding(
        name="accuracy-measured-wrongly", severity=ERROR,
        evidence=f"the training loss fell from {loss.first:.3f} to {loss.last:.3f}; with such a loss most answers are right, but the training accuracy is "
        f"{accuracy.last:.1%}",
        suggestion="check how the accuracy is counted: predictions and labels of the same batch, in the same order, argmax over the right axis",
    )  # fmt: skip


def sure_and_wrong(case: Case) -> TrainingFinding | None:
    """Find a loss that equals -log of the smallest allowed probability times the share of wrong answers."""
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
        f"{loss.last:.3f} at {accuracy.last:.1%}: every wrong answer gives the true class the probability {smallest:.2g}, the smallest that the program allows. All outputs are "
        "saturated at 0 or 1, where the gradient is 0",
        suggestion="use a last layer that fits the loss (one output per class with softmax, or a sigmoid for two classes); scale the inputs; divide "
        "the learning rate by 10",
    )  # fmt: skip
