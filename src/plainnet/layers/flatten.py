"""Flatten: turn images into vectors, so that fully connected layers can follow."""

from __future__ import annotations

import math

import numpy as np

from plainnet.layers.layer import Layer, Shape


class Flatten(Layer):
    """Lay out each example as one vector, y = reshape(x).

    Shapes: x (N, H, W, ...), y (N, H W ...).
    Gradient: dx = reshape(dy).

    Example:
        >>> import numpy as np
        >>> from plainnet import Flatten
        >>> Flatten().forward(np.array([[[1.0, 2.0], [3.0, 4.0]]])).tolist()
        [[1.0, 2.0, 3.0, 4.0]]
    """

    def build(self, in_shape: Shape) -> Shape:
        self.in_shape = in_shape
        return (math.prod(in_shape),)

    def forward(self, x: np.ndarray, *, training: bool = False) -> np.ndarray:
        self.remember()
        return x.reshape(len(x), -1)

    def backward(self, dy: np.ndarray, *, need_dx: bool = True) -> np.ndarray | None:
        self.recall()
        return dy.reshape(len(dy), *self.in_shape)
