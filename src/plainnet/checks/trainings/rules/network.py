"""Problems inside the trained network: weights that are all equal or never moved, units that are dead, saturated or too few."""

from __future__ import annotations

import math

import numpy as np

from plainnet.checks.trainings.case import Case
from plainnet.checks.trainings.finding import ERROR, WARNING, TrainingFinding, in_trouble, trouble


def equal_weights(case: Case) -> TrainingFinding | None:
    """Find weights that are all zero, or the same for every unit."""
    if case.inside is None or not (case.inside.zero or case.inside.equal):
        return None
    if case.inside.zero:
        name, how = "all-zero-initialization", f"the weights {', '.join(case.inside.zero)} are all zero"
    else:
        name, how = "constant-initialization", f"all units of {', '.join(case.inside.equal)} have the same weights"
    return TrainingFinding(
        name=name, severity=ERROR,
        evidence=f"{how}; units that start equal get equal gradients and stay equal, so a layer is no better than one unit",
        suggestion="initialize weights at random, with He initialization for ReLU (the default of Dense and Conv2D); "
        "only biases may start at 0",
    )  # fmt: skip


def nothing_moved(case: Case) -> TrainingFinding | None:
    """Find weights that no update has changed."""
    if case.inside is None or not case.inside.moved < 1e-7 or case.curves.epochs < 1:
        return None
    return TrainingFinding(
        name="nothing-updated", severity=ERROR,
        evidence=f"after {case.curves.epochs} epochs all weights still have their initial values: no update has changed them",
        suggestion="check whether the optimizer has the network's parameters, and whether its step is called",
    )  # fmt: skip


def last_layer_cut(case: Case) -> TrainingFinding | None:
    """Find a ReLU after the last layer: no logit can be negative, and no gradient passes where it gives 0."""
    kinds = [layer["type"] for layer in case.recipe.layers] if case.recipe else []
    if not kinds or kinds[-1] not in ("ReLU", "Sigmoid", "Tanh"):
        return None
    loss = "" if case.recipe is None or case.recipe.loss is None else case.recipe.loss.get("type", "")
    if loss in ("MeanSquaredError", "Huber"):
        return None
    return TrainingFinding(
        name="relu-before-loss" if kinds[-1] == "ReLU" else "activation-before-loss", severity=ERROR,
        evidence=f"the last layer is {kinds[-1]}: the loss takes logits, which may have any value, and no gradient passes where {kinds[-1]} cuts them off",
        suggestion="make Dense the last layer; softmax is part of the loss",
    )  # fmt: skip


def weights_began(case: Case) -> TrainingFinding | None:
    """Find weights that must have been far too large or too small from the start: the updates cannot have made them so."""
    if case.inside is None or not case.inside.growth or case.steps is None:
        return None
    loss, classes = case.signs.train_loss, case.signs.classes
    began_high = len(loss) > 0 and classes is not None and loss.first > 2 * math.log(classes)
    if not in_trouble(case) and not began_high:
        return None
    middle = float(np.median(list(case.inside.growth.values())))
    if (
        case.steps.ratio > 0.05
        or 0.1 < middle < 5
        or (case.inside.saturated and max(case.inside.saturated.values()) > 0.6)
    ):
        return None
    decayed = case.recipe is not None and case.recipe.optimizer.get("weight_decay", 0) > 0.01
    if middle <= 0.1 and decayed:
        return None
    small = middle <= 0.1
    return TrainingFinding(
        name="weights-begin-too-small" if small else "weights-begin-too-large",
        severity=ERROR if in_trouble(case) else WARNING,
        evidence=f"the norm of the weights is {middle:.2g} times what He initialization gives, and updates "
        f"of {case.steps.ratio:.2%} cannot have caused that: {'the signal fades from layer to layer' if small else 'the first outputs were far too large'}",
        suggestion="use He initialization for the weights (the default of Dense and Conv2D)",
    )  # fmt: skip


def saturated(case: Case) -> TrainingFinding | None:
    """Find sigmoid and tanh layers with nearly all outputs at their limits."""
    shares = case.inside.saturated if case.inside else {}
    worst = max(shares, key=shares.__getitem__, default=None)
    if worst is None or shares[worst] < 0.6 or (case.signs.near_zero and not in_trouble(case)):
        return None
    return TrainingFinding(
        name="saturated-activations", severity=ERROR,
        evidence=f"{shares[worst]:.0%} of the outputs of {worst} are within 1 % of its limits, where its slope is almost 0 and hardly any "
        "gradient passes",
        suggestion="start with smaller weights, scale the inputs, or use ReLU",
    )  # fmt: skip


