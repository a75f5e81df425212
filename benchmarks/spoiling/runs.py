"""Mistakes in the program that trains: in its first weights, its steps, its loss, its order."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from plainnet.losses import SoftmaxCrossEntropy
from plainnet.network import Network
from plainnet.optimizers import Optimizer
from plainnet.runs.run import Run
from plainnet.softmax import log_softmax

Mistake = Callable[[Run], None]


def _matrices(network: Network) -> list[Any]:
    return [parameter for parameter in network.parameters if parameter.decay]


def weights(value: float) -> Mistake:
    """Return what makes all weights the same."""

    def change(run: Run) -> None:
        for parameter in _matrices(run.network):
            parameter.value[:] = value

    return change


def scaled_weights(scale: float) -> Mistake:
    """Return what begins with weights of another size."""

    def change(run: Run) -> None:
        for parameter in _matrices(run.network):
            parameter.value[:] *= scale

    return change


def bias(value: float) -> Mistake:
    """Return what begins with hidden biases of this value."""

    def change(run: Run) -> None:
        biases = [parameter for parameter in run.network.parameters if parameter.name.endswith("b")]
        for parameter in biases[:-1]:
            parameter.value[:] = value

    return change


def _stepping(run: Run, before: Callable[[Network, int], object] = lambda *_: None, keep: bool = False) -> None:
    """Do something before each step of the optimizer, or make none at all."""
    optimizer: Optimizer = run.optimizer
    step, count = optimizer.step, [0]

    def changed(rate: float) -> None:
        before(run.network, count[0])
        count[0] += 1
        if keep:
            theta = run.network.theta.copy()
            step(rate)
            run.network.theta[:] = theta
        else:
            step(rate)

    optimizer.step = changed  # type: ignore[method-assign]


def uphill(run: Run) -> None:
    """Step along the gradient, not against it."""
    _stepping(run, lambda network, _: np.negative(network.grad, out=network.grad))


def without_updates(run: Run) -> None:
    """Throw every update away."""
    _stepping(run, keep=True)


def collapse(epoch: int) -> Mistake:
    """Return what lets one batch of an epoch have a gradient that is far too large."""

    def change(run: Run) -> None:
        place = run.training.steps_per_epoch * (epoch - 1) + 5
        _stepping(run, lambda network, step: np.multiply(
            network.grad, 1e4 if step == place else 1.0, out=network.grad
        ))  # fmt: skip

    return change


def falling_rate(factor: float) -> Mistake:
    """Return what multiplies the learning rate by a factor in every epoch."""

    def change(run: Run) -> None:
        first = run.training.schedule
        run.training.schedule = lambda step, per_epoch, epochs: (
            first(step, per_epoch, epochs) * factor ** (step / per_epoch)
        )

    return change


def in_order(direction: int) -> Mistake:
    """Return what visits the images class by class."""

    def change(run: Run) -> None:
        order = np.argsort(run.train.labels, kind="stable")[::direction].copy()
        run.training.order = lambda epoch: order

    return change


class _SoftmaxTwice(SoftmaxCrossEntropy):
    """Cross-entropy of logits that are given probabilities: softmax stands in the network and in the loss."""

    def values(self, outputs: np.ndarray, targets: np.ndarray) -> np.ndarray:
        return super().values(np.exp(log_softmax(outputs)), targets)

    def __call__(self, outputs: np.ndarray, targets: np.ndarray, *rest: Any, **named: Any) -> Any:
        p = np.exp(log_softmax(outputs))
        value, dp, *more = super().__call__(p, targets, *rest, **named)
        return (value, p * (dp - (dp * p).sum(axis=1, keepdims=True)), *more)


def softmax_twice(run: Run) -> None:
    """Apply softmax to what is softmax already."""
    run.training.loss = run.training.workers.loss = run.loss = _SoftmaxTwice()
