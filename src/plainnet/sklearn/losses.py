"""Losses of scikit-learn's estimators that plainnet lacks or scales differently."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from plainnet.losses import BinaryCrossEntropy, MeanSquaredError
from plainnet.metrics import Metric


class HalfSquaredError(MeanSquaredError):
    """Half the squared error, sum_j (y_j - t_j)^2 / 2 for one example; gradient y - t.

    scikit-learn minimizes this loss; the value that it reports for M > 1 numbers is this divided by M.
    """

    metrics: Mapping[str, Metric] = {}

    def examples(self, outputs: np.ndarray, targets: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        error = self.error(outputs, targets)
        return 0.5 * np.square(error).sum(axis=1), error


class PoissonDeviance(MeanSquaredError):  # noqa: N818 (it is not an exception)
    """Half the Poisson deviance of exp(z) from counts t; gradient exp(z) - t.

    For one example it is sum_j (exp(z_j) - t_j - t_j (z_j - ln t_j)).

    Source: McCullagh, Nelder 1989, "Generalized linear models", section 6.2.
    """

    metrics: Mapping[str, Metric] = {}

    def examples(self, outputs: np.ndarray, targets: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        t = targets.reshape(outputs.shape).astype(outputs.real.dtype, copy=False)
        expected = np.exp(outputs)
        surprise = t * (np.log(np.where(t > 0, t, 1)) - outputs)  # 0 ln 0 is 0
        return (expected - t + surprise).sum(axis=1), expected - t


class SummedCrossEntropy(BinaryCrossEntropy):
    """Sigmoid with cross-entropy, summed over the labels of an example instead of averaged; gradient p - t."""

    metrics: Mapping[str, Metric] = {}

    def examples(self, outputs: np.ndarray, targets: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        values, gradient = super().examples(outputs, targets)
        labels = outputs.shape[1]
        return values * labels, gradient * labels
