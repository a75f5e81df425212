"""Central differences, with one of three verdicts: right, wrong, or undecidable at a kink.

The formula (L(w + eps) - L(w - eps)) / (2 eps) needs a loss that is smooth between its two points. If a ReLU or the
winner of a maximum changes in between, the formula mixes two slopes, and a right gradient looks wrong. So if it
disagrees, it is compared with the difference for a smaller eps, and the two one-sided slopes with each other. Where
the loss is smooth, the difference stays the same and the two slopes approach each other; at a kink they do not. Then
eps shrinks until the kink lies outside. If it never does, or if the disagreement is too small to distinguish a kink
from rounding, the derivative is undecidable.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from plainnet.checks.gradients.derivatives import EPSILON

RIGHT, WRONG, UNDECIDABLE, RANDOM = "right", "wrong", "undecidable", "random"
TOLERANCE = 1e-7  # for every relative error
UNIT = 2.0**-52  # the spacing of float64 at 1
_ATTEMPTS = 4  # each with a tenth of the previous epsilon


class Central(NamedTuple):
    """The result of central differences for one derivative: the number, its relative error, and the verdict."""

    numeric: float
    error: float
    verdict: str


def relative_error(analytic: np.ndarray | float, numeric: np.ndarray | float, least: float) -> np.ndarray:
    """Return |a - n| / max(|a| + |n|, least), and 0 where both are 0.

    `least` is the resolution of the method divided by the tolerance. It prevents false alarms for derivatives that are
    too small for the method to resolve.
    """
    difference = np.asarray(np.abs(np.subtract(analytic, numeric)))
    scale = np.maximum(np.abs(analytic) + np.abs(numeric), least)
    errors = np.zeros_like(difference)
    np.divide(difference, scale, out=errors, where=scale != 0)
    return errors


def judge(loss: Callable[[float], float], analytic: float, *, tolerance: float = TOLERANCE) -> Central:
    """Judge the derivative at 0 of `loss`, a function of the distance by which one parameter is moved.

    Rounding limits the accuracy of a central difference to about 4 u |L| / eps, u = 2^-52. This is the resolution for
    `relative_error`.
    """
    here = loss(0.0)
    wide = _slopes(loss, here, EPSILON)
    for _ in range(_ATTEMPTS):
        error = float(relative_error(analytic, wide.central, wide.resolution / tolerance))
        if error < tolerance:
            return Central(wide.central, error, RIGHT)
        near = _slopes(loss, here, wide.epsilon / 10)
        kink_here = near.bend > 20 * near.resolution and near.bend > 0.5 * wide.bend
        kink_aside = abs(near.central - wide.central) > 2 * near.resolution
        if not kink_here and not kink_aside:  # smooth, as far as rounding can show
            unsure = abs(analytic - wide.central) <= 4 * near.resolution
            return Central(wide.central, error, UNDECIDABLE if unsure else WRONG)
        wide = near
    between = min(wide.left, wide.right) - wide.resolution <= analytic <= max(wide.left, wide.right) + wide.resolution
    return Central(wide.central, error, UNDECIDABLE if between else WRONG)


class _Slopes(NamedTuple):
    """The slopes of the loss over epsilon to the left and to the right, and their resolution, limited by rounding."""

    epsilon: float
    left: float
    right: float
    resolution: float

    @property
    def central(self) -> float:
        """The central difference."""
        return (self.left + self.right) / 2

    @property
    def bend(self) -> float:
        """The difference between the two sides: small where the loss is smooth, and smaller for a smaller epsilon."""
        return abs(self.right - self.left)


def _slopes(loss: Callable[[float], float], here: float, epsilon: float) -> _Slopes:
    left, right = (here - loss(-epsilon)) / epsilon, (loss(epsilon) - here) / epsilon
    return _Slopes(epsilon, left, right, 4 * UNIT * max(1.0, abs(here)) / epsilon)
