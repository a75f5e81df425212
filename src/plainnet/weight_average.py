"""Averaged weights: the average of the weights over recent steps generalizes better than the weights of the last step.

The running averages of batch normalization belong to the weights they were measured with. Averaged weights need their
own, or the network answers almost at random; so they are measured again when the averaged weights are put in place.
"""

from __future__ import annotations

import numpy as np

from plainnet.config import number
from plainnet.data.dataset import DataSet
from plainnet.errors import InputError
from plainnet.network import Network
from plainnet.workers import Workers

_BATCHES = 200  # to measure mean and variance on; more batches change neither


class WeightAverage:
    """Exponential moving average of a network's weights, in `values` (P,): a = d a + (1 - d) theta after each step t.

    d is min(decay, (1 + t) / (10 + t)): it starts below `decay`, so that the random initial weights are soon forgotten.

    Raises: `InputError` for a decay outside [0, 1).
    Sources: Polyak, Juditsky 1992, "Acceleration of stochastic approximation by averaging"; Kingma, Ba 2015, "Adam",
    section 7.2; TensorFlow, `ExponentialMovingAverage`, for the rise of d.
    """

    def __init__(self, network: Network, decay: float) -> None:
        if not 0.0 <= number(decay, "averaging") < 1.0:
            raise InputError(f"averaging must be at least 0 and below 1, received {decay}; 0.999 is common")
        self.decay = decay
        self.values = network.theta.copy()

    def update(self, network: Network, step: int) -> None:
        """Include the weights after `step` updates; the gradient, no longer needed, is overwritten."""
        decay = min(self.decay, (1 + step) / (10 + step))

        def take_in(part: slice) -> None:
            values = self.values[part]
            distance = np.subtract(network.theta[part], values, out=network.grad[part])
            distance *= 1 - decay
            values += distance

        network.parameters.share(take_in)

    def put_in_place(self, workers: Workers, data: DataSet, order: np.ndarray, batch_size: int) -> None:
        """Give the network the averaged weights, and measure the layers' running averages with them.

        These are the means over up to 200 full batches of the rows of `data` in `order`, as in training.
        """
        network = workers.network
        network.theta[:] = self.values
        has_averages = any(layer.state for _, layer in network.walk())
        for count in range(min(_BATCHES, max(1, len(order) // batch_size)) if has_averages else 0):
            rows = order[count * batch_size : (count + 1) * batch_size]
            workers.gradient(data, rows, momentum=count / (count + 1))  # the running average is the mean of all so far
