"""The fully connected layer: every output is a weighted sum of every input."""

from __future__ import annotations

import math

import numpy as np

from plainnet.config import number, whole_number
from plainnet.errors import InputError
from plainnet.initializers import Initializer, as_initializer, he_normal, zeros
from plainnet.layers.layer import Layer, Shape
from plainnet.layers.long_sums import long_sum


class Dense(Layer):
    """Fully connected layer, y = x W + b.

    Shapes: x (N, D), W (D, M), b (M,), y (N, M) with M = `units`.
    Gradients: dW = x^T dy, db = sum_n dy, dx = dy W^T.

    With `max_norm` c, each unit's weights (a column of W) are scaled back to the Euclidean length c after an update
    that makes them longer.

    Raises: `InputError` if `units` is not a positive whole number, `max_norm` is not a positive number, or an example
    is not a vector.
    Source: Rumelhart, Hinton, Williams 1986, "Learning representations by back-propagating errors";
    Srivastava et al. 2014, "Dropout", section 5.1, for `max_norm`.

    Example:
        >>> import numpy as np
        >>> from plainnet import Dense, Network
        >>> weights = {"dense_1.W": np.array([[1.0], [2.0]]), "dense_1.b": np.array([0.5])}
        >>> Network(Dense(1)).build(2, values=weights).logits(np.array([[3.0, 4.0]])).tolist()  # 3 1 + 4 2 + 0.5
        [[11.5]]
    """

    def __init__(
        self, units: int, *, initializer: Initializer | str = he_normal, max_norm: float | None = None
    ) -> None:
        super().__init__()
        self.units = whole_number(units, "units")
        self.initializer = as_initializer(initializer)
        if max_norm is not None and not 0.0 < number(max_norm, "max_norm") < math.inf:
            raise InputError(f"max_norm must be a positive number, received {max_norm}; leave it out for no limit")
        self.max_norm = max_norm

    def build(self, in_shape: Shape) -> Shape:
        if len(in_shape) != 1:
            raise InputError(
                f"Dense expects examples with one dimension, received shape {in_shape}; "
                f"put Flatten() before it to make that ({math.prod(in_shape)},)"
            )
        self.W = self.declare("W", (in_shape[0], self.units), self.initializer, fan_in=in_shape[0], decay=True)
        self.b = self.declare("b", (self.units,), zeros)
        return (self.units,)

    def forward(self, x: np.ndarray, *, training: bool = False) -> np.ndarray:
        y = self.buffer("y", (len(x), self.units), x.dtype)
        np.matmul(x, self.W.value, out=y)
        y += self.b.value
        self.remember(x)
        return y

    def backward(self, dy: np.ndarray, *, need_dx: bool = True) -> np.ndarray | None:
        (x,) = self.recall()
        np.matmul(x.T, dy, out=self.W.grad)
        self.b.grad[...] = long_sum(dy, 0)
        if not need_dx:
            return None
        dx = self.buffer("dx", x.shape, x.dtype)
        np.matmul(dy, self.W.value.T, out=dx)
        return dx

    def constrain(self) -> None:
        if self.max_norm is not None:
            W = self.W.value
            lengths = np.sqrt(np.einsum("dm,dm->m", W, W))
            W *= self.max_norm / np.maximum(lengths.astype(float), self.max_norm)
