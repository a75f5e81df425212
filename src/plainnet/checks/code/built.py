"""Layers that derive from plainnet's: each is built into a network of one layer, in float64, and examined there."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from types import ModuleType
from typing import Any

import numpy as np

from plainnet.checks.code.constructing import constructions
from plainnet.checks.code.episode import Episode, Names
from plainnet.checks.code.roles import D, M, N, random
from plainnet.context import Context
from plainnet.errors import InputError
from plainnet.layers.layer import Layer
from plainnet.network import Network

_SHAPES = ((N, D), (N, M), (3, 5, 6, 2), (1, D))
REBOUND = "must be written into, not replaced"


class Built:
    """A layer with copies of its parameters: forward writes them into the layer, backward reads their gradients from the network."""

    def __init__(self, layer: Any, in_shape: tuple[int, ...]) -> None:
        network = Network(layer).build(in_shape, rng=0, dtype=np.float64)
        self.parameters = {p.name.rpartition(".")[2]: np.array(p.value) for p in network.parameters}
        self.passes = _passes(network, layer)

    def forward(self, x: np.ndarray) -> np.ndarray:
        """Return the output for the parameters of this object."""
        output: np.ndarray = self.passes[0](self.parameters, x)
        return output

    def backward(self, dy: np.ndarray) -> dict[str, np.ndarray]:
        """Return the gradients: dx, and for each parameter one under d plus its name, such as dW for W."""
        gradients: dict[str, np.ndarray] = self.passes[1](dy)
        return gradients


def _passes(network: Network, layer: Any) -> tuple[Callable[..., Any], Callable[..., Any]]:
    """Return forward and backward as functions, so that copying their holder does not copy the network."""
    context = Context()

    def forward(parameters: Names, x: np.ndarray) -> np.ndarray:
        for parameter in network.parameters:
            parameter.value[...] = parameters[parameter.name.rpartition(".")[2]]
        with context:
            return np.array(layer.forward(x, training=True))

    def backward(dy: np.ndarray) -> dict[str, np.ndarray]:
        with context:
            dx = layer.backward(dy)
            found = {f"d{p.name.rpartition('.')[2]}": np.array(p.grad) for p in network.parameters}
        return found if dx is None else {"dx": np.array(dx)} | found

    return forward, backward


def is_ours(kind: type) -> bool:
    """Return whether a class derives from a layer of plainnet."""
    return issubclass(kind, Layer)


def episodes_of_layer(kind: type, module: ModuleType) -> Iterator[Episode]:
    """Yield ways to run a class that derives from a layer of plainnet."""
    for label, layer in constructions(kind, module):
        for shape in _SHAPES:
            try:
                built = Built(layer, shape[1:])
            except (InputError, TypeError, ValueError, IndexError):
                continue
            yield Episode(
                kind.__name__, "layer", f"{label or 'no arguments'}, x {shape}", {"self": built, "x": random(*shape)},
                _forward, _backward, {"forward": kind.forward, "backward": kind.backward}, upstream=True, given=frozenset({"x"}),  # type: ignore[attr-defined]
                inputs=("x",), batch=shape[0], module=module, way=(len(shape),),
            )  # fmt: skip


def _forward(names: Names) -> None:
    names["<out>"] = names["self"].forward(names["x"])


def _backward(names: Names, dy: Any) -> Any:
    return names["self"].backward(dy)
