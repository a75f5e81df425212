"""The network of an estimator, built from `hidden_layer_sizes` or `layers`, with its initial weights."""

from __future__ import annotations

import copy
import math
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from plainnet.errors import InputError
from plainnet.layers import Dense, Dropout, Flatten, Layer, ReLU, Sigmoid, Tanh
from plainnet.network import Network

ACTIVATIONS: dict[str, type[Layer] | None] = {"identity": None, "logistic": Sigmoid, "tanh": Tanh, "relu": ReLU}


def hidden_sizes(given: Any) -> list[int]:
    """Return `hidden_layer_sizes`, one number or several, as a list.

    Raises: `InputError` unless all are whole numbers of at least 1.
    """
    sizes = list(given) if np.iterable(given) else [given]
    if not all(isinstance(size, int | np.integer) and size > 0 for size in sizes):
        raise InputError(f"hidden_layer_sizes must be > 0, got {sizes}: whole numbers of units.")
    return [int(size) for size in sizes]


def example_shape(features: int, given: Sequence[int] | None) -> tuple[int, ...]:
    """Return the shape of one example: `image_shape` if given, else (features,).

    Raises: `InputError` if `image_shape` does not hold as many numbers as there are features.
    """
    shape = (features,) if given is None else tuple(int(size) for size in given)
    if math.prod(shape) != features:
        raise InputError(f"image_shape {shape} holds {math.prod(shape):,} numbers, but X has {features:,} features")
    return shape


def network(estimator: Any, features: int, outputs: int, dtype: np.dtype, random: np.random.RandomState) -> Network:
    """Return the network with its initial weights.

    With `hidden_layer_sizes`, weights and biases are drawn as in scikit-learn, uniformly between -b and b with
    b = sqrt(6 / (fan in + fan out)), or sqrt(2 / ...) before a logistic function. With `layers`, each layer's
    initializer draws them.

    Source: Glorot, Bengio 2010, "Understanding the difficulty of training deep feedforward neural networks".
    """
    shape = example_shape(features, estimator.image_shape)
    if estimator.layers is not None:
        given = copy.deepcopy(list(estimator.layers))
        if not all(isinstance(layer, Layer) for layer in given):
            raise InputError("layers must be a list of layers such as [Dense(100), ReLU()], without the last Dense")
        made = Network(*given, Dense(outputs))
        return made.build(shape, rng=int(random.randint(2**31 - 1)), dtype=dtype)
    sizes = hidden_sizes(estimator.hidden_layer_sizes)
    activation = ACTIVATIONS[estimator.activation]
    layers: list[Layer] = [Flatten()] if len(shape) > 1 else []
    for size in sizes:
        layers.append(Dense(size))
        if activation is not None:
            layers.append(activation())
        if estimator.dropout:
            layers.append(Dropout(estimator.dropout))
    layers.append(Dense(outputs))
    values = {}
    factor = 2.0 if estimator.activation == "logistic" else 6.0
    widths = [features, *sizes, outputs]
    for number, (fan_in, fan_out) in enumerate(pairwise(widths), start=1):
        bound = math.sqrt(factor / (fan_in + fan_out))
        values[f"dense_{number}.W"] = random.uniform(-bound, bound, (fan_in, fan_out))
        values[f"dense_{number}.b"] = random.uniform(-bound, bound, fan_out)
    return Network(*layers).build(
        shape, dtype=dtype, values=values, rng=int(random.randint(2**31 - 1)) if estimator.dropout else 0
    )


def dense_layers(network: Network) -> list[Dense]:
    """Return the network's dense layers in order: scikit-learn's coefs_ and intercepts_ are their W and b."""
    return [layer for _, layer in network.walk() if isinstance(layer, Dense)]
