"""Losses that are written down wrongly: sums that are never reset, zeros, sums in place of means."""

from __future__ import annotations

import numpy as np

from plainnet.checks.trainings.case import Case
from plainnet.checks.trainings.finding import NOTE, WARNING, TrainingFinding
from plainnet.checks.trainings.signs import SHORT


def running_sum(case: Case) -> TrainingFinding | None:
    """Find a loss that grows by nearly the same amount in every epoch, like a sum that is never reset."""
    loss = case.signs.train_loss
    steps = np.diff(loss.values)
    if len(steps) < 3 or steps.min() <= 0 or loss.first <= 0 or loss.last < 2.5 * loss.first:
        return None
    if np.abs(steps / steps.mean() - 1).max() > (0.6 if len(steps) > 3 else 0.1):
        return None
    return TrainingFinding(
        name="running-sum", severity=WARNING,
        evidence=f"the training loss grows by about {steps.mean():.3g} in every {case.signs.unit}, from {loss.first:.4g} to {loss.last:.4g}: it seems to be the sum "
        f"over all {case.signs.unit}s so far",
        suggestion="set the sum to zero at the beginning of each epoch, and divide it by the number of batches",
    )  # fmt: skip


def zero(case: Case) -> TrainingFinding | None:
    """Find a loss that suddenly is exactly 0."""
    loss = case.signs.train_loss
    last = int((loss.values[::-1] != 0).argmax()) if len(loss) and loss.most > 0 else 0
    if last < 3 or len(loss) - last < 1 or loss.values[-last - 1] < 0.05 * loss.most:
        return None
    return TrainingFinding(
        name="loss-zero", severity=WARNING,
        evidence=f"the training loss falls from {loss.values[-last - 1]:.3g} to exactly 0 in {case.signs.epoch(loss.epoch_of(len(loss) - last))} and stays there: a "
        "cross-entropy never does that",
        suggestion="look for numbers that are not finite and are skipped (half precision), and for batches without targets",
    )  # fmt: skip


def out_of_scale(case: Case) -> TrainingFinding | None:
    """Find a loss that is far too high for its accuracy."""
    signs = case.signs
    loss, accuracy = signs.train_loss, signs.accuracy
    if len(loss) < SHORT or not len(accuracy) or case.curves.measure != "accuracy" or case.curves.loss != "loss":
        return None
    held_out = signs.validation_loss
    if (
        len(held_out)
        and held_out.least > 50 * loss.most > 0
        and held_out.end < 2 * held_out.first
        and accuracy.end > 0.2
    ):
        return TrainingFinding(
            name="loss-out-of-scale", severity=NOTE,
            evidence=f"the validation loss is {held_out.last:,.4g} and the training loss {loss.last:.3g}, although {accuracy.last:.1%} of the answers are right: the "
            "validation loss seems to be a sum over the batches",
            suggestion="divide the validation loss by the number of batches",
        )  # fmt: skip
    if len(accuracy) < SHORT or float(np.median(loss.values)) < 8 or accuracy.end < 0.15 or accuracy.end > 0.999:
        return None
    return TrainingFinding(
        name="loss-out-of-scale", severity=NOTE,
        evidence=f"{accuracy.last:.1%} of the answers are right, but the training loss is {loss.last:,.3g}: either it is a sum, or it is a mean of cross-entropies "
        "and the network is confidently wrong, with logits in the hundreds",
        suggestion="check whether the loss is summed over the batch or the epoch; if it is a mean, scale the inputs and use a smaller learning rate",
    )  # fmt: skip
