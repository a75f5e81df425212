"""Calibration: probabilities that mean what they say, and the confidence below which an answer is better withheld.

The logits are divided by a temperature T, the one with which held-out examples are least surprising; T above 1 makes a
network less sure of itself, T below 1 surer. It changes no answer.

Source: Guo, Pleiss, Sun, Weinberger 2017, "On calibration of modern neural networks".
"""

from __future__ import annotations

import math

import numpy as np

from plainnet.softmax import expect_finite, log_softmax, with_two_columns

REFUSED = 0.01  # of held-out examples, whose confidence is lowest: the next like them is "not sure"
_LEAST, _MOST = 0.05, 20.0
_STEPS = 60
_ENOUGH = 100  # held-out examples


def temperature(logits: np.ndarray, targets: np.ndarray) -> float:
    """Return the temperature T for which the mean of -log softmax(logits / T) at the targets is least.

    As a function of 1 / T it is convex; the least is found by the golden section.

    Shapes: logits (N, K) or (N, 1) for two classes, targets (N,) whole numbers.
    Raises: `InputError` if a logit is not a finite number.
    """
    logits = with_two_columns(expect_finite(logits)).astype(float)
    rows = np.arange(len(logits))

    def surprise(inverse: float) -> float:
        return -float(log_softmax(logits * inverse)[rows, targets].mean())

    low, high, share = 1 / _MOST, 1 / _LEAST, (math.sqrt(5) - 1) / 2
    for _ in range(_STEPS):
        left, right = high - share * (high - low), low + share * (high - low)
        if surprise(left) <= surprise(right):
            high = right
        else:
            low = left
    return 2 / (low + high)


def threshold(confidences: np.ndarray) -> float:
    """Return the confidence that all but 1 % of held-out examples reach."""
    return float(np.quantile(confidences, REFUSED))


def enough(examples: int) -> bool:
    """Tell whether so many held-out examples are enough to calibrate by."""
    return examples >= _ENOUGH
