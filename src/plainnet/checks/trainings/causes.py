"""Causes that make the same curves: which of them, in the order of their shares, and what would tell them apart.

The shares are those of the spoiled trainings of `make sabotage` (the half that thresholds were chosen by) that give the same finding when
nothing but their history is at hand. They say what to look at first; how often people make these mistakes they do not know.
"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path

from plainnet.checks.trainings.finding import Cause

TELLING = {  # what to look at, or to try
    "all-zero-initialization": "print the first weights: they are all zero",
    "batch-statistics": "evaluate in training mode: with batch normalization's own statistics it would be right",
    "bottleneck": "look for a layer of far fewer units than there are classes",
    "class-missing": "count the labels to train on, class by class",
    "clipping-active": "print the length of the gradient before and after clipping",
    "collapse": "look at the length of the gradient in the epoch of the fall",
    "constant-initialization": "print the first weights: the units of a layer have all the same",
    "curves-exchanged": "look at which figures are written under which name",
    "dead-units": "count the units that are 0 for every example",
    "gradient-sign": "make one step with a tiny learning rate on one batch: the loss must fall",
    "inputs-alike": "look at a few inputs as the network gets them: they are all the same",
    "inputs-far-from-zero": "print the mean and the deviation of the inputs; a mean of many deviations is too far",
    "inputs-not-scaled": "print the largest input; beyond about 10 it is not scaled",
    "labels-noisy": "look at the training examples with the largest loss: labels are wrong",
    "labels-off-by-one": "look at a few examples beside their labels, and where counting begins",
    "labels-shuffled": "look at a few training examples beside their labels",
    "learning-rate-too-high": "take a tenth of the learning rate",
    "learning-rate-too-low": "take ten times the learning rate, or a hundred times",
    "log-of-zero": "if it was learning well before: look for the logarithm or the division of 0, and add a small number",
    "momentum-too-high": "look at the momentum; 0.9 is usual",
    "not-shuffled": "see whether examples are visited in a new random order in every epoch",
    "nothing-updated": "compare the weights before and after a step",
    "one-class": "count the labels to train on, class by class",
    "overfitting": "train on more examples, or change them as you go",
    "rate-falls-too-early": "print the learning rate of each epoch",
    "relu-before-loss": "look at the last layer: the loss takes any numbers, and a ReLU cuts off half of them",
    "saturated-activations": "look at the outputs of sigmoids and tanhs: nearly all at an end",
    "softmax-twice": "see whether softmax stands both in the network and in the loss",
    "stopped-too-early": "train longer",
    "summed-gradient": "see whether the loss is a mean over the batch or a sum",
    "too-few-updates": "count the updates: examples / batch size * epochs; below a few hundred they are too few",
    "too-much-dropout": "train without dropout for an epoch",
    "too-much-noise": "train without noise and augmentation for an epoch",
    "training-harder": "evaluate on the training examples without dropout and augmentation",
    "underfitting": "give the network more units: the training accuracy must rise",
    "validation-labels-wrong": "look at a few validation examples beside their labels",
    "validation-prepared-differently": "print mean and deviation of both inputs; they must agree",
    "validation-too-small": "count the validation examples; a few hundred are needed",
    "vanishing-gradients": "print the length of each layer's gradient: that of the first is far smaller than that of the last",
    "weight-decay-too-strong": "print the length of the weights, epoch by epoch: it falls",
    "weights-begin-too-large": "print the first loss: it is far above the logarithm of the number of classes",
    "weights-begin-too-small": "print the deviation of each layer's outputs in the beginning: it falls towards 0",
    "accuracy-measured-wrongly": "count the right answers of one batch by hand",
    "evaluation-broken": "evaluate twice with a training between: the figures must differ",
    "loss-out-of-scale": "see whether the loss is a mean or a sum",
    "plateau-before-decay": "let the learning rate fall earlier",
}
SHARES = Path(__file__).parent / "shares.json"
_LEAST = 0.04  # share below which a cause is not worth a line
_ENOUGH = 8  # trainings with the same curves, from which shares tell something


@cache
def counts() -> dict[str, dict[str, int]]:
    """Return, by finding, how many of the spoiled trainings that give it had each cause."""
    table: dict[str, dict[str, int]] = json.loads(SHARES.read_text())
    return table


def causes_of(finding: str) -> tuple[Cause, ...]:
    """Return the causes of what a finding describes, the most frequent first; none where it names its own."""
    found = counts().get(finding, {})
    total = sum(found.values())
    if total < _ENOUGH:
        return ()
    ordered = sorted(found.items(), key=lambda item: -item[1])
    return tuple(
        Cause(name, round(count / total, 3), TELLING[name]) for name, count in ordered if count >= _LEAST * total
    )
