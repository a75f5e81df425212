"""An ensemble as a layer: several networks that answer together, and load, save and predict like one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from plainnet.errors import InputError
from plainnet.layers.layer import Layer, Shape, named
from plainnet.softmax import log_softmax


class Ensemble(Layer):
    """The mean of the log-probabilities that each member, a sequence of layers, gives: y = mean_k log softmax(z_k).

    The softmax of y is the geometric mean of the members' probabilities, normalized. Members are layers, or tables
    that describe them. Meant for networks that are trained: a training refuses an ensemble.

    Shapes: x (N, ...), the members' logits z_k (N, K), y (N, K).
    Gradient: dz_k = (dy - softmax(z_k) sum_j dy_j) / members; dx is the sum of the members' dx.

    Raises: `InputError` if there is no member, one has no layer, or they do not all end in as many logits.
    Source: Hansen, Salamon 1990, "Neural network ensembles".
    """

    def __init__(self, members: Sequence[Sequence[Layer | Mapping[str, Any]]]) -> None:
        from plainnet.layers import layer_from_config

        super().__init__()
        rows = isinstance(members, list | tuple) and all(isinstance(m, list | tuple) and len(m) > 0 for m in members)
        if not rows or len(members) == 0:
            raise InputError("members must be a list of lists of layers, one list a network, none of them empty")
        self.members = [
            [layer if isinstance(layer, Layer) else layer_from_config(layer) for layer in member] for member in members
        ]

    def build(self, in_shape: Shape) -> Shape:
        shapes = []
        for number, member in enumerate(self.members):
            shape = in_shape
            for name, layer in named(member):
                layer.parameters.clear()
                shape = layer.build(shape)
                for parameter in layer.parameters:
                    parameter.name = f"{number}.{name}.{parameter.name}"
                self.parameters += layer.parameters
                self.state |= {f"{number}.{name}.{key}": array for key, array in layer.state.items()}
            shapes.append(shape)
        if len(set(shapes)) > 1 or len(shapes[0]) != 1:
            raise InputError(f"the members of an ensemble must give logits (K,) of one size, received shapes {shapes}")
        return shapes[0]

    def forward(self, x: np.ndarray, *, training: bool = False) -> np.ndarray:
        log_p = []
        for member in self.members:
            z = x
            for layer in member:
                z = layer.forward(z, training=training)
            log_p.append(log_softmax(z))
        if training:
            self.remember(*log_p)
        y = self.buffer("y", log_p[0].shape, x.dtype, training=training)
        return np.mean(log_p, axis=0, out=y)

    def backward(self, dy: np.ndarray, *, need_dx: bool = True) -> np.ndarray | None:
        dx: np.ndarray | None = None
        for member, log_p in zip(self.members, self.recall(), strict=True):
            with np.errstate(under="ignore"):
                dz = (dy - np.exp(log_p) * dy.sum(axis=1, keepdims=True)) / len(self.members)
            for place, layer in reversed(list(enumerate(member))):
                dz = layer.backward(dz, need_dx=need_dx or place > 0)
            if need_dx:
                dx = dz.copy() if dx is None else dx + dz
        return dx

    def config(self) -> dict[str, Any]:
        return super().config() | {"members": [[layer.config() for layer in member] for member in self.members]}
