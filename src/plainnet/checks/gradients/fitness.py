"""Conditions for a gradient check: two passes must agree, and complex numbers should pass through the layers."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np

from plainnet.checks.gradients.central import TOLERANCE
from plainnet.checks.gradients.derivatives import STEP, Objective
from plainnet.errors import InputError
from plainnet.layers import Layer

_DISTANCE = 1e-6  # of central differences along one direction; low accuracy is enough here
_ALIKE = 1e-3


def random_layer(objective: Objective) -> str | None:
    """Return the kind of a layer that gives different outputs in two identical passes; None if there is none."""
    with objective.context:
        x = objective.images
        for layer in objective.real.layers:
            before = x.copy()
            first = layer.forward(x, training=True).copy()
            if not np.array_equal(x, before, equal_nan=True):
                raise InputError(f"{type(layer).__name__}.forward writes to its input; make a new array instead")
            second = layer.forward(x, training=True).copy()
            if not np.array_equal(first, second, equal_nan=True):
                inner = [part for _, part in layer.walk() if not part.children]
                return type(inner[0] if len(inner) == 1 else layer).__name__
            x = first
    return None


def impassable(objective: Objective) -> list[int]:
    """Return the indices of the layers through which the complex step fails; the loss counts as the last layer.

    Such a layer takes |x| of a complex number, casts it to a real one, or compares more than the real part. Then the
    complex step and central differences give different derivatives.
    """
    found = []
    with objective.context:
        x = objective.images
        for place, (real, other) in enumerate(zip(objective.real.layers, objective.complex.layers, strict=True)):
            if not _passes(real, other, x):
                found.append(place)
            x = real.forward(x, training=True).copy()
    if not _loss_passes(objective):
        found.append(len(objective.real.layers))
    return found


def _loss_passes(objective: Objective) -> bool:
    logits = objective.logits(objective.real).copy()
    along = np.random.default_rng(0).standard_normal(logits.shape)

    def loss(z: np.ndarray) -> Any:
        return objective.loss(z, objective.labels)[0]

    central = (loss(logits + _DISTANCE * along) - loss(logits - _DISTANCE * along)) / (2 * _DISTANCE)
    try:
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("error", np.exceptions.ComplexWarning)
            slope = np.imag(loss(logits + 1j * STEP * along)) / STEP
    except Exception:  # a user's loss may fail on complex numbers
        return False
    return not np.isfinite(central) or bool(
        abs(slope - central) <= _ALIKE * abs(central) + 1e-7 * (1 + abs(loss(logits)))
    )


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
    except Exception:  # a user's layer may fail on complex numbers
        return False
    finally:
        for _, q in parameters:
            q.value.imag = 0
    scale = float(np.linalg.norm(central))
    return not np.isfinite(scale) or float(np.linalg.norm(slope - central)) <= _ALIKE * scale + 1e-7


def not_overwritten(objective: Objective, gradient: np.ndarray) -> list[str]:
    """Return a message about a gradient that backward adds to instead of overwriting it; none if all is well."""
    after_ones = objective.backpropagation(first=1.0)
    for parameter in objective.real.parameters:
        if not np.allclose(
            after_ones[parameter.place], gradient[parameter.place], rtol=1e-6, atol=1e-9, equal_nan=True
        ):
            return [
                f"{parameter.name}: its gradient depends on the previous content of the array; backward must "
                "overwrite all of it, with out= or [...] =, and not add to it"
            ]
    return []


def wrong_inputs(objective: Objective, generator: np.random.Generator) -> list[str]:
    """Return a message if the gradient of the inputs, which layers below would get, is wrong; none if it is right."""
    dx = objective.of_inputs()
    for _ in range(3):
        direction = generator.standard_normal(dx.shape)
        analytic, numeric = float(np.sum(dx * direction)), objective.along_inputs(direction)
        if abs(analytic - numeric) > TOLERANCE * (abs(analytic) + abs(numeric) + 1e-3 * float(np.linalg.norm(dx))):
            return [
                f"the gradient of the inputs: along a random direction backpropagation gives {analytic:.9g}, but "
                f"by the complex step it is {numeric:.9g}; check dx of the first layers"
            ]
    return []
