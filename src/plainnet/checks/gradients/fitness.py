"""Fitness for a check: a network must do the same twice, and complex numbers should pass through its layers."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np

from plainnet.checks.gradients.central import TOLERANCE
from plainnet.checks.gradients.derivatives import STEP, Objective
from plainnet.errors import InputError
from plainnet.layers import Layer

_DISTANCE = 1e-6  # of central differences along one direction, which need only tell whether a derivative is one
_ALIKE = 1e-3


def random_layer(objective: Objective) -> str | None:
    """Return the kind of a layer that gives another output the second time, though nothing has changed."""
    with objective.context:
        x = objective.images
        for layer in objective.real.layers:
            before = x.copy()
            first = layer.forward(x, training=True).copy()
            if not np.array_equal(x, before, equal_nan=True):
                raise InputError(f"{type(layer).__name__}.forward writes to its input; let it make a new array of it")
            second = layer.forward(x, training=True).copy()
            if not np.array_equal(first, second, equal_nan=True):
                inner = [part for _, part in layer.walk() if not part.children]
                return type(inner[0] if len(inner) == 1 else layer).__name__
            x = first
    return None


def impassable(objective: Objective) -> list[int]:
    """Return the places of the layers in which complex numbers do not give the derivative; the loss is the last.

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
    except Exception:  # whatever a loss of one's own does with complex numbers
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
    except Exception:  # whatever a layer of one's own does with complex numbers
        return False
    finally:
        for _, q in parameters:
            q.value.imag = 0
    scale = float(np.linalg.norm(central))
    return not np.isfinite(scale) or float(np.linalg.norm(slope - central)) <= _ALIKE * scale + 1e-7


def not_overwritten(objective: Objective, gradient: np.ndarray) -> list[str]:
    """Return what is to be said of a layer that adds to its gradient, or leaves it as it was."""
    after_ones = objective.backpropagation(first=1.0)
    for parameter in objective.real.parameters:
        if not np.allclose(
            after_ones[parameter.place], gradient[parameter.place], rtol=1e-6, atol=1e-9, equal_nan=True
        ):
            return [
                f"{parameter.name}: its gradient depends on what stood there before; backward must write all of it, "
                "with out= or [...] =, and not add to it"
            ]
    return []


def wrong_inputs(objective: Objective, generator: np.random.Generator) -> list[str]:
    """Return what is to be said if the gradient of the inputs is wrong, which layers below would be given."""
    dx = objective.of_inputs()
    for _ in range(3):
        direction = generator.standard_normal(dx.shape)
        analytic, numeric = float(np.sum(dx * direction)), objective.along_inputs(direction)
        if abs(analytic - numeric) > TOLERANCE * (abs(analytic) + abs(numeric) + 1e-3 * float(np.linalg.norm(dx))):
            return [
                f"the gradient of the inputs: along a random direction backpropagation says {analytic:.9g}, the "
                f"complex step says {numeric:.9g}; look at dx of the first layers"
            ]
    return []
