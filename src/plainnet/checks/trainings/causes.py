"""Causes with the same curves: the causes behind a finding, the most frequent first, and a check that tells each from the others.

`make sabotage` makes training runs that are spoiled on purpose; the half by which the thresholds were chosen is counted
here. A share is the fraction with this cause among the runs that give this finding from their history alone. Shares say
what to check first. They do not say how often people make these mistakes.
"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path

from plainnet.checks.trainings.finding import Cause

TELLING = {  # what to check, or to try
    "all-zero-initialization": "check whether the initial weights are all zero",
    "batch-statistics": "evaluate in training mode: with the batch's own statistics, batch normalization would give the right answers",
    "bottleneck": "look for a layer with far fewer units than there are classes",
    "class-missing": "count the training labels of each class",
    "clipping-active": "print the norm of the gradient before and after clipping",
    "collapse": "look at the norm of the gradient in the epoch of the fall",
    "constant-initialization": "check whether all units of a layer have the same initial weights",
    "curves-exchanged": "check which figures are written under which name",
    "dead-units": "count the units that are 0 for every example",
    "gradient-sign": "take one step with a tiny learning rate on one batch: the loss must fall",
    "inputs-alike": "check whether the inputs that reach the network are all the same",
    "inputs-far-from-zero": "print the mean and standard deviation of the inputs; the mean must not be many standard "
    "deviations from 0",
    "inputs-not-scaled": "print the largest input; above about 10 the inputs are not scaled",
    "labels-noisy": "check whether the training examples with the largest loss have wrong labels",
    "labels-off-by-one": "look at a few examples beside their labels; check whether labels start at 0 or 1",
    "labels-shuffled": "look at a few training examples beside their labels",
    "learning-rate-too-high": "divide the learning rate by 10",
    "learning-rate-too-low": "multiply the learning rate by 10 or 100",
    "log-of-zero": "if the loss fell well before: look for a logarithm of 0 or a division by 0, and add a small number",
    "momentum-too-high": "check the momentum; 0.9 is usual",
    "not-shuffled": "check whether every epoch visits the examples in a new random order",
    "nothing-updated": "compare the weights before and after a step",
    "one-class": "count the training labels of each class",
    "overfitting": "train on more examples, or use augmentation",
    "rate-falls-too-early": "print the learning rate of each epoch",
    "relu-before-loss": "check the last layer: the loss takes logits of either sign, and a ReLU cuts off the negative ones",
    "saturated-activations": "check whether nearly all outputs of sigmoid and tanh layers are at their limits",
    "softmax-twice": "check whether both the network and the loss apply softmax",
    "stopped-too-early": "train longer",
    "summed-gradient": "check whether the loss is a mean over the batch or a sum",
    "too-few-updates": "count the updates: examples / batch size * epochs; fewer than a few hundred are too few",
    "too-much-dropout": "train without dropout for an epoch",
    "too-much-noise": "train without noise and augmentation for an epoch",
    "training-harder": "evaluate on the training examples without dropout and augmentation",
    "underfitting": "give the network more units; the training accuracy should rise",
    "validation-labels-wrong": "look at a few validation examples beside their labels",
    "validation-prepared-differently": "print the mean and standard deviation of the training and the validation inputs; they must agree",
    "validation-too-small": "count the validation examples; you need a few hundred",
    "vanishing-gradients": "print the norm of each layer's gradient; check whether the first layer's is far smaller than the last layer's",
    "weight-decay-too-strong": "print the norm of the weights after each epoch; check whether it falls",
    "weights-begin-too-large": "print the first loss; check whether it is far above the logarithm of the number of classes",
    "weights-begin-too-small": "before training, print the standard deviation of each layer's outputs; check whether it falls towards 0",
    "accuracy-measured-wrongly": "count the correct predictions of one batch by hand",
    "evaluation-broken": "evaluate before and after an epoch of training; the figures must differ",
    "loss-out-of-scale": "check whether the loss is a mean or a sum",
    "plateau-before-decay": "lower the learning rate earlier",
}
SHARES = Path(__file__).parent / "shares.json"
_LEAST = 0.04  # share below which a cause is not worth a line
_ENOUGH = 8  # training runs with the same curves; shares of fewer mean nothing


@cache
def counts() -> dict[str, dict[str, int]]:
    """Return for each finding how many of the spoiled training runs that give it had each cause."""
    table: dict[str, dict[str, int]] = json.loads(SHARES.read_text())
    return table


def causes_of(finding: str) -> tuple[Cause, ...]:
    """Return the possible causes of a finding, the most frequent first; none if the finding names the cause itself."""
    found = counts().get(finding, {})
    total = sum(found.values())
    if total < _ENOUGH:
        return ()
    ordered = sorted(found.items(), key=lambda item: -item[1])
    return tuple(
        Cause(name, round(count / total, 3), TELLING[name]) for name, count in ordered if count >= _LEAST * total
    )
