"""Optimizers and learning rates that take the same steps as scikit-learn's solvers "sgd" and "adam"."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np

from plainnet.optimizers import SGD, Adam, Optimizer

_LEAST = 1e-6  # an adaptive learning rate below this ends the training
_DIVIDED_BY = 5.0


class Penalized(Optimizer):
    """The common part of both solvers: add alpha ||W||^2 / (2 n) to the loss of a batch with the total weight n.

    `begin_epoch` sets the total weights of an epoch's batches; afterwards `penalty` is the mean of what was added.
    """

    alpha = 0.0
    not_state = frozenset({"alpha", "_weights", "_penalties", "_strength", "_squares_of_weights"})
    _strength = 0.0
    _squares_of_weights: list[float]

    def begin_epoch(self, weights: Iterable[float], counts: Iterable[int]) -> None:
        """Set the sums of the examples' weights and their counts, one number for each batch of the epoch."""
        self._weights: Iterator[tuple[float, int]] = iter(list(zip(weights, counts, strict=True)))
        self._penalties: list[tuple[float, int]] = []

    @property
    def penalty(self) -> float:
        """The mean of the penalties over the epoch's examples."""
        total = sum(count for _, count in self._penalties)
        return sum(penalty * count for penalty, count in self._penalties) / total

    def step(self, learning_rate: float) -> None:
        weight, count = next(self._weights)
        self._strength, self._squares_of_weights = self.alpha / weight, []
        super().step(learning_rate)
        self._penalties.append((0.5 * self._strength * sum(self._squares_of_weights), count))

    def penalize(self, theta: np.ndarray, grad: np.ndarray) -> None:
        """Add the penalty's gradient to the gradient of a part of the parameters."""
        assert self.parameters is not None
        decayed = max(0, self.parameters.groups["decayed"].stop - self.begin)
        W = theta[:decayed]
        self._squares_of_weights.append(float(W @ W))
        if self._strength:
            grad[:decayed] += np.multiply(W, self._strength, dtype=W.dtype)  # SciPy's BLAS has its own threads


class PenalizedSGD(Penalized, SGD):
    """SGD with the same steps as the solver "sgd"."""

    not_state = Penalized.not_state | SGD.not_state

    def update(self, theta: np.ndarray, grad: np.ndarray, learning_rate: float) -> None:
        self.penalize(theta, grad)
        super().update(theta, grad, learning_rate)


class PenalizedAdam(Penalized, Adam):
    """Adam with the same steps as the solver "adam": epsilon is added to sqrt(s) before the bias correction."""

    elementwise = True

    def update(self, theta: np.ndarray, grad: np.ndarray, learning_rate: float) -> None:
        self.penalize(theta, grad)
        given = self.epsilon
        self.epsilon = given / (1 - self.beta2**self.steps) ** 0.5
        try:
            super().update(theta, grad, learning_rate)
        finally:
            self.epsilon = given


def solver(estimator: Any) -> PenalizedSGD | PenalizedAdam:
    """Return the optimizer that the estimator's parameters describe."""
    made: PenalizedSGD | PenalizedAdam
    if estimator.solver == "sgd":
        momentum = min(estimator.momentum, 1 - 1e-12)  # scikit-learn allows 1
        made = PenalizedSGD(momentum=momentum, nesterov=bool(estimator.nesterovs_momentum) and momentum > 0)
    else:
        made = PenalizedAdam(beta1=estimator.beta_1, beta2=estimator.beta_2, epsilon=estimator.epsilon)
    made.alpha = float(estimator.alpha)
    return made


class LearningRate:
    """The learning rate of the next step: constant, falling with the number of examples, or adaptive.

    "invscaling": learning_rate_init / (examples seen + 1)^power_t. "adaptive": divided by 5 each time that the loss has
    not improved, until it is below 1e-6.
    """

    def __init__(self, kind: str, first: float, power: float) -> None:
        self.kind, self.first, self.power = kind, float(first), power
        self.learning_rate = float(first)

    def __call__(self, step: int, steps_per_epoch: int, epochs: int) -> float:
        return self.learning_rate

    def after_epoch(self, seen: int) -> None:
        """Update the rate after an epoch; `seen` is the number of examples seen in total."""
        if self.kind == "invscaling":
            self.learning_rate = self.first / float(seen + 1) ** self.power

    def without_improvement(self) -> bool:
        """Lower the rate if that is possible; return whether to stop because it is not."""
        if self.kind != "adaptive" or self.learning_rate <= _LEAST:
            return True
        self.learning_rate /= _DIVIDED_BY
        return False
