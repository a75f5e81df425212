"""Errors of the two numerical derivatives for many step sizes: the complex step is far more accurate."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from plainnet.checks.gradients.derivatives import Objective
from plainnet.losses import Loss
from plainnet.network import Network

_ELEMENTS = 24


class StepErrors(NamedTuple):
    """Relative errors (steps, elements) of central differences and of the complex step, for each step size."""

    steps: np.ndarray
    central_differences: np.ndarray
    complex_step: np.ndarray


def step_errors(network: Network, loss: Loss, images: np.ndarray, labels: np.ndarray) -> StepErrors:
    """Return |a - n| / (|a| + |n|) of some gradients, for step sizes from 1e-14 to 1.

    The gradients are drawn at random from the larger half of those that are not zero.
    """
    objective = Objective(network, loss, images, labels)
    gradient = objective.backpropagation()
    sizes = np.abs(gradient)
    large = np.flatnonzero(sizes >= np.median(sizes[sizes > 0]))
    places = np.random.default_rng(0).choice(large, min(_ELEMENTS, len(large)), replace=False)
    steps = np.logspace(-14, 0, 29)

    def errors(numeric: np.ndarray) -> np.ndarray:
        analytic = gradient[places]
        relative = np.abs(analytic - numeric) / (np.abs(analytic) + np.abs(numeric))
        clipped: np.ndarray = np.clip(relative, 1e-17, 1.0)  # an error of 0 has no place on a logarithmic axis
        return clipped

    return StepErrors(
        steps,
        np.array([errors(objective.central_differences(places, step)) for step in steps]),
        np.array([errors(objective.complex_steps(places, step)) for step in steps]),
    )
