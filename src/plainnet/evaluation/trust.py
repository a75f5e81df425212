"""Trust: whether probabilities match the share of right answers, and the gain from withholding unsure answers."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

BINS = 15
_LEAST = 1e-12  # smallest probability before taking a logarithm


def tempered(probabilities: np.ndarray, temperature: float) -> np.ndarray:
    """Return softmax(logits / T) computed from softmax(logits): p^(1 / T), normalized to sum to 1.

    This also holds for means over shifted views, which average logarithms.
    """
    if temperature == 1:
        return probabilities
    logs = np.log(np.maximum(probabilities.astype(float), 1e-300)) / temperature
    raised = np.exp(logs - logs.max(axis=1, keepdims=True))
    shares: np.ndarray = raised / raised.sum(axis=1, keepdims=True)
    return shares


@dataclass(frozen=True)
class Trust:
    """Figures of probabilities (N, K) for examples of the classes `labels` (N,)."""

    probabilities: np.ndarray
    labels: np.ndarray

    @cached_property
    def confidences(self) -> np.ndarray:
        """The largest probability of each example, (N,)."""
        found: np.ndarray = self.probabilities.max(axis=1).astype(float)
        return found

    @cached_property
    def right(self) -> np.ndarray:
        """Which answers are right, (N,)."""
        found: np.ndarray = self.probabilities.argmax(axis=1) == self.labels
        return found

    @cached_property
    def log_loss(self) -> float:
        """The mean of -log p(true class), in nats: the negative log-likelihood."""
        of_truth = self.probabilities[np.arange(len(self.labels)), self.labels].astype(float)
        return -float(np.log(np.maximum(of_truth, _LEAST)).mean())

    @cached_property
    def brier(self) -> float:
        """The mean of sum_k (p_k - y_k)^2, where y is one-hot.

        Source: Brier 1950, "Verification of forecasts expressed in terms of probability".
        """
        p = self.probabilities.astype(float)
        of_truth = p[np.arange(len(p)), self.labels]
        return float((np.square(p).sum(axis=1) - 2 * of_truth + 1).mean())

    def bins(self, count: int = BINS) -> list[tuple[float, float, int]]:
        """Return mean confidence, accuracy and number of examples of equally full bins, ordered by confidence."""
        order = np.argsort(self.confidences, kind="stable")
        parts = [part for part in np.array_split(order, min(count, len(order))) if len(part)]
        return [(float(self.confidences[part].mean()), float(self.right[part].mean()), len(part)) for part in parts]

    @cached_property
    def calibration_error(self) -> float:
        """The mean of |confidence - accuracy| over bins, minus the part that chance alone adds to it; at least 0.

        In a bin of n examples, accuracy a has the standard error s = sqrt(a (1 - a) / n). A difference d is therefore
        observed, on average, as E|d + s z| with z standard normal; the excess over |d| is subtracted.

        Source: Kumar, Liang, Ma 2019, "Verified uncertainty calibration", section 4, for subtracting the bias; Naeini,
        Cooper, Hauskrecht 2015, for the error.
        """
        total = 0.0
        for confidence, accuracy, number in self.bins():
            d, s = abs(confidence - accuracy), math.sqrt(accuracy * (1 - accuracy) / number)
            total += number * (2 * d - _folded(d, s))
        return max(total / len(self.labels), 0.0)

    def kept(self, least: float) -> tuple[float, float | None]:
        """Return the share of answers with at least this confidence, and the share of these that is right, or None."""
        kept = self.confidences >= least
        return float(kept.mean()), float(self.right[kept].mean()) if kept.any() else None

    @cached_property
    def risk_against_coverage(self) -> tuple[np.ndarray, np.ndarray]:
        """The share of answers given (most confident first), and the share of errors among them, (N,) each.

        Source: El-Yaniv, Wiener 2010, "On the foundations of noise-free selective classification".
        """
        order = np.argsort(-self.confidences, kind="stable")
        given = np.arange(1, len(order) + 1)
        return given / len(order), np.cumsum(~self.right[order]) / given

    def to_table(self, certain: Mapping[str, float] | None = None) -> dict[str, Any]:
        """Return the figures as plain values, with the coverage and accuracy of each promise in `certain`."""
        kept = {share: self.kept(least) for share, least in (certain or {}).items()}
        return {
            "log_loss": self.log_loss,
            "brier_score": self.brier,
            "calibration_error": self.calibration_error,
            "bins": [list(one) for one in self.bins()],
            "certain": {share: {"coverage": c, "accuracy": a} for share, (c, a) in kept.items()},
        }


def _folded(mean: float, deviation: float) -> float:
    """Return E|mean + deviation z| for a standard normal z."""
    if deviation == 0:
        return abs(mean)
    ratio = mean / deviation
    density = math.exp(-0.5 * ratio * ratio) / math.sqrt(2 * math.pi)
    return deviation * 2 * density + mean * math.erf(ratio / math.sqrt(2))
