"""Losses for regression: how far an output is from its target number."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np

from plainnet.config import number
from plainnet.errors import InputError
from plainnet.losses.loss import Loss
from plainnet.metrics import Metric, absolute_error


class _Regression(Loss):
    """What the losses for regression share: outputs y (N, M), targets t (N, M), or (N,) if M = 1."""

    metrics: Mapping[str, Metric] = {"absolute_error": absolute_error}

    def check(self, outputs: np.ndarray, targets: np.ndarray) -> None:
        if outputs.ndim != 2 or targets.size != outputs.size or len(targets) != len(outputs):
            raise InputError(
                f"expected outputs and targets (N, M), received shapes {outputs.shape} and {targets.shape}"
            )

    @staticmethod
    def error(outputs: np.ndarray, targets: np.ndarray) -> np.ndarray:
        """Return y - t, (N, M)."""
        return outputs - targets.reshape(outputs.shape).astype(outputs.real.dtype, copy=False)


class MeanSquaredError(_Regression):
    """Squared error, mean_j (y_j - t_j)^2 for one example; gradient 2 (y - t) / M.

    Shapes: outputs y (N, M), targets t (N, M), or (N,) if M = 1.
    Raises: `InputError` for a reduction that is neither "mean" nor "sum".

    Example:
        >>> import numpy as np
        >>> from plainnet import MeanSquaredError
        >>> loss, gradient = MeanSquaredError()(np.array([[3.0], [5.0]]), np.array([1.0, 5.0]))
        >>> loss, gradient.tolist()  # (2^2 + 0^2) / 2; 2 (3 - 1) / 2 and 0
        (2.0, [[2.0], [0.0]])
    """

    def examples(self, outputs: np.ndarray, targets: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        error = self.error(outputs, targets)
        return (error * error).mean(axis=1), 2 * error / outputs.shape[1]


class Huber(_Regression):
    """Squared error for small errors and absolute error for large ones, so that outliers have less influence.

    With e = y - t, the loss of one number is e^2 / 2 where |e| <= delta, else delta (|e| - delta / 2); its gradient is
    e, clipped to [-delta, delta]. An example's loss is the mean over its M numbers.

    Shapes: outputs y (N, M), targets t (N, M), or (N,) if M = 1.
    Raises: `InputError` for a delta that is not positive, or a reduction that is neither "mean" nor "sum".
    Source: Huber 1964, "Robust estimation of a location parameter".

    Example:
        >>> import numpy as np
        >>> from plainnet import Huber
        >>> Huber(delta=1.0).values(np.array([[0.5], [10.0]]), np.array([0.0, 0.0])).tolist()  # 0.5^2 / 2, 10 - 1 / 2
        [0.125, 9.5]
    """

    def __init__(self, delta: float = 1.0, reduction: str = "mean") -> None:
        super().__init__(reduction)
        if not 0.0 < number(delta, "delta") < math.inf:
            raise InputError(f"delta must be a positive number, received {delta}; 1 is common")
        self.delta = delta

    def examples(self, outputs: np.ndarray, targets: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        error = self.error(outputs, targets)
        sign = np.sign(error.real)
        small = np.abs(error.real) <= self.delta
        values = np.where(small, 0.5 * error * error, self.delta * (sign * error - 0.5 * self.delta))
        return values.mean(axis=1), np.where(small, error, self.delta * sign) / outputs.shape[1]
