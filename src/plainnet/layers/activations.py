"""Activation functions, applied to each number separately; dense layers alone would be one matrix product."""

from __future__ import annotations

import math

import numpy as np

from plainnet.config import number
from plainnet.errors import InputError
from plainnet.layers.layer import Layer


class ReLU(Layer):
    """Rectified linear unit, y = max(x, 0).

    Shapes: x, y (N, ...).
    Gradient: dx = dy where x > 0, else 0. At x = 0, where the function has a kink, we choose 0.

    Source: Nair, Hinton 2010, "Rectified linear units improve restricted Boltzmann machines".

    Example:
        >>> import numpy as np
        >>> from plainnet import ReLU
        >>> ReLU().forward(np.array([[-1.0, 2.0]])).tolist()
        [[0.0, 2.0]]
    """

    def forward(self, x: np.ndarray, *, training: bool = False) -> np.ndarray:
        y = self.buffer("y", x.shape, x.dtype)
        if np.iscomplexobj(x):
            np.multiply(x, x.real > 0, out=y)  # max(x, 0) by the real part; NumPy orders complex numbers differently
        else:
            np.clip(x, 0, np.inf, out=y)  # NumPy is faster with two bounds than with one
        self.remember(y)
        return y

    def backward(self, dy: np.ndarray, *, need_dx: bool = True) -> np.ndarray | None:
        (y,) = self.recall()
        positive = np.greater(y.real, 0, out=self.buffer("positive", y.shape, bool))  # y > 0 exactly where x > 0
        dx = self.buffer("dx", y.shape, y.dtype)
        np.multiply(dy, positive, out=dx)
        return dx


class Sigmoid(Layer):
    """Logistic function, y = 1 / (1 + exp(-x)) = (1 + tanh(x / 2)) / 2; the second form cannot overflow.

    Shapes: x, y (N, ...).
    Gradient: dx = dy y (1 - y).

    Example:
        >>> import numpy as np
        >>> from plainnet import Sigmoid
        >>> Sigmoid().forward(np.array([[0.0, np.log(3.0)]])).round(3).tolist()
        [[0.5, 0.75]]
    """

    def forward(self, x: np.ndarray, *, training: bool = False) -> np.ndarray:
        y = _logistic(x, self.buffer("y", x.shape, x.dtype))
        self.remember(y)
        return y

    def backward(self, dy: np.ndarray, *, need_dx: bool = True) -> np.ndarray | None:
        (y,) = self.recall()
        dx = self.buffer("dx", y.shape, y.dtype)
        np.subtract(1.0, y, out=dx)
        dx *= y
        dx *= dy
        return dx


def _logistic(x: np.ndarray, out: np.ndarray) -> np.ndarray:
    """Write (1 + tanh(x / 2)) / 2 to `out` and return it."""
    np.multiply(x, 0.5, out=out)
    np.tanh(out, out=out)
    out += 1.0
    out *= 0.5
    return out


class Tanh(Layer):
    """Hyperbolic tangent, y = tanh(x).

    Shapes: x, y (N, ...).
    Gradient: dx = dy (1 - y^2).

    Example:
        >>> import numpy as np
        >>> from plainnet import Tanh
        >>> Tanh().forward(np.array([[0.0, np.log(2.0)]])).round(3).tolist()
        [[0.0, 0.6]]
    """

    def forward(self, x: np.ndarray, *, training: bool = False) -> np.ndarray:
        y = self.buffer("y", x.shape, x.dtype)
        np.tanh(x, out=y)
        self.remember(y)
        return y

    def backward(self, dy: np.ndarray, *, need_dx: bool = True) -> np.ndarray | None:
        (y,) = self.recall()
        dx = self.buffer("dx", y.shape, y.dtype)
        np.multiply(y, y, out=dx)
        np.subtract(1.0, dx, out=dx)
        dx *= dy
        return dx


