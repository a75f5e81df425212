"""Gaussian noise: add small random numbers in training, so that a network does not depend on small differences."""

from __future__ import annotations

import numpy as np

from plainnet.config import number
from plainnet.errors import InputError
from plainnet.layers.drawing import drawn
from plainnet.layers.layer import Layer


class GaussianNoise(Layer):
    """Additive noise, y = x + deviation n in training, each n drawn from the standard normal distribution.

    In evaluation y = x. A gradient check needs a function that does not change, so it uses fixed noise, the same for
    all examples.

    Shapes: x, y (N, ...).
    Gradient: dx = dy.

    Raises: `InputError` for a negative deviation.
    Source: Bishop 1995, "Training with noise is equivalent to Tikhonov regularization".

    Example:
        >>> import numpy as np
        >>> from plainnet.layers import GaussianNoise
        >>> layer, x = GaussianNoise(0.5), np.zeros((1, 100_000))
        >>> layer.forward(x, training=True).std().round(1).item(), layer.forward(x).std().item()
        (0.5, 0.0)
    """

    def __init__(self, deviation: float) -> None:
        super().__init__()
        if not 0.0 <= number(deviation, "deviation") < float("inf"):
            raise InputError(f"deviation must be at least 0, received {deviation}; 0.3 is high for pixels from 0 to 1")
        self.deviation = deviation

    def forward(self, x: np.ndarray, *, training: bool = False) -> np.ndarray:
        self.remember()
        if not training:
            return x
        noise = drawn(self, "standard_normal", x.shape)
        noise *= self.deviation
        y = self.buffer("y", x.shape, x.dtype)
        np.add(x, noise, out=y)
        return y

    def backward(self, dy: np.ndarray, *, need_dx: bool = True) -> np.ndarray | None:
        self.recall()
        return dy
