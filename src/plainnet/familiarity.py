"""Familiarity: five simple measurements of an image tell whether it resembles the training images.

A network that has only seen digits classifies a shirt as a digit, perhaps with high confidence. The brightness of the
image and of its border, the share of gray pixels and the contrast between neighboring pixels tell the two apart.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from plainnet.data.preparation import scaled
from plainnet.errors import InputError

WEIGHT = 0.25  # of familiarity relative to the log odds of an answer, see `familiar_odds`
_SOME = 5000  # images, about as many as are measured
_SMALL = 1e-3
_RIDGE = 1e-6  # added to the variances, so that the covariance can be inverted even if a figure never varies
_BEYOND, _RARE = 2.0, 0.001  # the limit is twice the score that one in a thousand held-out images falls below


def figures(images: np.ndarray) -> np.ndarray:
    """Return five figures of each image, (N, 5).

    They are: the logarithm of the mean; the logarithm of the share of pixels above 0.5; the square root of the mean of
    the border (a fourteenth of the shorter side wide); the logarithm of the mean difference between neighboring pixels;
    the share of pixels from 0.2 to 0.8.

    Shapes: images (N, H, W) or (N, H, W, C), bytes or numbers, which are clipped to the range from 0 to 1.
    """
    x = np.clip(scaled(images), 0, 1)
    x = x.mean(axis=3) if x.ndim == 4 else x
    edge = max(1, min(x.shape[1:]) // 14)
    middle = np.zeros(x.shape[1:], bool)
    middle[edge:-edge, edge:-edge] = True
    steps = np.abs(np.diff(x, axis=1)).mean(axis=(1, 2)) + np.abs(np.diff(x, axis=2)).mean(axis=(1, 2))
    return np.stack([
        np.log(x.mean(axis=(1, 2)) + _SMALL),
        np.log((x > 0.5).mean(axis=(1, 2)) + _SMALL),
        np.sqrt(np.maximum(x[:, ~middle].mean(axis=1), 0)),
        np.log(steps + _SMALL),
        ((x > 0.2) & (x < 0.8)).mean(axis=(1, 2)),
    ], axis=1).astype(float)  # fmt: skip


@dataclass(frozen=True)
class Familiarity:
    """The mean (5,) of the training images' figures, the inverse of their covariance (5, 5), and a limit.

    An image with a `score` below `least` is unlike the training images.

    Raises: `InputError` for arrays of another shape.
    """

    mean: np.ndarray
    precision: np.ndarray
    least: float

    def __post_init__(self) -> None:
        if self.mean.shape != (5,) or self.precision.shape != (5, 5) or not np.isfinite(self.precision).all():
            raise InputError(f"familiarity has five figures, received {self.mean.shape} and {self.precision.shape}")

    @classmethod
    def learned(cls, images: np.ndarray, held_out: np.ndarray | None = None) -> Familiarity | None:
        """Measure training images, and set the limit by held-out images; None if these are not images."""
        if images.ndim not in (3, 4) or min(images.shape[1:3]) < 4:
            return None
        found = figures(images[:: max(1, len(images) // _SOME)])
        covariance = np.atleast_2d(np.cov(found.T)) + _RIDGE * np.eye(5)
        made = cls(found.mean(axis=0), np.linalg.inv(covariance), -np.inf)
        others = images if held_out is None else held_out
        score = made.score(others[:: max(1, len(others) // _SOME)])
        return cls(made.mean, made.precision, _BEYOND * float(np.quantile(score, _RARE)))

    def score(self, images: np.ndarray) -> np.ndarray:
        """Return how familiar images are, (N,), at most 0: -d^2 / 2, where d is the Mahalanobis distance from the mean.

        Source: Mahalanobis 1936, "On the generalised distance in statistics".
        """
        away = figures(images) - self.mean
        scores: np.ndarray = -0.5 * np.einsum("nj,jk,nk->n", away, self.precision, away)
        return scores

    def to_table(self) -> dict[str, Any]:
        """Return it as plain values; `from_table` reads them back."""
        return {"mean": self.mean.tolist(), "precision": self.precision.tolist(), "least": self.least}

    @classmethod
    def from_table(cls, table: Mapping[str, Any]) -> Familiarity:
        """Return the familiarity that a model file describes.

        Raises: `InputError` if the description is incomplete or invalid.
        """
        try:
            mean, precision = (np.array(table[name], float) for name in ("mean", "precision"))
            return cls(mean, precision, float(table["least"]))
        except (KeyError, TypeError, ValueError) as error:
            raise InputError(f"its description of familiarity is invalid: {error}") from error


def familiar_odds(confidences: np.ndarray, familiarity: np.ndarray) -> np.ndarray:
    """Return a score (N,) that is high for images like the training data and low for all others.

    It is log(p / (1 - p)) + WEIGHT familiarity, with the confidences p (N,) and the familiarity (N,). The weight was
    chosen on validation images (benchmarks/trust.py).
    """
    p = np.clip(confidences.astype(float), 1e-6, 1 - 1e-6)
    return np.log(p / (1 - p)) + WEIGHT * np.maximum(familiarity, -1000)