class LeakyReLU(Layer):
    """Rectified linear unit with a small slope for negative inputs, y = x where x > 0, else slope x.

    Shapes: x, y (N, ...).
    Gradient: dx = dy where x > 0, else slope dy.

    Raises: `InputError` for a slope outside [0, 1).
    Source: Maas, Hannun, Ng 2013, "Rectifier nonlinearities improve neural network acoustic models".

    Example:
        >>> import numpy as np
        >>> from plainnet.layers import LeakyReLU
        >>> LeakyReLU(slope=0.25).forward(np.array([[-1.0, 2.0]])).tolist()
        [[-0.25, 2.0]]
    """

    def __init__(self, slope: float = 0.01) -> None:
        super().__init__()
        if not 0.0 <= number(slope, "slope") < 1.0:
            raise InputError(f"slope must be at least 0 and below 1, received {slope}; 0.01 is common")
        self.slope = slope

    def forward(self, x: np.ndarray, *, training: bool = False) -> np.ndarray:
        factor = self.buffer("factor", x.shape, x.real.dtype)
        factor[...] = np.where(x.real > 0, 1, self.slope)
        self.remember(factor)
        return np.multiply(x, factor, out=self.buffer("y", x.shape, x.dtype))

    def backward(self, dy: np.ndarray, *, need_dx: bool = True) -> np.ndarray | None:
        (factor,) = self.recall()
        return np.multiply(dy, factor, out=self.buffer("dx", dy.shape, dy.dtype))


class SiLU(Layer):
    """Sigmoid linear unit, also called swish, y = x s(x) with s(x) = 1 / (1 + exp(-x)).

    Shapes: x, y (N, ...).
    Gradient: dx = dy s (1 + x (1 - s)) = dy (s + y (1 - s)).

    Source: Elfwing, Uchibe, Doya 2018, "Sigmoid-weighted linear units for neural network function approximation".

    Example:
        >>> import numpy as np
        >>> from plainnet.layers import SiLU
        >>> SiLU().forward(np.array([[-1.0, 0.0, 1.0]])).round(3).tolist()
        [[-0.269, 0.0, 0.731]]
    """

    def forward(self, x: np.ndarray, *, training: bool = False) -> np.ndarray:
        s = _logistic(x, self.buffer("s", x.shape, x.dtype))
        y = np.multiply(x, s, out=self.buffer("y", x.shape, x.dtype))
        self.remember(s, y)
        return y

    def backward(self, dy: np.ndarray, *, need_dx: bool = True) -> np.ndarray | None:
        s, y = self.recall()
        dx = np.subtract(1.0, s, out=self.buffer("dx", dy.shape, dy.dtype))
        dx *= y
        dx += s
        dx *= dy
        return dx


class GELU(Layer):
    """Gaussian error linear unit, y = x (1 + t) / 2 with t = tanh(sqrt(2 / pi) (x + 0.044715 x^3)).

    (1 + t) / 2 is the usual approximation, accurate to 0.0005, of the cumulative distribution function of N(0, 1).

    Shapes: x, y (N, ...).
    Gradient: dx = dy ((1 + t) + x (1 - t^2) sqrt(2 / pi) (1 + 3 * 0.044715 x^2)) / 2.

    Source: Hendrycks, Gimpel 2016, "Gaussian error linear units", with its approximation.

    Example:
        >>> import numpy as np
        >>> from plainnet.layers import GELU
        >>> GELU().forward(np.array([[-1.0, 0.0, 1.0]])).round(3).tolist()
        [[-0.159, 0.0, 0.841]]
    """

    _SCALE, _CUBE = math.sqrt(2 / math.pi), 0.044715

    def forward(self, x: np.ndarray, *, training: bool = False) -> np.ndarray:
        t = self.buffer("t", x.shape, x.dtype)
        np.multiply(x, x, out=t)
        t *= self._CUBE
        t += 1.0
        t *= x
        t *= self._SCALE
        np.tanh(t, out=t)
        y = np.add(t, 1.0, out=self.buffer("y", x.shape, x.dtype))
        y *= x
        y *= 0.5
        self.remember(x, t)
        return y

    def backward(self, dy: np.ndarray, *, need_dx: bool = True) -> np.ndarray | None:
        x, t = self.recall()
        slope = np.multiply(x, x, out=self.buffer("slope", x.shape, x.dtype))
        slope *= 3 * self._CUBE
        slope += 1.0
        slope *= self._SCALE
        slope *= x
        dx = np.multiply(t, t, out=self.buffer("dx", x.shape, x.dtype))
        np.subtract(1.0, dx, out=dx)
        dx *= slope
        dx += t
        dx += 1.0
        dx *= dy
        dx *= 0.5
        return dx
