"""Activation functions: applied to each number by itself, they make a network more than one matrix product."""

from __future__ import annotations

import numpy as np

from plainnet.layers.layer import Layer


class ReLU(Layer):
    """Rectified linear unit, y = max(x, 0).

    Shapes: x, y (N, ...).
    Gradient: dx = dy where x > 0, else 0. At x = 0, where the function has a kink, we choose 0.

    Source: Nair, Hinton 2010, "Rectified linear units improve restricted Boltzmann machines".
    """

    def forward(self, x: np.ndarray, *, training: bool = False) -> np.ndarray:
        y = self.buffer("y", x.shape, x.dtype, training=training)
        if np.iscomplexobj(x):
            np.multiply(x, x.real > 0, out=y)  # max(x, 0) by the real part; NumPy orders complex numbers otherwise
        else:
            np.clip(x, 0, np.inf, out=y)  # NumPy is quicker with two bounds than with one
        if training:
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
    """

    def forward(self, x: np.ndarray, *, training: bool = False) -> np.ndarray:
        y = self.buffer("y", x.shape, x.dtype, training=training)
        np.multiply(x, 0.5, out=y)
        np.tanh(y, out=y)
        y += 1.0
        y *= 0.5
        if training:
            self.remember(y)
        return y

    def backward(self, dy: np.ndarray, *, need_dx: bool = True) -> np.ndarray | None:
        (y,) = self.recall()
        dx = self.buffer("dx", y.shape, y.dtype)
        np.subtract(1.0, y, out=dx)
        dx *= y
        dx *= dy
        return dx


class Tanh(Layer):
    """Hyperbolic tangent, y = tanh(x).

    Shapes: x, y (N, ...).
    Gradient: dx = dy (1 - y^2).
    """

    def forward(self, x: np.ndarray, *, training: bool = False) -> np.ndarray:
        y = self.buffer("y", x.shape, x.dtype, training=training)
        np.tanh(x, out=y)
        if training:
            self.remember(y)
        return y

    def backward(self, dy: np.ndarray, *, need_dx: bool = True) -> np.ndarray | None:
        (y,) = self.recall()
        dx = self.buffer("dx", y.shape, y.dtype)
        np.multiply(y, y, out=dx)
        np.subtract(1.0, dx, out=dx)
        dx *= dy
        return dx
