"""Initial values of the weights: random, so that units differ, and scaled, so that signals keep their size."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from plainnet.errors import InputError

Initializer = Callable[["np.random.Generator", tuple[int, ...], int], np.ndarray]


def he_normal(rng: np.random.Generator, shape: tuple[int, ...], fan_in: int) -> np.ndarray:
    """Draw from N(0, sigma^2) with sigma = sqrt(2 / fan_in).

    A ReLU zeroes half of its inputs; the factor 2 makes up for the variance lost.
    `fan_in` is the number of inputs each unit sums over.
    Source: He et al. 2015, "Delving deep into rectifiers", section 2.2.
    """
    return rng.normal(0.0, math.sqrt(2.0 / fan_in), shape)


def zeros(rng: np.random.Generator, shape: tuple[int, ...], fan_in: int) -> np.ndarray:
    """Return zeros: right for biases, wrong for weights (all units would stay identical)."""
    return np.zeros(shape)


def ones(rng: np.random.Generator, shape: tuple[int, ...], fan_in: int) -> np.ndarray:
    """Return ones: right for scale factors, which then change nothing at first."""
    return np.ones(shape)


INITIALIZERS: dict[str, Initializer] = {"he_normal": he_normal, "ones": ones, "zeros": zeros}
_OWN = "own: "  # prefix, in files, of the name of an initializer that is not in the table


def name_of(initializer: Initializer) -> str:
    """Return the name that a file stores for an initializer."""
    known = (name for name, function in INITIALIZERS.items() if function is initializer)
    own = getattr(initializer, "__name__", type(initializer).__name__)
    return next(known, own if own.startswith(_OWN) else f"{_OWN}{own}")


def as_initializer(given: Initializer | str) -> Initializer:
    """Return the function that `given` is or names.

    A model file may name an initializer that its author wrote. The file can be loaded, because its weights are already
    drawn; only drawing new weights raises an error.

    Raises: `InputError` for an unknown name, or something that is not a function.
    """
    if isinstance(given, str) and given.startswith(_OWN):

        def missing(rng: np.random.Generator, shape: tuple[int, ...], fan_in: int) -> np.ndarray:
            raise InputError(f"this layer needs its author's initializer {given!r} to draw new weights; choose another")

        missing.__name__ = given
        return missing
    if isinstance(given, str) and given in INITIALIZERS:
        return INITIALIZERS[given]
    if not callable(given):
        raise InputError(
            f"initializer must be a function such as he_normal, or one of {', '.join(INITIALIZERS)}, received {given!r}"
        )
    return given
