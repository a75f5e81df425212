"""Problems in the data: unscaled or identical inputs, wrong labels, a validation set unlike the training set."""

from __future__ import annotations

import numpy as np

from plainnet.checks.trainings.case import Case
from plainnet.checks.trainings.finding import ERROR, WARNING, TrainingFinding


def _prepared(case: Case) -> bool:
    """Return whether the network begins with a layer that scales its inputs."""
    return case.recipe is not None and case.recipe.layers[0].get("type") == "Standardize"


def inputs_not_scaled(case: Case) -> TrainingFinding | None:
    """Find inputs that are numbers far above 1."""
    data = case.fingerprint
    if data is None or data["pixels"] == "bytes" or data["largest"] <= 10 or _prepared(case) or _far(case):
        return None
    return TrainingFinding(
        name="inputs-not-scaled", severity=ERROR,
        evidence=f"the pixels are numbers up to {data['largest']:g}; weights are initialized for inputs of about 1, so the "
        f"gradients are {data['largest']:g} times too large",
        suggestion="divide the images by 255, or give them as bytes (uint8), which plainnet scales itself",
    )  # fmt: skip


def _far(case: Case) -> bool:
    seen = case.examples
    return seen is not None and abs(seen.mean) > 3 * max(seen.deviation, 1e-3) and abs(seen.mean) > 2


def inputs_far_from_zero(case: Case) -> TrainingFinding | None:
    """Find inputs with a mean many standard deviations away from 0."""
    seen = case.examples
    if seen is None or _prepared(case) or not _far(case):
        return None
    return TrainingFinding(
        name="inputs-far-from-zero", severity=ERROR,
        evidence=f"the inputs have a mean of {seen.mean:.3g} and a standard deviation of only {seen.deviation:.2g}: their common offset dominates the first layer",
        suggestion="subtract the mean of the training inputs and divide by their standard deviation; a first layer Standardize does both",
    )  # fmt: skip


def inputs_alike(case: Case) -> TrainingFinding | None:
    """Find inputs that are all the same."""
    seen = case.examples
    if seen is None or seen.varying > 1e-6 * max(1.0, abs(seen.mean)):
        return None
    return TrainingFinding(
        name="inputs-alike", severity=ERROR,
        evidence="all training inputs are the same: nothing in them distinguishes the classes",
        suggestion="look at a few training examples as they reach the network; some step of their preparation makes them all alike",
    )  # fmt: skip


def one_class(case: Case) -> TrainingFinding | None:
    """Find labels that are nearly all of one class."""
    if case.fingerprint is None:
        return None
    counts = case.fingerprint["class_counts"]
    share = max(counts) / sum(counts)
    if share < 0.9 or len(counts) < 2:
        return None
    return TrainingFinding(
        name="one-class", severity=ERROR,
        evidence=f"{share:.1%} of the training labels are class {counts.index(max(counts))}; a network that always "
        "gives this answer is nearly always right, and learns nothing else",
        suggestion="check how the training images were chosen, and check the labels",
    )  # fmt: skip


def class_missing(case: Case) -> TrainingFinding | None:
    """Find classes that are in the validation set but not in the training set."""
    seen = case.examples
    if seen is None or not seen.counts or min(seen.counts) > 0:
        return None
    missing = [name for name, count in zip(case.data.train.class_names, seen.counts, strict=True) if count == 0]
    validated = np.isin(case.data.validation.targets, np.flatnonzero(np.array(seen.counts) == 0)).mean()
    if validated < 0.01:
        return None
    return TrainingFinding(
        name="class-missing", severity=ERROR,
        evidence=f"no training example is of class {', '.join(missing[:5])}{', ...' * (len(missing) > 5)}, but {validated:.0%} of the validation examples are",
        suggestion="check how the training examples were chosen; shuffle the examples before you split them",
    )  # fmt: skip


