"""Batch normalization: scale outputs to mean 0 and variance 1, channel by channel, regardless of the layers before."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from plainnet.config import number
from plainnet.errors import InputError
from plainnet.initializers import ones, zeros
from plainnet.layers.layer import Layer, Shape
from plainnet.layers.long_sums import long_sum

_SURE = 1e-4  # a deviation of this share of the mean is far above rounding errors in float32


class BatchNorm(Layer):
    """Batch normalization, y = gamma (x - mean) / sqrt(variance + epsilon) + beta, for each channel.

    Training uses the mean and variance over the batch, and over the pixels of an image. Evaluation uses running
    averages of them, which training updates: running = momentum running + (1 - momentum) batch. With `frozen`,
    training also uses the running averages, and does not change them.

    Shapes: x, y (N, C) or (N, H, W, C); gamma, beta, running_mean, running_variance (C,).
    Gradients, with M numbers per channel and z = (x - mean) / sqrt(variance + epsilon):
    dgamma = sum dy z, dbeta = sum dy, dx = gamma / sqrt(variance + epsilon) (dy - dbeta / M - z dgamma / M),
    because each x also changes the mean and the variance; if frozen, only the first of the three terms.

    The running average is that of the unbiased variance, M / (M - 1) times that of the batch. A single number (M = 1)
    has no such variance, so the running averages then stay unchanged.

    Raises: `InputError` for a momentum outside [0, 1), an epsilon that is not positive, or a `frozen` that
    is not a bool.
    Source: Ioffe, Szegedy 2015, "Batch normalization: accelerating deep network training".

    Example:
        >>> import numpy as np
        >>> from plainnet import BatchNorm, Network
        >>> network = Network(BatchNorm()).build(1)
        >>> network.forward(np.array([[1.0], [3.0]]), training=True).round(3).tolist()  # mean 2, variance 1
        [[-1.0], [1.0]]
    """

    def __init__(self, *, momentum: float = 0.9, epsilon: float = 1e-5, frozen: bool = False) -> None:
        super().__init__()
        if not 0.0 <= number(momentum, "momentum") < 1.0:
            raise InputError(f"momentum must be at least 0 and below 1, received {momentum}; 0.9 is common")
        if not 0.0 < number(epsilon, "epsilon") < float("inf"):
            raise InputError(f"epsilon must be a small positive number, received {epsilon}; 1e-5 is common")
        if not isinstance(frozen, bool):
            raise InputError(f"frozen must be true or false, received {frozen!r}")
        self.momentum = momentum
        self.epsilon = epsilon
        self.frozen = frozen

    def build(self, in_shape: Shape) -> Shape:
        if len(in_shape) not in (1, 3):
            raise InputError(f"BatchNorm expects examples (C,) or (H, W, C), received shape {in_shape}")
        self.channels = in_shape[-1]
        self.width = in_shape[1] if len(in_shape) == 3 else 1
        self.gamma = self.declare("gamma", (self.channels,), ones)
        self.beta = self.declare("beta", (self.channels,), zeros)
        self.state["running_mean"] = np.zeros(self.channels, np.float32)
        self.state["running_variance"] = np.ones(self.channels, np.float32)
        return in_shape

    def check_state(self, state: Mapping[str, np.ndarray]) -> None:
        if (lowest := float(np.min(state["running_variance"]))) < 0:
            raise InputError(f"a running variance of BatchNorm must be at least 0, received {lowest:g}")

    def forward(self, x: np.ndarray, *, training: bool = False) -> np.ndarray:
        rows = self._rows(x)
        centered = self.buffer("centered", rows.shape, x.dtype)
        y = self.buffer("y", rows.shape, x.dtype)
        of_batch = training and not self.frozen
        if of_batch:
            total = self._sum(rows)
            count, total = self.sum_over_workers(np.stack([np.full_like(total, x.size // self.channels), total]))
            mean = total / count
            variance = self._center(rows, mean, count, centered, y)
            if (variance.real < np.square(_SURE * mean.real)).any():  # perhaps only rounding errors: center again
                rest = self.sum_over_workers(self._sum(centered)) / count
                mean, variance = mean + rest, self._center(centered, rest, count, centered, y)
            self._average(mean, variance, count[0].real)
        else:
            mean, variance = (running.astype(float) for running in self.state.values())
            np.subtract(rows, self._row_of(mean), out=centered)
        inverse_deviation = 1 / np.sqrt(variance + self.epsilon)
        np.multiply(centered, self._row_of(self.gamma.value * inverse_deviation), out=y)
        y += self._row_of(self.beta.value)
        self.remember(centered, inverse_deviation, of_batch)
        return y.reshape(x.shape)

    def _center(
        self, rows: np.ndarray, mean: np.ndarray, count: np.ndarray, centered: np.ndarray, squares: np.ndarray
    ) -> np.ndarray:
        """Write rows - mean to `centered` and return its variance; `squares` is overwritten."""
        np.subtract(rows, self._row_of(mean), out=centered)
        np.multiply(centered, centered, out=squares)
        return self.sum_over_workers(self._sum(squares)) / count

    def _average(self, mean: np.ndarray, variance: np.ndarray, count: float) -> None:
        """Include the statistics of a batch with `count` numbers per channel in the running averages."""
        context = self.context
        if count > 1 and context.leads:
            momentum = self.momentum if context.momentum is None else context.momentum
            for running, batch in zip(self.state.values(), (mean, variance * count / (count - 1)), strict=True):
                new = momentum * running
                new += (1 - momentum) * batch.real
                running[...] = new  # in one step, because other threads may be predicting with it

    def backward(self, dy: np.ndarray, *, need_dx: bool = True) -> np.ndarray | None:
        centered, inverse_deviation, of_batch = self.recall()
        dy_rows = self._rows(dy)
        dx = self.buffer("dx", dy_rows.shape, dy.dtype)
        dbeta = self._sum(dy_rows)
        np.multiply(dy_rows, centered, out=dx)
        dgamma = self._sum(dx) * inverse_deviation
        self.beta.grad[:], self.gamma.grad[:] = dbeta, dgamma
        if not need_dx:
            return None
        scale = self.gamma.value * inverse_deviation
        np.multiply(dy_rows, self._row_of(scale), out=dx)
        if of_batch:
            sums = np.stack([np.full_like(dbeta, dy.size // self.channels), dbeta, dgamma])
            count, dbeta, dgamma = self.sum_over_workers(sums)
            slope = -scale * inverse_deviation * dgamma / count
            centered *= self._row_of(slope)
            dx += centered
            dx -= self._row_of(scale * dbeta / count)
        return dx.reshape(dy.shape)

    # NumPy is faster with longer rows: all channels of all pixels in one row of an image form one row here.

    def _rows(self, x: np.ndarray) -> np.ndarray:
        return x.reshape(-1, self.width * self.channels)

    def _row_of(self, values: np.ndarray) -> np.ndarray:
        """Return the values of the channels (C,) as a row, in the type the network computes in."""
        return np.tile(values.astype(self.gamma.value.dtype), self.width)

    def _sum(self, rows: np.ndarray) -> np.ndarray:
        """Return the sum for each channel, (C,), of type float64 or complex128."""
        sums: np.ndarray = long_sum(rows, 0).reshape(-1, self.channels).sum(axis=0)
        return sums
