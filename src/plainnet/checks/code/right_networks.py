"""Whole networks: dense layers with one activation between them and softmax with cross-entropy at the end.

Recognized by their loss, and run backwards with each fault of their parts in turn.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import Any

import numpy as np

from plainnet.checks.code.right_layers import FAULTS, SHAPES, Backward, cross_entropy, dense, relu, sigmoid, tanh
from plainnet.checks.code.subject import Arrays, Setting
from plainnet.softmax import log_softmax

_ACTIVATIONS: dict[Backward, Callable[[np.ndarray], np.ndarray]] = {
    relu: lambda x: np.maximum(x, 0),
    sigmoid: lambda x: 0.5 * (1 + np.tanh(0.5 * x)),
    tanh: np.tanh,
}


class Mlp:
    """A recognized network: its layers, what flows through them, and the strength of its penalty, of lambda w^2."""

    def __init__(self, setting: Setting, layers: list[tuple[str, str]], x: np.ndarray, activation: Backward) -> None:
        self.parameters, self.layers, self.activation = setting.inputs, layers, activation
        self.labels = setting.labels if setting.labels is not None else np.zeros(0, int)
        self.inputs: list[np.ndarray] = []
        self.outputs: list[np.ndarray] = []
        for W, b in layers:
            self.inputs.append(x)
            self.outputs.append(x @ setting.inputs[W] + setting.inputs[b])
            x = _ACTIVATIONS[activation](self.outputs[-1])
        self.strength = 0.0

    def explains(self, value: float) -> bool:
        """Tell whether the loss is this network's cross-entropy plus a usual multiple of its squared weights."""
        losses = -log_softmax(self.outputs[-1])[np.arange(len(self.labels)), self.labels]
        squares = sum(float(np.sum(self.parameters[W] ** 2)) for W, _ in self.layers)
        self.strength = (value - float(losses.mean())) / squares
        return any(np.isclose(self.strength, usual, atol=1e-9) for usual in (0.0, 0.1, 0.05))

    @property
    def parts(self) -> list[Backward]:
        """What the network is made of: a dense layer, what follows it, a dense layer, what follows it ..."""
        parts: list[Backward] = [part for _ in self.layers for part in (dense, self.activation)]
        return [*parts[:-1], cross_entropy]

    def gradients(self, slug: str | None, at: int, shape: dict[str, Any]) -> Arrays:
        """Backpropagate with the fault `slug` in part number `at`."""

        def fault(part: int) -> str | None:
            return slug if part == at else None

        result: Arrays = {}
        last = len(self.layers) - 1
        options = {"labels": self.labels, "mean": True} | shape
        dy = cross_entropy({"x": self.outputs[last]}, 1.0, options, fault(2 * last + 1))["x"]
        for i in reversed(range(len(self.layers))):
            W, b = self.layers[i]
            arrays = {"x": self.inputs[i], W: self.parameters[W], b: self.parameters[b]}
            found = dense(arrays, dy, {"W": W, "b": b, "flipped": False}, fault(2 * i))
            result |= {W: found[W] + 2 * self.strength * self.parameters[W], b: found[b]}
            if i:
                dy = self.activation({"x": self.outputs[i - 1]}, found["x"], {}, fault(2 * i - 1))["x"]
        return result


def faulty_networks(setting: Setting) -> Iterator[tuple[str, Arrays, Arrays]]:
    """Yield slug, faulty gradients and right gradients for every fault in every part of a recognized network."""
    layers = _layers(setting.inputs)
    session: Any = setting.start()
    value = float(session.forward({name: array.copy() for name, array in setting.inputs.items()}))
    networks = [Mlp(setting, layers, session.x, activation) for activation in _ACTIVATIONS] if layers else []
    network = next((network for network in networks if network.explains(value)), None)
    if network is None:
        return
    right = network.gradients(None, -1, {})
    for at, part in enumerate(network.parts):
        for slug in FAULTS[part]:
            for shape in SHAPES.get(slug, ({},)):
                yield slug, network.gradients(slug, at, shape), right


def _layers(inputs: Arrays) -> list[tuple[str, str]]:
    """Return pairs of weight and bias names whose shapes fit one after the other, or nothing."""
    weights = [name for name, value in inputs.items() if value.ndim == 2 and 1 not in value.shape[:1]]
    biases = [name for name in inputs if name not in weights]
    pairs = list(zip(weights, biases, strict=False))
    chained = all(inputs[a].shape[1] == inputs[b].shape[0] for (a, _), (b, _) in pairwise(pairs))
    fits = all(inputs[W].shape[1] == inputs[b].size for W, b in pairs)
    return pairs if pairs and len(weights) == len(biases) and chained and fits else []