def labels_off_by_one(case: Case) -> TrainingFinding | None:
    """Find test labels that start at a different number from the training labels."""
    confusion = np.array(case.metrics["confusion_matrix"]) if case.metrics else np.zeros((0, 0))
    total = confusion.sum()
    if total == 0 or np.trace(confusion) / total > 0.3:
        return None
    shifts = {shift: np.trace(np.roll(confusion, -shift, axis=1)) / total for shift in (1, -1)}
    shift = max(shifts, key=shifts.__getitem__)
    if shifts[shift] < 0.4:
        return None
    return TrainingFinding(
        name="labels-off-by-one", severity=ERROR,
        evidence=f"on the test images {np.trace(confusion) / total:.1%} of the answers are right, but {shifts[shift]:.1%} are "
        f"{'one class too high' if shift == 1 else 'one class too low'}",
        suggestion="compare the labels of a few training images with the images; labels and images are shifted by one place",
    )  # fmt: skip


def labels_do_not_fit(case: Case) -> TrainingFinding | None:
    """Find labels that do not belong to their images."""
    seen = case.examples
    right = case.signs.validation if len(case.signs.validation) else case.signs.train
    if (
        seen is None
        or seen.labels is None
        or not seen.labels.none
        or (len(right) and not case.signs.at_chance(right.end))
    ):
        return None
    return TrainingFinding(
        name="labels-shuffled", severity=ERROR,
        evidence=f"of {seen.labels.count} training images {seen.labels.share:.0%} have the label of the image most like them, no more than "
        f"random labels would give ({seen.labels.chance:.0%}): the labels do not belong to the images",
        suggestion="look at a few training images beside their labels; if you shuffle images, shuffle the labels with them",
    )  # fmt: skip


def validation_labels(case: Case) -> TrainingFinding | None:
    """Find validation labels that do not belong to their images."""
    seen = case.examples
    if seen is None or seen.labels is None or seen.validation_labels is None or seen.labels.none:
        return None
    theirs = seen.validation_labels
    if not theirs.none or seen.labels.share < 2 * theirs.share or abs(seen.offset) > 1 or not 0.5 < seen.scale < 2:
        return None
    shifted = f"; with the labels shifted by one class it would be {theirs.shifted:.0%}" if theirs.shifted > 0.3 else ""
    return TrainingFinding(
        name="validation-labels-wrong", severity=ERROR,
        evidence=f"{seen.labels.share:.0%} of the training images have the label of the training image most like them, but {theirs.share:.0%} of the "
        f"validation images{shifted}",
        suggestion="look at a few validation images beside their labels",
    )  # fmt: skip


def validation_differs(case: Case) -> TrainingFinding | None:
    """Find a validation set that was scaled differently from the training set."""
    seen = case.examples
    if seen is None or seen.validation < 5 or (abs(seen.offset) < 1.0 and 0.4 < seen.scale < 2.5):
        return None
    return TrainingFinding(
        name="validation-prepared-differently", severity=ERROR,
        evidence=f"the validation inputs have {seen.scale:.3g} times the standard deviation of the training "
        f"inputs, and their mean is {seen.offset:.3g} standard deviations away: they were scaled differently",
        suggestion="scale both in one place, with the mean and standard deviation of the training inputs",
    )  # fmt: skip


def validation_small(case: Case) -> TrainingFinding | None:
    """Find a validation set of few examples."""
    seen, accuracy = case.examples, case.signs.validation
    if seen is None or len(accuracy) < 3 or not 0 < seen.validation < 30:
        return None
    return TrainingFinding(
        name="validation-too-small", severity=WARNING,
        evidence=f"there are only {seen.validation} validation examples: each counts {1 / seen.validation:.1%}, and chance alone moves the accuracy by "
        f"{(0.25 / seen.validation) ** 0.5:.0%}",
        suggestion="validate with a few hundred examples, or use cross-validation",
    )  # fmt: skip


def labels_noisy(case: Case) -> TrainingFinding | None:
    """Find labels that differ even between the images that are most like each other."""
    seen = case.examples.labels if case.examples else None
    right = case.signs.validation
    if seen is None or seen.none or seen.closest > 0.9 or (len(right) and right.most > 0.95):
        return None
    uncertain = 2 * (seen.share * (1 - seen.share) / (seen.count / 5)) ** 0.5
    if seen.closest > 1.05 * seen.share + uncertain:
        return None  # nearer neighbors agree more often: the images are hard, and the labels are not wrong
    return TrainingFinding(
        name="labels-noisy", severity=WARNING,
        evidence=f"of the training images with a very similar neighbor, {1 - seen.closest:.0%} have a different label than that neighbor",
        suggestion="look at the labels of a few training images; some of them are wrong",
    )  # fmt: skip
