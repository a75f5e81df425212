"""Problems in the steps and the recipe: updates that are too large, too small, summed, clipped or too few; decay, dropout, order."""

from __future__ import annotations

import math

import numpy as np

from plainnet.checks.trainings.case import Case
from plainnet.checks.trainings.finding import ERROR, WARNING, TrainingFinding, in_trouble, scaled_rate, trouble

_USUAL = 0.005  # norm of an update that learns quickly, relative to the norm of the weights


def summed_gradient(case: Case) -> TrainingFinding | None:
    """Find a loss that is summed over the batch."""
    if case.steps is None or case.steps.doubled < 1.9:
        return None
    return TrainingFinding(
        name="summed-gradient", severity=ERROR,
        evidence=f"if every example of a batch appears twice, the norm of the gradient is {case.steps.doubled:.2f} times as large: the loss is summed, not "
        f"averaged. An update is {case.steps.ratio:.1%} of the norm of the weights (0.1 % is usual), and clipping "
        f"removes {case.steps.clipped:.0%} of the gradient",
        suggestion="divide the gradient by the number of examples in the batch",
        change={"loss.reduction": "mean"},
    )  # fmt: skip


def learning_rate_too_high(case: Case) -> TrainingFinding | None:
    """Find updates that are large relative to the weights."""
    if case.steps is None or not in_trouble(case) or case.steps.ratio < 0.1:
        return None
    ratio = case.steps.ratio
    length = f"{ratio:.0%} of the norm" if ratio < 10 else "more than ten times the norm"
    factor = 10.0 ** min(-1, round(math.log10(_USUAL / min(ratio, 1e30))))
    return TrainingFinding(
        name="learning-rate-too-high",
        severity=ERROR,
        evidence=f"each of the first updates is {length} of all weights; {trouble(case)}",
        suggestion=f"divide the learning rate by {1 / factor:g}",
        change=scaled_rate(case, factor),
    )


def momentum(case: Case) -> TrainingFinding | None:
    """Find a momentum that is too high: it averages over too many gradients."""
    momentum = case.recipe.optimizer.get("momentum", 0.0) if case.recipe else 0.0
    if momentum < 0.99 or not in_trouble(case):
        return None
    return TrainingFinding(
        name="momentum-too-high", severity=ERROR,
        evidence=f"with a momentum of {momentum:g} an update adds up about {1 / (1 - momentum):,.0f} gradients, and can grow to that many times the size of one; "
        f"{trouble(case)}",
        suggestion="use a momentum of 0.9",
        change={"optimizer.momentum": 0.9},
    )  # fmt: skip


