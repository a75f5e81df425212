"""Layer normalization: scale each example, on its own, to mean 0 and variance 1."""

from __future__ import annotations

import numpy as np

from plainnet.config import number
from plainnet.errors import InputError
from plainnet.initializers import ones, zeros
from plainnet.layers.layer import Layer, Shape
from plainnet.layers.long_sums import long_sum


class LayerNorm(Layer):
    """Layer normalization, y = gamma z + beta with z = (x - mean) / sqrt(variance + epsilon), over the last axis.

    Mean and variance are those of the C numbers of one example (for images, of one pixel). So training and evaluation
    compute the same, and batches can have any size.

    Shapes: x, y (N, ..., C); gamma, beta (C,).
    Gradients: dgamma = sum dy z, dbeta = sum dy, and with g = gamma dy,
    dx = (g - mean(g) - z mean(g z)) / sqrt(variance + epsilon), because each x moves the mean and the variance as well.

    Raises: `InputError` for an epsilon that is not positive.
    Source: Ba, Kiros, Hinton 2016, "Layer normalization".

    Example:
        >>> import numpy as np
        >>> from plainnet import Network
        >>> from plainnet.layers import LayerNorm
        >>> Network(LayerNorm()).build(2).logits(np.array([[1.0, 3.0], [10.0, 20.0]])).round(3).tolist()
        [[-1.0, 1.0], [-1.0, 1.0]]
    """

    def __init__(self, *, epsilon: float = 1e-5) -> None:
        super().__init__()
        if not 0.0 < number(epsilon, "epsilon") < float("inf"):
            raise InputError(f"epsilon must be a small positive number, received {epsilon}; 1e-5 is common")
        self.epsilon = epsilon

    def build(self, in_shape: Shape) -> Shape:
        self.gamma = self.declare("gamma", in_shape[-1:], ones)
        self.beta = self.declare("beta", in_shape[-1:], zeros)
        return in_shape

    def forward(self, x: np.ndarray, *, training: bool = False) -> np.ndarray:
        z = np.subtract(x, _mean(x), out=self.buffer("z", x.shape, x.dtype))
        z -= _mean(z)  # removes rounding errors if the mean is much larger than the deviation
        y = np.multiply(z, z, out=self.buffer("y", x.shape, x.dtype))
        inverse_deviation = 1 / np.sqrt(_mean(y) + self.epsilon)
        z *= inverse_deviation
        np.multiply(z, self.gamma.value, out=y)
        y += self.beta.value
        self.remember(z, inverse_deviation)
        return y

    def backward(self, dy: np.ndarray, *, need_dx: bool = True) -> np.ndarray | None:
        z, inverse_deviation = self.recall()
        dx = np.multiply(dy, z, out=self.buffer("dx", dy.shape, dy.dtype))
        channels = dy.shape[-1]
        self.gamma.grad[...] = long_sum(dx.reshape(-1, channels), 0)
        self.beta.grad[...] = long_sum(dy.reshape(-1, channels), 0)
        if not need_dx:
            return None
        dx *= self.gamma.value
        z *= _mean(dx)
        np.multiply(dy, self.gamma.value, out=dx)
        dx -= _mean(dx)
        dx -= z
        dx *= inverse_deviation
        return dx


def _mean(x: np.ndarray) -> np.ndarray:
    return x.mean(axis=-1, keepdims=True)  # NumPy adds along the last axis pairwise, with small rounding errors
