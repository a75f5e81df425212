"""Causes that can be seen themselves: in the data, in the weights, in the first steps, in the answers."""

from __future__ import annotations

import numpy as np

from plainnet.checks.trainings.case import Case
from plainnet.checks.trainings.finding import (
    ERROR,
    WARNING,
    TrainingFinding,
    in_trouble,
    scaled_rate,
    too_high,
    trouble,
)


def _inputs_not_scaled(case: Case) -> TrainingFinding | None:
    data = case.fingerprint
    if data is None or data["pixels"] == "bytes" or data["largest"] <= 10:
        return None
    if case.recipe is not None and case.recipe.layers[0].get("type") == "Standardize":
        return None
    return TrainingFinding(
        name="inputs-not-scaled",
        severity=ERROR,
        evidence=f"the pixels are numbers up to {data['largest']:g}; weights are initialized for inputs of about 1, and so the "
        f"gradients are {data['largest']:g} times too large",
        suggestion="divide the images by 255, or give them as bytes (uint8), which are scaled for you",
    )


def _one_class(case: Case) -> TrainingFinding | None:
    if case.fingerprint is None:
        return None
    counts = case.fingerprint["class_counts"]
    share = max(counts) / sum(counts)
    if share < 0.9 or len(counts) < 2:
        return None
    return TrainingFinding(
        name="one-class",
        severity=ERROR,
        evidence=f"{share:.1%} of the training labels are class {counts.index(max(counts))}; a network that always says so is "
        "right, and learns nothing else",
        suggestion="look at how the training images were chosen, and at the labels",
    )


def _equal_weights(case: Case) -> TrainingFinding | None:
    if case.inside is None or not (case.inside.zero or case.inside.equal):
        return None
    if case.inside.zero:
        name, how = "all-zero-initialization", f"the weights {', '.join(case.inside.zero)} are all zero"
    else:
        name, how = "constant-initialization", f"all units of {', '.join(case.inside.equal)} have the same weights"
    return TrainingFinding(
        name=name,
        severity=ERROR,
        evidence=f"{how}; units that begin alike get the same gradient and stay alike, as one unit would",
        suggestion="initialize weights at random, by He's rule for ReLU (the default of Dense and Conv2D); only biases begin at 0",
    )


def _summed_gradient(case: Case) -> TrainingFinding | None:
    if case.steps is None or case.steps.doubled < 1.9:
        return None
    return TrainingFinding(
        name="summed-gradient",
        severity=ERROR,
        evidence=f"a batch of twice the size has a gradient {case.steps.doubled:.2f} times as long: the loss is summed, not "
        f"averaged. An update is {case.steps.ratio:.1%} of the length of the weights (0.1 % is usual), and clipping "
        f"takes away {case.steps.clipped:.0%} of the gradient",
        suggestion="divide the gradient by the number of examples in the batch",
        change={"loss.reduction": "mean"},
    )


def _saturated(case: Case) -> TrainingFinding | None:
    shares = case.inside.saturated if case.inside else {}
    worst = max(shares, key=shares.__getitem__, default=None)
    if worst is None or shares[worst] < 0.6:
        return None
    return TrainingFinding(
        name="saturated-activations",
        severity=ERROR,
        evidence=f"{shares[worst]:.0%} of the outputs of {worst} are within 1 % of its ends, where its slope is almost 0 and no "
        "gradient passes",
        suggestion="begin with smaller weights, scale the inputs, or use ReLU",
    )


def _learning_rate_too_high(case: Case) -> TrainingFinding | None:
    if case.steps is None or not in_trouble(case) or case.steps.ratio < 0.1:
        return None
    ratio = case.steps.ratio
    length = f"{ratio:.0%} of the length" if ratio < 10 else "more than ten times the length"
    return too_high(case, f"each of the first updates is {length} of all weights; {trouble(case)}")


def _dead_units(case: Case) -> TrainingFinding | None:
    shares = case.inside.dead if case.inside else {}
    worst = max(shares, key=shares.__getitem__, default=None)
    if worst is None or shares[worst] < 0.5:
        return None
    return TrainingFinding(
        name="dead-units",
        severity=ERROR,
        evidence=f"{shares[worst]:.0%} of the units of {worst} are 0 for every image: no gradient reaches them any more",
        suggestion="look at the biases, which must not begin far below 0, and try a tenth of the learning rate",
        change=scaled_rate(case, 0.1),
    )


def _labels_off_by_one(case: Case) -> TrainingFinding | None:
    confusion = np.array(case.metrics["confusion_matrix"]) if case.metrics else np.zeros((0, 0))
    total = confusion.sum()
    if total == 0 or np.trace(confusion) / total > 0.3:
        return None
    shifts = {shift: np.trace(np.roll(confusion, -shift, axis=1)) / total for shift in (1, -1)}
    shift = max(shifts, key=shifts.__getitem__)
    if shifts[shift] < 0.5:
        return None
    return TrainingFinding(
        name="labels-off-by-one",
        severity=ERROR,
        evidence=f"on the test images {np.trace(confusion) / total:.1%} of the answers are right, but {shifts[shift]:.1%} are "
        f"{'one too high' if shift == 1 else 'one too low'}",
        suggestion="compare the labels of a few training images with the pictures; one of the two files begins a place early",
    )


def _not_shuffled(case: Case) -> TrainingFinding | None:
    if not case.metrics or case.recipe is None or len(case.curves.train_accuracy) < 2:
        return None
    while_learning, afterwards = case.curves.train_accuracy[-1], case.metrics["train_accuracy"]
    if not (while_learning - afterwards > 0.15 or (afterwards - while_learning > 0.15 and not case.made_harder_by)):
        return None
    return TrainingFinding(
        name="not-shuffled",
        severity=ERROR,
        evidence=f"while learning, {while_learning:.1%} of the last epoch's images were recognized, and {afterwards:.1%} of the "
        "same images when it was over: what is learned from some is forgotten over the next",
        suggestion="visit the images in a new random order in every epoch",
    )


def _clipping(case: Case) -> TrainingFinding | None:
    if case.steps is None or case.steps.clipped < 0.3 or case.recipe is None:
        return None
    return TrainingFinding(
        name="clipping-active",
        severity=WARNING,
        evidence=f"clipping to {case.recipe.optimizer['clip']:g} takes away {case.steps.clipped:.0%} of the gradient's length "
        "in the first steps: what is followed is hardly the gradient any more",
        suggestion="clip far above the usual gradient, so that only accidents are clipped",
        change={"optimizer.clip": 5.0},
    )


RULES = (
    _inputs_not_scaled, _one_class, _equal_weights, _summed_gradient, _learning_rate_too_high, _saturated,
    _labels_off_by_one, _not_shuffled, _dead_units, _clipping,
)  # fmt: skip
