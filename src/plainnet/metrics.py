"""Metrics: how much a network gets right, and how certain that figure is.

A `Metric` is a function (outputs, targets) -> (N,) that returns one value per example; the figure is their mean.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

Metric = Callable[[np.ndarray, np.ndarray], np.ndarray]


def correct_class(outputs: np.ndarray, targets: np.ndarray) -> np.ndarray:
    """Return whether the largest output (N, K) is that of the true class, or, for soft targets, the most probable."""
    return outputs.argmax(axis=1) == (targets if targets.ndim == 1 else targets.argmax(axis=1))


def correct_labels(outputs: np.ndarray, targets: np.ndarray) -> np.ndarray:
    """Return the share of the logits (N, K) on the right side of 0: above it if the target is above 1/2."""
    right: np.ndarray = ((outputs > 0) == (targets.reshape(outputs.shape) > 0.5)).mean(axis=1)
    return right


def absolute_error(outputs: np.ndarray, targets: np.ndarray) -> np.ndarray:
    """Return the mean absolute difference between the outputs (N, M) and the targets."""
    errors: np.ndarray = np.abs(outputs - targets.reshape(outputs.shape)).mean(axis=1)
    return errors


def accuracy(predicted: np.ndarray, labels: np.ndarray) -> float:
    """Return the share of predictions that equal their label, between 0 and 1."""
    return float(np.mean(predicted == labels))


def confusion_matrix(predicted: np.ndarray, labels: np.ndarray, classes: int) -> np.ndarray:
    """Count how often class i (row) was predicted as class j (column).

    Shapes: predicted (N,), labels (N,), result (K, K) with K = `classes`.
    """
    pairs = labels.astype(np.int64) * classes + predicted
    return np.bincount(pairs, minlength=classes * classes).reshape(classes, classes)


def per_class_accuracy(confusion: np.ndarray) -> np.ndarray:
    """Return, for each class, the share of its examples that were recognized; NaN for a class without examples.

    Shapes: confusion (K, K) with true classes in rows, result (K,).
    """
    totals = confusion.sum(axis=1)
    shares = np.full(len(confusion), np.nan)
    np.divide(confusion.diagonal(), totals, out=shares, where=totals > 0)
    return shares


def wilson_interval(successes: int, trials: int, z: float = 1.959963984540054) -> tuple[float, float]:
    """Return the Wilson score interval of a proportion; the default z covers 95 %.

    With p = successes / trials and n = trials the bounds are
    (p + z^2 / 2n -+ z sqrt(p (1 - p) / n + z^2 / 4n^2)) / (1 + z^2 / n).

    Source: Wilson 1927, "Probable inference, the law of succession, and statistical inference".
    """
    share = successes / trials
    center = share + z * z / (2 * trials)
    spread = z * math.sqrt(share * (1 - share) / trials + z * z / (4 * trials * trials))
    scale = 1 + z * z / trials
    return max(0.0, (center - spread) / scale), min(1.0, (center + spread) / scale)


def precision(confusion: np.ndarray) -> np.ndarray:
    """Return, for each class, the share of the examples predicted as this class that are right; NaN if there are none.

    Shapes: confusion (K, K) with true classes in rows, result (K,).
    """
    return per_class_accuracy(confusion.T)


def mcnemar(only_first: int, only_second: int) -> float:
    """Return the two-sided p-value of McNemar's exact test of the hypothesis that two classifiers are equally good.

    If they are, an example that only one of them gets right belongs to either with probability 1/2. With b examples
    that only the first gets right, c that only the second gets right, and n = b + c,
    p = min(1, 2 sum_{k <= min(b, c)} C(n, k) / 2^n).

    Source: McNemar 1947, "Note on the sampling error of the difference between correlated proportions".
    """
    n, least = only_first + only_second, min(only_first, only_second)
    log_largest = math.lgamma(n + 1) - math.lgamma(least + 1) - math.lgamma(n - least + 1) - n * math.log(2)
    term = total = 1.0  # relative to the largest term; smaller terms are added until they no longer matter
    for k in range(least, 0, -1):
        term *= k / (n - k + 1)
        total += term
        if term < 1e-17 * total:
            break
    return min(1.0, 2 * total * math.exp(log_largest))
