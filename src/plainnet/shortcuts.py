"""In one line: to train a network, to evaluate it, and to ask which inputs its loss depends on."""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from plainnet.compatibility import expect_agreement
from plainnet.context import Context
from plainnet.data.dataset import DataSet
from plainnet.events import Epoch
from plainnet.history import History
from plainnet.losses import Loss, as_loss
from plainnet.metrics import Metric
from plainnet.network import Network
from plainnet.training import Training
from plainnet.workers import Threads


def epochs(*arguments: Any, **options: Any) -> Iterator[Epoch]:
    """Train a network, yielding a record after each epoch; the arguments are those of `Training`.

    `epochs(network, loss, optimizer, train, validation, batch_size=128, epochs=80, learning_rate=0.01)`

    Matrix products use as many threads as NumPy was told to; for a small network on a busy machine one is better:
    set OPENBLAS_NUM_THREADS=1 before Python starts, or use threadpoolctl.

    Raises: as `Training`; `TrainingDivergedError` if the loss or a weight is no longer a finite number: the weights are
    then again those of the last complete epoch.
    """
    training = Training(*arguments, **options)
    return (event for event in training if isinstance(event, Epoch))


epochs.__signature__ = inspect.signature(Training)  # type: ignore[attr-defined]  # for editors and help()


def fit(*arguments: Any, **options: Any) -> History:
    """Train to the end and return the records of all epochs; the arguments are those of `Training` (see `epochs`)."""
    return History(epochs(*arguments, **options))


fit.__signature__ = inspect.signature(Training)  # type: ignore[attr-defined]


def evaluate(
    network: Network, loss: Loss, data: DataSet, *, workers: int = 1, metrics: Mapping[str, Metric] | None = None
) -> tuple[float, dict[str, float]]:
    """Return the mean loss on `data` and the metrics by name, with the weights as they are.

    `loss, figures = evaluate(network, SoftmaxCrossEntropy(), data.test)`, then `figures["accuracy"]`.

    Raises: `InputError` if data, loss and network do not fit each other.
    """
    expect_agreement(network, as_loss(loss), data)
    with Threads(network, loss, workers, metrics=metrics) as threads:
        return threads.evaluate(data).means()


def input_gradient(network: Network, loss: Loss, inputs: np.ndarray, targets: np.ndarray) -> np.ndarray:
    """Return the gradient of the loss with respect to the inputs, (N, *in_shape): which inputs it depends on.

    The network is looked at as it answers: dropout is off, batch normalization uses its running averages. The loss is
    that of all examples together; with a mean, multiply by N for that of each.

    Of bytes it is the gradient with respect to the scaled numbers, from 0 to 1.

    Shapes: inputs (N, ...), targets as the loss takes them.
    Raises: `InputError` if the network is not built, or inputs or targets do not fit.
    Source: Simonyan, Vedaldi, Zisserman 2014, "Deep inside convolutional networks".
    """
    network.expect_built()
    with Context(gradients=network.parameters.views(np.zeros_like(network.grad)), leads=False):
        outputs = network.forward(network.as_input(inputs))
        dx = network.backward(as_loss(loss)(outputs, np.asarray(targets))[1], need_dx=True)
        assert dx is not None
        return dx.copy()
