"""Calibration: make probabilities match how often answers are right, and find the confidence that an answer needs.

The logits (scores before softmax) are divided by a temperature T, chosen to minimize the cross-entropy of held-out
examples. T above 1 makes a network less confident, T below 1 more confident. It changes no answer.

Source: Guo, Pleiss, Sun, Weinberger 2017, "On calibration of modern neural networks".
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from statistics import mean
from typing import Any

import numpy as np

from plainnet import promises
from plainnet.softmax import expect_finite, log_softmax, with_two_columns

REFUSED = 0.01  # share of held-out examples, those with the lowest confidence, that count as "not sure"
_LEAST, _MOST = 0.05, 20.0
_STEPS = 60
_ENOUGH = 100  # held-out examples


def temperature(logits: np.ndarray, targets: np.ndarray) -> float:
    """Return the temperature T that minimizes the mean of -log softmax(logits / T) at the targets.

    This mean is convex in 1 / T; a golden-section search finds the minimum.

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
    """Return the confidence that 99 % of the held-out examples reach."""
    return float(np.quantile(confidences, REFUSED))


def enough(examples: int) -> bool:
    """Return whether this number of held-out examples is enough for calibration."""
    return examples >= _ENOUGH


@dataclass(frozen=True)
class Calibration:
    """What held-out examples tell about a network's answers.

    `temperature` divides the logits. `threshold` is the confidence below which an answer is "not sure", or None if
    unknown. `certain` and `sets` map promised shares to thresholds, see `promises`.
    """

    temperature: float = 1.0
    threshold: float | None = None
    certain: Mapping[str, float] = field(default_factory=dict)
    sets: Mapping[str, float] = field(default_factory=dict)

    @classmethod
    def found(cls, temperature: float, confidences: np.ndarray, shares: np.ndarray, targets: np.ndarray) -> Calibration:
        """Calibrate on held-out examples: confidences (M,) of answers; probabilities `shares` (N, K), classes (N,)."""
        right = shares.argmax(axis=1) == targets
        return cls(
            temperature,
            threshold(confidences),
            promises.certain(shares.max(axis=1), right),
            promises.sets(shares[np.arange(len(shares)), targets]),
        )

    @classmethod
    def of_siblings(cls, found: Sequence[Calibration]) -> Calibration:
        """Return the mean of several calibrations (geometric for temperatures); it promises only what all promise."""

        def means(tables: list[Mapping[str, float]]) -> dict[str, float]:
            return {name: mean(t[name] for t in tables) for name in tables[0] if all(name in t for t in tables)}

        return cls(
            math.exp(mean(math.log(one.temperature) for one in found)),
            mean(one.threshold for one in found if one.threshold is not None),
            means([one.certain for one in found]),
            means([one.sets for one in found]),
        )

    def to_table(self) -> dict[str, Any]:
        """Return it as plain values, ready for JSON."""
        return {
            "temperature": self.temperature, "threshold": self.threshold,
            "certain": dict(self.certain), "sets": dict(self.sets),
        }  # fmt: skip
