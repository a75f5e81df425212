"""Optimizers: how the weights follow the gradient. They know flat vectors and nothing about layers."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Protocol

import numpy as np

from plainnet.config import number
from plainnet.errors import InputError


class Optimizer(Protocol):
    """What every optimizer offers: one step, which updates theta in place from its gradient.

    `vectors` (4, P) holds theta in row 1 and the gradient in row 2; rows 0 and 3 are the optimizer's own memory.
    They lie side by side so that an update can be one matrix product. Weight decay applies to the first `decayed`
    parameters. `steps` counts the steps made; with them and the four rows, `begin` takes an optimizer to where another
    one stopped.
    """

    steps: int

    def step(self, vectors: np.ndarray, learning_rate: float, *, decayed: int = 0) -> None: ...

    def begin(self, vectors: np.ndarray, steps: int = 0) -> None: ...


class _Memory:
    """What all our optimizers share: the vectors they have last worked on, and how many steps they made there."""

    steps = 0
    _vectors: np.ndarray | None = None

    def begin(self, vectors: np.ndarray, steps: int = 0) -> None:
        """Take rows 0 and 3 of `vectors` as memory, as it stands after so many steps; before the first it is zero."""
        self._vectors, self.steps = vectors, steps
        if steps == 0:
            vectors[0] = vectors[3] = 0.0


class SGD(_Memory):
    """Stochastic gradient descent with momentum, weight decay and clipping by value.

    For every weight w with gradient g, in this order:

        g = clip(g, -clip, clip)        only if `clip` is given
        g = g + weight_decay w          for weights, not for biases (L2 regularization)
        v = momentum v - learning_rate g
        w = w + v                                     or, with `nesterov`, w + momentum v - learning_rate g

    Arguments: momentum in [0, 1), weight_decay at least 0, clip above 0 or None.
    Raises: `InputError` for a value outside these ranges.
    Sources: Polyak 1964, "Some methods of speeding up the convergence of iteration methods"; Sutskever et al. 2013, "On
    the importance of initialization and momentum in deep learning", for Nesterov's momentum, in the form of Bengio,
    Boulanger-Lewandowski, Pascanu 2013, "Advances in optimizing recurrent networks", section 3.5, which takes the
    gradient where the weights are.
    """

    def __init__(
        self,
        *,
        momentum: float = 0.0,
        weight_decay: float = 0.0,
        clip: float | None = None,
        nesterov: bool = False,
    ) -> None:
        _check(momentum=momentum, weight_decay=weight_decay)
        if clip is not None and not number(clip, "clip") > 0.0:
            raise InputError(f"clip must be above 0, received {clip}; leave it out for no clipping")
        if not isinstance(nesterov, bool):
            raise InputError(f"nesterov must be true or false, received {nesterov!r}")
        self.momentum = momentum
        self.weight_decay = weight_decay
        self.clip = None if clip is None else float(clip)
        self.nesterov = nesterov

    def step(self, vectors: np.ndarray, learning_rate: float, *, decayed: int = 0) -> None:
        """Update theta, row 1 of `vectors` (4, P), in place by one step; its gradient, row 2, is used up."""
        if self._vectors is not vectors:
            self.begin(vectors)
        old, new = (0, 3) if self.steps % 2 == 0 else (3, 0)
        theta, grad, velocity = vectors[1], vectors[2], vectors[new]
        if self.clip is not None and not np.dot(grad, grad) <= self.clip * self.clip:
            np.clip(grad, -self.clip, self.clip, out=grad)  # needless where not even the norm exceeds the clip
        # The new velocity is a combination of three vectors. As a matrix product it reads each number once, where
        # five elementwise operations would read or write it nine times: memory is what limits this step. The product
        # cannot overwrite what it reads, so old and new velocity take turns in rows 0 and 3, on either side.
        for part, decay in ((slice(decayed), self.weight_decay), (slice(decayed, None), 0.0)):
            factors = {old: self.momentum, 1: -learning_rate * decay, 2: -learning_rate}
            rows = sorted(factors)
            combination = np.array([factors[row] for row in rows], vectors.dtype)
            np.matmul(combination, vectors[rows[0] : rows[-1] + 1, part], out=velocity[part])
        if self.nesterov:  # - learning_rate g is new - momentum old; the gradient has done its duty, its row is free
            lead = {old: -self.momentum, new: 1 + self.momentum}
            velocity = np.matmul(np.array([lead[0], lead[3]], vectors.dtype), vectors[::3], out=grad)
        theta += velocity
        self.steps += 1


class Adam(_Memory):
    """Adaptive moments: every weight has a step size of its own, from the history of its gradients.

    For every weight w with gradient g, in the t-th step, t = 1, 2, ...:

        m = beta1 m + (1 - beta1) g                     mean of the gradients
        s = beta2 s + (1 - beta2) g^2                   mean of their squares
        w = w - learning_rate weight_decay w            for weights, not for biases (decoupled, "AdamW")
        w = w - learning_rate m^ / (sqrt(s^) + epsilon)  with m^ = m / (1 - beta1^t), s^ = s / (1 - beta2^t)

    Arguments: beta1, beta2 in [0, 1), epsilon at least 1e-30 (float32 knows little below), weight_decay at least 0.
    Raises: `InputError` for a value outside these ranges.
    Sources: Kingma, Ba 2015, "Adam: a method for stochastic optimization"; Loshchilov, Hutter 2019, "Decoupled
    weight decay regularization".
    """

    def __init__(
        self, *, beta1: float = 0.9, beta2: float = 0.999, epsilon: float = 1e-8, weight_decay: float = 0.0
    ) -> None:
        _check(beta1=beta1, beta2=beta2, weight_decay=weight_decay)
        if not 1e-30 <= number(epsilon, "epsilon") < math.inf:
            raise InputError(f"epsilon must be a small number of at least 1e-30, received {epsilon}; 1e-8 is common")
        self.beta1, self.beta2, self.epsilon, self.weight_decay = beta1, beta2, epsilon, weight_decay

    def begin(self, vectors: np.ndarray, steps: int = 0) -> None:
        """Take rows 0 and 3 of `vectors` as memory, as it stands after so many steps; before the first it is zero."""
        super().begin(vectors, steps)
        self._scratch = np.empty_like(vectors[0])

    def step(self, vectors: np.ndarray, learning_rate: float, *, decayed: int = 0) -> None:
        """Update theta, row 1 of `vectors` (4, P), in place by one step; its gradient, row 2, is used up."""
        if self._vectors is not vectors:
            self.begin(vectors)
        self.steps += 1
        (mean, theta, grad, square), scratch = vectors, self._scratch
        mean *= self.beta1
        np.multiply(grad, 1 - self.beta1, out=scratch)
        mean += scratch
        np.multiply(grad, grad, out=grad)
        grad *= 1 - self.beta2
        square *= self.beta2
        square += grad
        if self.weight_decay:
            theta[:decayed] *= 1 - learning_rate * self.weight_decay
        # m^ / (sqrt(s^) + epsilon) = correction m / (sqrt(s) + epsilon sqrt(1 - beta2^t))
        root = math.sqrt(1 - self.beta2**self.steps)
        np.sqrt(square, out=scratch)
        scratch += self.epsilon * root
        np.divide(mean, scratch, out=scratch)
        scratch *= learning_rate * root / (1 - self.beta1**self.steps)
        theta -= scratch


def _check(*, weight_decay: float, **shares: float) -> None:
    for name, share in shares.items():
        if not 0.0 <= number(share, name) < 1.0:
            raise InputError(f"{name} must be at least 0 and below 1, received {share}; 0.9 is common")
    if not 0.0 <= number(weight_decay, "weight_decay") < math.inf:
        raise InputError(f"weight_decay must be at least 0, received {weight_decay}; 0 turns it off")


OPTIMIZERS: dict[str, Callable[..., Optimizer]] = {"Adam": Adam, "SGD": SGD}