def dead_units(case: Case) -> TrainingFinding | None:
    """Find ReLU units that are 0 for every image."""
    shares = case.inside.dead if case.inside else {}
    worst = max(shares, key=shares.__getitem__, default=None)
    if worst is None or shares[worst] < 0.5 or not in_trouble(case):
        return None
    return TrainingFinding(
        name="dead-units", severity=ERROR,
        evidence=f"{shares[worst]:.0%} of the units of {worst} are 0 for every image: no gradient reaches them any more",
        suggestion="check that the biases do not start far below 0, and try the learning rate divided by 10",
    )  # fmt: skip


def batch_statistics(case: Case) -> TrainingFinding | None:
    """Find running averages of batch normalization that do not fit the data, or batches too small to normalize."""
    if case.inside is None or case.inside.evaluated is None:
        return None
    running, own = case.inside.evaluated
    if case.recipe is not None and case.recipe.batch_size <= 4 and own - running < 0.1 and in_trouble(case):
        return TrainingFinding(
            name="batch-statistics", severity=ERROR,
            evidence=f"batch normalization computes its statistics from batches of {case.recipe.batch_size}: the output for an example depends on the few others in its batch; "
            f"{trouble(case)}",
            suggestion="use batches of at least 16 examples",
            change={"batch_size": 32},
        )  # fmt: skip
    if own - running < 0.1:
        return None
    return TrainingFinding(
        name="batch-statistics", severity=ERROR,
        evidence=f"on a sample of training images the network is right for {own:.0%} with the statistics of the batch, but for {running:.0%} with the running "
        "averages of batch normalization, which evaluation uses",
        suggestion="let the running averages follow faster (a smaller momentum of BatchNorm) or train longer; use larger batches",
    )  # fmt: skip


def narrow(case: Case) -> TrainingFinding | None:
    """Find a layer so narrow that the layers after it cannot distinguish the classes."""
    if case.recipe is None or case.network is None or not case.curves.epochs:
        return None
    widths = [
        (f"{layer['type']} (layer {place})", layer.get("units", layer.get("filters", 0)))
        for place, layer in enumerate(case.recipe.layers[:-1])
        if layer["type"] in ("Dense", "Conv2D")
    ]
    accuracy = case.signs.train
    classes = case.network.out_shapes[-1][0]
    if not widths or len(accuracy) < 3 or accuracy.end > 0.9 or classes < 4:
        return None
    name, least = min(widths, key=lambda pair: pair[1])
    if least > (2 if name.startswith("Conv2D") else max(2, classes // 3)):
        return None
    wide = [width for other, width in widths if other != name and width > 3 * least]
    if not wide and len({width for _, width in widths}) == 1:
        return _few(case, least)
    return TrainingFinding(
        name="bottleneck", severity=WARNING,
        evidence=f"{name} has {least} unit{'s' * (least > 1)}, and the layers after it see an image only through {'these' if least > 1 else 'this one number'}; "
        f"the training accuracy is {accuracy.last:.1%}",
        suggestion=f"give this layer at least {classes} units, one for each class",
        change={f"layers.{name.split('layer ')[1].rstrip(')')}.{'units' if 'Dense' in name else 'filters'}": max(32, classes)},
    )  # fmt: skip


def _few(case: Case, least: int) -> TrainingFinding:
    assert case.recipe is not None
    changed = {
        f"layers.{place}.{'units' if layer['type'] == 'Dense' else 'filters'}": 256 if layer["type"] == "Dense" else 32
        for place, layer in enumerate(case.recipe.layers[:-1])
        if layer["type"] in ("Dense", "Conv2D")
    }
    return TrainingFinding(
        name="underfitting", severity=WARNING,
        evidence=f"the hidden layers have {least} unit{'s' * (least > 1)} each, and the training accuracy is {case.signs.train.last:.1%}",
        suggestion="give the network more units or another layer",
        change=changed,
    )  # fmt: skip
