"""Shortcuts: train or evaluate a network in one line, or find out which inputs its loss depends on."""

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

    NumPy decides how many threads its matrix products use. For a small network on a busy machine one thread is better:
    set OPENBLAS_NUM_THREADS=1 before Python starts, or use threadpoolctl.

    Raises: `InputError` as `Training` does; `TrainingDivergedError` if the loss or a weight is no longer finite. The
    weights are then those of the last complete epoch.

    Example:
        >>> from plainnet import SGD, Dense, MeanSquaredError, Network, epochs
        >>> network, data = Network(Dense(1)).build(1), ([[1.0], [2.0]], [3.0, 6.0])
        >>> options = {"batch_size": 2, "epochs": 3, "learning_rate": 0.1}
        >>> [epoch.number for epoch in epochs(network, MeanSquaredError(), SGD(), data, **options)]
        [1, 2, 3]
    """
    training = Training(*arguments, **options)
    return (event for event in training if isinstance(event, Epoch))


epochs.__signature__ = inspect.signature(Training)  # type: ignore[attr-defined]  # for editors and help()


def fit(*arguments: Any, **options: Any) -> History:
    """Train to the end and return the records of all epochs; the arguments are those of `Training`.

    Raises: as `epochs`.

    Example:
        >>> from plainnet import SGD, Dense, MeanSquaredError, Network, fit
        >>> network, data = Network(Dense(1)).build(1), ([[1.0], [2.0]], [3.0, 6.0])  # y = 3 x
        >>> history = fit(network, MeanSquaredError(), SGD(), data, batch_size=2, epochs=400, learning_rate=0.2)
        >>> [round(float(weight), 2) for weight in abs(network.theta)]  # weight and bias
        [3.0, 0.0]
    """
    return History(epochs(*arguments, **options))


fit.__signature__ = inspect.signature(Training)  # type: ignore[attr-defined]


def evaluate(
    network: Network, loss: Loss, data: DataSet, *, workers: int = 1, metrics: Mapping[str, Metric] | None = None
) -> tuple[float, dict[str, float]]:
    """Return the mean loss on `data` and the metrics by name, without changing the weights.

    Raises: `InputError` if data, loss and network do not fit each other.

    Example:
        >>> from plainnet import SoftmaxCrossEntropy, evaluate, load_model, mnist
        >>> network, data = load_model("cnn").network, mnist.load().test[:100]
        >>> loss, figures = evaluate(network, SoftmaxCrossEntropy(), data)
        >>> figures["accuracy"]
        1.0
    """
    expect_agreement(network, as_loss(loss), data)
    with Threads(network, loss, workers, metrics=metrics) as threads:
        return threads.evaluate(data).means()


def input_gradient(network: Network, loss: Loss, inputs: np.ndarray, targets: np.ndarray) -> np.ndarray:
    """Return the gradient of the loss with respect to the inputs, (N, *in_shape): which inputs it depends on.

    The network computes as in prediction: dropout is off, batch normalization uses its running averages. The loss is
    that of all examples together; if it is a mean, multiply by N for the gradient of each example's loss.

    For bytes, it is the gradient with respect to the scaled numbers from 0 to 1.

    Shapes: inputs (N, ...), targets as the loss takes them.
    Raises: `InputError` if the network is not built, or inputs or targets do not fit.
    Source: Simonyan, Vedaldi, Zisserman 2014, "Deep inside convolutional networks".

    Example:
        >>> import numpy as np
        >>> from plainnet import Dense, MeanSquaredError, Network, input_gradient
        >>> weights = {"dense_1.W": np.array([[3.0], [0.0]]), "dense_1.b": np.zeros(1)}
        >>> network = Network(Dense(1)).build(2, values=weights)  # y = 3 x_1 + 0 x_2
        >>> input_gradient(network, MeanSquaredError(), np.ones((1, 2)), np.array([2.0])).tolist()  # 2 (3 - 2) W
        [[6.0, 0.0]]
    """
    network.expect_built()
    with Context(gradients=network.parameters.views(np.zeros_like(network.grad)), leads=False):
        outputs = network.forward(network.as_input(inputs))
        dx = network.backward(as_loss(loss)(outputs, np.asarray(targets))[1], need_dx=True)
        assert dx is not None
        return dx.copy()
