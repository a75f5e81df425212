"""Central differences with a verdict of three: right, wrong, or undecidable at a kink.

The formula (L(w + eps) - L(w - eps)) / (2 eps) is only as good as the loss is smooth between its two points. Where
a ReLU or the winner of a maximum changes in between, it mixes two slopes and accuses a right gradient. So when it
disagrees, the two one-sided slopes are compared: on a smooth stretch their difference shrinks with eps, at a kink it
does not. Then eps shrinks, until the kink lies outside; if it never does, nothing can be said.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from plainnet.proof.derivatives import EPSILON

RIGHT, WRONG, UNDECIDABLE = "right", "wrong", "undecidable"
TOLERANCE = 1e-7  # on every relative error
UNIT = 2.0**-52  # the spacing of float64 at 1
_SMALLEST = EPSILON / 1000


class Central(NamedTuple):
    """What central differences say about one derivative: the number, its relative error, and the verdict."""

    numeric: float
    error: float
    verdict: str


def relative_error(analytic: np.ndarray | float, numeric: np.ndarray | float, least: float) -> np.ndarray:
    """Return |a - n| / max(|a| + |n|, least), and 0 where both are 0.

    `least` keeps a derivative too small for a method to resolve from being judged beyond the method's means: it is
    the resolution of the method divided by the tolerance.
    """
    difference = np.asarray(np.abs(np.subtract(analytic, numeric)))
    scale = np.maximum(np.abs(analytic) + np.abs(numeric), least)
    errors = np.zeros_like(difference)
    np.divide(difference, scale, out=errors, where=scale != 0)
    return errors


def judge(loss: Callable[[float], float], analytic: float, *, tolerance: float = TOLERANCE) -> Central:
    """Judge the derivative at 0 of `loss`, a function of the distance that one parameter is moved.

    Rounding limits a central difference to about 4 u |L| / eps, u = 2^-52, which `relative_error` takes as its
    resolution.
    """
    here = loss(0.0)
    epsilon = EPSILON
    while True:
        above, below = loss(epsilon), loss(-epsilon)
        numeric = (above - below) / (2 * epsilon)
        resolution = 4 * UNIT * max(1.0, abs(here)) / epsilon
        error = float(relative_error(analytic, numeric, resolution / tolerance))
        if error < tolerance:
            return Central(numeric, error, RIGHT)
        right, left = (above - here) / epsilon, (here - below) / epsilon
        if not _bends(loss, here, abs(right - left), epsilon, resolution):
            return Central(numeric, error, WRONG)
        if epsilon < 2 * _SMALLEST:
            low, high = min(left, right), max(left, right)
            between = low - resolution <= analytic <= high + resolution
            return Central(numeric, error, UNDECIDABLE if between else WRONG)
        epsilon /= 10


def _bends(loss: Callable[[float], float], here: float, bend: float, epsilon: float, resolution: float) -> bool:
    """Tell whether a kink lies within epsilon: on a smooth stretch the bend of the loss shrinks with its square."""
    near = 0.1 * epsilon
    nearer_bend = abs(loss(near) - 2 * here + loss(-near)) / near
    smooth = abs(nearer_bend - 0.1 * bend) <= 20 * resolution + 0.02 * bend
    return bend > 20 * resolution and not smooth
