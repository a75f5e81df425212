"""Fitness for a check: a network must do the same twice, and complex numbers should pass through its layers."""

from __future__ import annotations

import warnings

import numpy as np

from plainnet.layers import Layer
from plainnet.proof.derivatives import STEP, Objective

_DISTANCE = 1e-6  # of central differences along one direction, which need only tell whether a derivative is one
_ALIKE = 1e-3


def random_layer(objective: Objective) -> str | None:
    """Return the kind of a layer that gives another output the second time, though nothing has changed."""
    with objective.context:
        x = objective.images
        for layer in objective.real.layers:
            first, second = (layer.forward(x, training=True).copy() for _ in range(2))
            if not np.array_equal(first, second, equal_nan=True):
                inner = [part for _, part in layer.walk() if not part.children]
                return type(inner[0] if len(inner) == 1 else layer).__name__
            x = first
    return None


def impassable(objective: Objective) -> list[int]:
    """Return the places of the layers in which complex numbers do not give the derivative.

    Such a layer takes |x| of a complex number, casts it to a real one, or compares where only the real part should be
    looked at; the derivative by the complex step is then another one than central differences see.
    """
    found = []
    with objective.context:
        x = objective.images
        for place, (real, other) in enumerate(zip(objective.real.layers, objective.complex.layers, strict=True)):
            if not _passes(real, other, x):
                found.append(place)
            x = real.forward(x, training=True).copy()
    return found


def _passes(real: Layer, other: Layer, x: np.ndarray) -> bool:
    rng = np.random.default_rng(0)
    along = rng.standard_normal(x.shape)
    parameters = [(p, q) for (_, a), (_, b) in zip(real.walk(), other.walk(), strict=True)
                  for p, q in zip(a.parameters, b.parameters, strict=True)]  # fmt: skip
    directions = [rng.standard_normal(p.shape) for p, _ in parameters]

    def output(distance: float) -> np.ndarray:
        kept = [p.value.copy() for p, _ in parameters]
        for (p, _), direction in zip(parameters, directions, strict=True):
            p.value += distance * direction
        y = real.forward(x + distance * along, training=True).copy()
        for (p, _), values in zip(parameters, kept, strict=True):
            p.value[...] = values
        return y

    central = (output(_DISTANCE) - output(-_DISTANCE)) / (2 * _DISTANCE)
    for (_, q), direction in zip(parameters, directions, strict=True):
        q.value.imag = STEP * direction
    try:
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("error", np.exceptions.ComplexWarning)
            y = other.forward(x + 1j * STEP * along, training=True)
            slope = y.imag / STEP if np.iscomplexobj(y) else np.zeros_like(y)
    except (TypeError, ValueError, np.exceptions.ComplexWarning):
        return False
    finally:
        for _, q in parameters:
            q.value.imag = 0
    scale = float(np.linalg.norm(central))
    return not np.isfinite(scale) or float(np.linalg.norm(slope - central)) <= _ALIKE * scale + 1e-7