def weight_decay(case: Case) -> TrainingFinding | None:
    """Find weights that weight decay has shrunk."""
    decay = case.recipe.optimizer.get("weight_decay", 0.0) if case.recipe else 0.0
    growth = case.inside.growth if case.inside else {}
    right = case.signs.train
    if decay < 0.01 or not growth or (len(right) and right.end > 0.97):
        return None
    middle = sorted(growth.values())[len(growth) // 2]
    if middle > 0.75:
        return None
    return TrainingFinding(
        name="weight-decay-too-strong", severity=ERROR if middle < 0.3 else WARNING,
        evidence=f"with a weight decay of {decay:g} the weights have shrunk to {middle:.0%} of their initial norm; {trouble(case)}",
        suggestion="use a weight decay of 0.0001",
        change={"optimizer.weight_decay": 1e-4},
    )  # fmt: skip


def clipping(case: Case) -> TrainingFinding | None:
    """Find clipping that removes much of the gradient."""
    if (
        case.steps is None
        or case.steps.clipped < 0.3
        or case.recipe is None
        or case.recipe.optimizer.get("clip") is None
    ):
        return None
    return TrainingFinding(
        name="clipping-active", severity=WARNING,
        evidence=f"clipping to {case.recipe.optimizer['clip']:g} removes {case.steps.clipped:.0%} of the gradient's norm "
        "in the first steps: the steps hardly follow the gradient any more",
        suggestion="clip far above the usual norm of the gradient, so that only outliers are clipped",
        change={"optimizer.clip": max(5.0, 10.0 * case.recipe.optimizer["clip"])},
    )  # fmt: skip


def vanishing(case: Case) -> TrainingFinding | None:
    """Find a gradient that does not reach the first layer."""
    if case.steps is None or case.steps.vanishing > 2e-3 or not in_trouble(case):
        return None
    kinds = [layer["type"] for layer in case.recipe.layers] if case.recipe else []
    through = f", through {kinds.count('Sigmoid')} sigmoid layers" if "Sigmoid" in kinds else ""
    return TrainingFinding(
        name="vanishing-gradients", severity=ERROR,
        evidence=f"the gradient of the first layer, relative to its weights, is {case.steps.vanishing:.1g} times that of the last layer{through}; {trouble(case)}",
        suggestion="use ReLU instead of sigmoid, or batch normalization before it, or fewer layers",
    )  # fmt: skip


def few_updates(case: Case) -> TrainingFinding | None:
    """Find batches so large that there are few updates."""
    accuracy = case.signs.train
    if (
        case.steps is None
        or case.recipe is None
        or case.steps.updates > 150
        or not len(accuracy)
        or accuracy.end > 0.95
    ):
        return None
    if case.recipe.batch_size < len(case.data.train) / 13:
        return None
    return TrainingFinding(
        name="too-few-updates", severity=WARNING,
        evidence=f"{len(case.data.train):,} examples in batches of {case.recipe.batch_size:,} give only {case.steps.updates:,} updates; {trouble(case)}",
        suggestion="use smaller batches, which give more updates from the same examples, or more epochs",
        change={"batch_size": 32},
    )  # fmt: skip


def rate_too_low(case: Case) -> TrainingFinding | None:
    """Find updates that are far too small."""
    loss, accuracy = case.signs.train_loss, case.signs.accuracy
    if (
        case.steps is None
        or case.steps.ratio > 2e-4
        or case.steps.clipped > 0.3
        or len(loss) < 2
        or (len(accuracy) and accuracy.end > 0.85)
    ):
        return None
    if loss.end < 0.5 * loss.first:
        return None
    return TrainingFinding(
        name="learning-rate-too-low", severity=ERROR,
        evidence=f"in {case.curves.epochs} epochs the training loss only went from {loss.first:.3f} to {loss.last:.3f}; an update is "
        f"{case.steps.ratio:.4%} of the norm of the weights (0.1 % is usual)",
        suggestion="multiply the learning rate by 10 or 100",
        change=scaled_rate(case, 100.0),
    )  # fmt: skip


def not_shuffled(case: Case) -> TrainingFinding | None:
    """Find sorted examples: each batch holds one class, so accuracy during the epoch differs from accuracy after it."""
    curve = case.signs.train
    if case.recipe is None or len(curve) < 2 or case.signs.classes is None:
        return None
    late = float(np.median(curve.values[1:]))
    chance = 1 / case.signs.classes
    if late < 0.4 / case.signs.classes and len(curve) >= 3:
        evidence = f"during training the accuracy was {late:.1%}, below chance: each batch is unlike the one before it"
    elif case.metrics:
        while_learning, afterwards = curve.last, case.metrics["train_accuracy"]
        odd = curve.first < 0.4 / case.signs.classes or curve.first > curve.values[1] + 0.1  # in the first epoch
        worse, better = (0.06 if odd else 0.1) if in_trouble(case) else 0.15, 0.1 if odd else 0.15
        if late < 1.6 * chance and curve.end < 1.8 * chance and afterwards > 1.8 * curve.end:
            better = 0.0  # the network learns each batch, but the next batch holds a class that it does not know
        if not (
            while_learning - afterwards > worse or (afterwards - while_learning > better and not case.made_harder_by)
        ):
            return None
        evidence = (
            f"the accuracy was {while_learning:.1%} during the last epoch, and {afterwards:.1%} on the same images after it: "
            "the network forgets each batch while it learns the next ones"
        )
    else:
        return None
    return TrainingFinding(
        name="not-shuffled", severity=ERROR, evidence=evidence,
        suggestion="visit the images in a new random order in every epoch",
    )  # fmt: skip


def too_much_dropout(case: Case) -> TrainingFinding | None:
    """Find dropout that drops too much."""
    layers = case.recipe.layers if case.recipe else ()
    rate = max((layer["rate"] for layer in layers if layer["type"] == "Dropout"), default=0.0)
    if rate < 0.8 or not _learns_little(case):
        return None
    return TrainingFinding(
        name="too-much-dropout", severity=WARNING,
        evidence=f"during training, dropout keeps only {1 - rate:.0%} of a layer's outputs; with it the training accuracy is {case.signs.train.last:.1%}",
        suggestion="use a dropout rate of 0.2 to 0.5",
        change={f"layers.{place}.rate": 0.3 for place, layer in enumerate(layers) if layer["type"] == "Dropout"},
    )  # fmt: skip


def too_much_noise(case: Case) -> TrainingFinding | None:
    """Find noise that is larger than the differences between inputs."""
    layers = case.recipe.layers if case.recipe else ()
    deviation = max((layer["deviation"] for layer in layers if layer["type"] == "GaussianNoise"), default=0.0)
    seen = case.examples
    if seen is None or deviation < 1.5 * max(seen.deviation, 0.1) or not _learns_little(case):
        return None
    return TrainingFinding(
        name="too-much-noise", severity=WARNING,
        evidence=f"noise of standard deviation {deviation:g} is added to inputs of standard deviation {seen.deviation:.2g}; with it the training "
        f"accuracy is {case.signs.train.last:.1%}",
        suggestion="use noise with a standard deviation well below that of the inputs",
        change={f"layers.{place}.deviation": 0.1 for place, layer in enumerate(layers) if layer["type"] == "GaussianNoise"},
    )  # fmt: skip


def _learns_little(case: Case) -> bool:
    accuracy = case.signs.train
    return len(accuracy) > 0 and accuracy.end < 0.8


def uphill(case: Case) -> TrainingFinding | None:
    """Find a loss that rises from the first epoch on although the updates are small: they go in the wrong direction."""
    loss, accuracy = case.signs.train_loss, case.signs.train
    if case.steps is None or case.steps.ratio > 0.03:
        return None
    rises = len(loss) >= 2 and loss.end > 1.02 * loss.first and loss.share_falling() < 0.3 and loss.first > 0.5
    at_once = bool(case.diverged) and len(loss) < 3 and not (len(loss) == 2 and loss.last < loss.first)
    if not (rises or at_once) or (len(accuracy) and accuracy.end > 0.5):
        return None
    how = (
        f"the training loss rises, from {loss.first:.3f} to {loss.last:.3f}"
        if rises
        else (case.diverged or "").partition(":")[0]
    )
    return TrainingFinding(
        name="gradient-sign", severity=ERROR,
        evidence=f"{how}, although each of the first updates is only {case.steps.ratio:.2%} of the norm of the weights: small steps against the "
        "gradient lower the loss, but these raise it",
        suggestion="make sure that the update subtracts the gradient, and that it is the gradient of this loss",
    )  # fmt: skip
