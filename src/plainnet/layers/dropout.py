"""Dropout: leave out units at random during training, so that no unit can rely on any other."""

from __future__ import annotations

import numpy as np

from plainnet.config import number
from plainnet.errors import InputError
from plainnet.layers.drawing import drawn
from plainnet.layers.layer import Layer


class Dropout(Layer):
    """Inverted dropout: y = m x in training, where m is 0 with probability `rate` and otherwise 1 / (1 - rate).

    In evaluation y = x. Every forward pass in training draws a new mask. A gradient check needs a function that does
    not change, so it uses one fixed mask for all examples.

    Shapes: x, y (N, ...).
    Gradient: dx = m dy, with the mask of the forward pass.

    Raises: `InputError` for a rate outside [0, 1).
    Source: Srivastava et al. 2014, "Dropout: a simple way to prevent neural networks from overfitting".

    Example:
        >>> import numpy as np
        >>> from plainnet import Dropout
        >>> dropout, x = Dropout(0.5), np.ones((1, 1000))
        >>> sorted(set(dropout.forward(x, training=True)[0].tolist())), dropout.forward(x).max().item()
        ([0.0, 2.0], 1.0)
    """

    def __init__(self, rate: float) -> None:
        super().__init__()
        if not 0.0 <= number(rate, "rate") < 1.0:
            raise InputError(f"rate must be at least 0 and below 1, received {rate}; 0.5 leaves out half of the units")
        self.rate = rate

    def forward(self, x: np.ndarray, *, training: bool = False) -> np.ndarray:
        if not training:
            self.remember()
            return x
        kept = np.greater_equal(drawn(self, "random", x.shape), self.rate, out=self.buffer("kept", x.shape, bool))
        mask = self.buffer("mask", x.shape, x.real.dtype)
        np.multiply(kept, 1 / (1 - self.rate), out=mask)
        self.remember(mask)
        y = self.buffer("y", x.shape, x.dtype)
        np.multiply(x, mask, out=y)
        return y

    def backward(self, dy: np.ndarray, *, need_dx: bool = True) -> np.ndarray | None:
        for mask in self.recall():  # none in evaluation
            dy = np.multiply(dy, mask, out=self.buffer("dx", dy.shape, dy.dtype))
        return dy
