"""First values of the weights: random, so that units differ, and scaled, so that signals keep their size."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

Initializer = Callable[["np.random.Generator", tuple[int, ...], int], np.ndarray]


def he_normal(rng: np.random.Generator, shape: tuple[int, ...], fan_in: int) -> np.ndarray:
    """Draw from N(0, sigma^2) with sigma = sqrt(2 / fan_in).

    A ReLU zeroes half of its inputs; the factor 2 makes up for the variance lost.
    `fan_in` is the number of inputs each unit sums over.
    Source: He et al. 2015, "Delving deep into rectifiers", section 2.2.
    """
    return rng.normal(0.0, math.sqrt(2.0 / fan_in), shape)


def zeros(rng: np.random.Generator, shape: tuple[int, ...], fan_in: int) -> np.ndarray:
    """Return zeros: right for biases, wrong for weights (all units would stay alike)."""
    return np.zeros(shape)


def ones(rng: np.random.Generator, shape: tuple[int, ...], fan_in: int) -> np.ndarray:
    """Return ones: right for factors that begin by changing nothing."""
    return np.ones(shape)
