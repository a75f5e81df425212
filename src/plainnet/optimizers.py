"""Optimizers: how the weights follow the gradient. They know two flat vectors and nothing about layers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

import numpy as np

from plainnet.errors import InputError


class Optimizer(Protocol):
    """What every optimizer offers: one step, which updates theta (P,) in place from its gradient (P,)."""

    def step(self, theta: np.ndarray, grad: np.ndarray, learning_rate: float, *, decayed: int = 0) -> None: ...


class SGD:
    """Stochastic gradient descent with momentum, weight decay and clipping by value.

    For every weight w with gradient g, in this order:

        g = clip(g, -clip, clip)        only if `clip` is given
        g = g + weight_decay w          for weights, not for biases (L2 regularization)
        v = momentum v - learning_rate g
        w = w + v

    Arguments: momentum in [0, 1), weight_decay at least 0, clip above 0 or None.
    Raises: `InputError` for a value outside these ranges.
    Source: Polyak 1964, "Some methods of speeding up the convergence of iteration methods".
    """

    def __init__(self, *, momentum: float = 0.0, weight_decay: float = 0.0, clip: float | None = None) -> None:
        if not 0.0 <= momentum < 1.0:
            raise InputError(f"momentum must be at least 0 and below 1, received {momentum}; 0.9 is common")
        if not 0.0 <= weight_decay < float("inf"):
            raise InputError(f"weight_decay must be at least 0, received {weight_decay}; 0 turns it off")
        if clip is not None and not clip > 0.0:
            raise InputError(f"clip must be above 0, received {clip}; leave it out for no clipping")
        self.momentum = momentum
        self.weight_decay = weight_decay
        self.clip = clip
        self._theta: np.ndarray | None = None  # the vector that the velocity belongs to

    def step(self, theta: np.ndarray, grad: np.ndarray, learning_rate: float, *, decayed: int = 0) -> None:
        """Update `theta` in place by one step; `grad` is left as it is.

        Shapes: theta, grad (P,), of which weight decay applies to the first `decayed` values.
        """
        if self._theta is not theta:
            self._theta, self.velocity, self._scratch = theta, np.zeros_like(theta), np.empty_like(theta)
        self.velocity *= self.momentum
        if self.weight_decay:
            decay = self._scratch[:decayed]
            np.multiply(theta[:decayed], learning_rate * self.weight_decay, out=decay)
            self.velocity[:decayed] -= decay
        if self.clip is None:
            np.multiply(grad, learning_rate, out=self._scratch)
        else:
            np.clip(grad, -self.clip, self.clip, out=self._scratch)
            self._scratch *= learning_rate
        self.velocity -= self._scratch
        theta += self.velocity


OPTIMIZERS: dict[str, Callable[..., Optimizer]] = {"SGD": SGD}
