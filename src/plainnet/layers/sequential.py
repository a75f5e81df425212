"""Containers: layers made of layers, either in sequence, or beside a shortcut (a residual block)."""

from __future__ import annotations

import numpy as np

from plainnet.context import current
from plainnet.errors import InputError
from plainnet.layers.layer import Layer, Shape, adopt_all


class Sequential(Layer):
    """Layers in sequence, y = f_n(...f_2(f_1(x))).

    Shapes: each layer takes the output of the one before it.
    Gradient: by the chain rule, from the last layer to the first.
    Raises: `InputError` if there is no layer, or one belongs to another network or layer already.

    Example:
        >>> import numpy as np
        >>> from plainnet import ReLU
        >>> from plainnet.layers import LeakyReLU, Sequential
        >>> Sequential(LeakyReLU(0.5), ReLU()).forward(np.array([[-2.0, 3.0]])).tolist()  # -2, then -1, then 0
        [[0.0, 3.0]]
    """

    def __init__(self, *layers: Layer) -> None:
        super().__init__()
        if not layers:
            raise InputError(f"a {type(self).__name__.lower()} needs at least one layer; begin with Dense(10)")
        adopt_all(self, list(layers))

    @property
    def layers(self) -> tuple[Layer, ...]:
        """The layers, in their order."""
        return tuple(self.children.values())

    def build(self, in_shape: Shape) -> Shape:
        self.out_shapes: list[Shape] = []
        for layer in self.layers:
            in_shape = layer.set_up(in_shape)
            self.out_shapes.append(in_shape)
        self.lowest = next((i for i, layer in enumerate(self.layers) if layer.learns()), len(self.layers))
        return in_shape

    def forward(self, x: np.ndarray, *, training: bool = False) -> np.ndarray:
        for layer in self.children.values():
            x = layer.forward(x, training=training)
            if x is None:
                raise InputError(f"{type(layer).__name__}.forward returned nothing; end it with return y")
        return x

    def backward(self, dy: np.ndarray, *, need_dx: bool = True) -> np.ndarray | None:
        """Write all gradients; below the lowest layer with parameters, compute dx only if the caller needs it."""
        lowest = 0 if need_dx else self.lowest
        dx: np.ndarray | None = dy
        for index, layer in reversed(list(enumerate(self.children.values()))[lowest:]):
            asked = need_dx or index > lowest
            dx = layer.backward(dx, need_dx=asked)  # type: ignore[arg-type]
            if asked and dx is None:
                raise InputError(f"{type(layer).__name__}.backward returned nothing; end it with return dx")
            current().on_gradient(layer)
        return dx if need_dx else None


class Residual(Sequential):
    """Layers beside a shortcut, y = x + f(x): f only has to learn the change of x.

    Shapes: x, f(x), y (N, ...), all of one shape.
    Gradient: dx = dy + (df/dx)^T dy.

    Raises: `InputError` if f changes the shape.
    Source: He et al. 2016, "Deep residual learning for image recognition".

    Example:
        >>> import numpy as np
        >>> from plainnet import ReLU
        >>> from plainnet.layers import Residual
        >>> Residual(ReLU()).forward(np.array([[-1.0, 2.0]])).tolist()
        [[-1.0, 4.0]]
    """

    def build(self, in_shape: Shape) -> Shape:
        out_shape = super().build(in_shape)
        if out_shape != in_shape:
            raise InputError(
                f"the layers of Residual must keep the shape {in_shape} to which they are added, received {out_shape}"
            )
        return in_shape

    def forward(self, x: np.ndarray, *, training: bool = False) -> np.ndarray:
        change = super().forward(x, training=training)
        return np.add(x, change, out=self.buffer("y", x.shape, x.dtype))

    def backward(self, dy: np.ndarray, *, need_dx: bool = True) -> np.ndarray | None:
        change = super().backward(dy, need_dx=need_dx)
        return None if change is None else np.add(dy, change, out=self.buffer("dx", dy.shape, dy.dtype))
