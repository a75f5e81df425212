"""`PlainnetRegressor`: a network for one number or several."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
from sklearn.base import RegressorMixin
from sklearn.metrics import r2_score
from sklearn.utils._param_validation import StrOptions
from sklearn.utils.validation import column_or_1d

from plainnet.data.dataset import DataSet
from plainnet.losses import Loss
from plainnet.sklearn.estimator import PlainnetEstimator
from plainnet.sklearn.losses import HalfSquaredError, PoissonDeviance
from plainnet.sklearn.networks import example_shape
from plainnet.sklearn.parameters import Parameters


class PlainnetRegressor(RegressorMixin, PlainnetEstimator):
    """A network for one number or several; the parameters and attributes are those of `PlainnetClassifier`.

    `loss` is "squared_error", or "poisson" for counts; the network then learns their logarithm. For several numbers,
    the values in `loss_curve_` are sums, where scikit-learn reports means; the steps are the same.
    Shapes: X (N, D), y (N,) or (N, M).
    Raises: `ValueError` in `fit` for invalid parameters or data.

    Example:
        >>> from plainnet.sklearn import PlainnetRegressor
        >>> X, y = [[0.0], [1.0], [2.0]], [1.0, 3.0, 5.0]  # y = 2 x + 1
        >>> regressor = PlainnetRegressor((), solver="lbfgs", alpha=0.0, tol=1e-8, random_state=0).fit(X, y)
        >>> regressor.predict([[3.0]]).round(2).tolist()
        [7.0]
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        **Parameters._parameter_constraints,
        "loss": [StrOptions({"auto", "squared_error", "poisson"})],
    }

    def _targets(
        self, y: np.ndarray, classes: Any = None, *, first: bool = False, incremental: bool = True
    ) -> np.ndarray:
        if y.ndim == 2 and y.shape[1] == 1:
            y = column_or_1d(y, warn=True)
        self._one = y.ndim == 1
        targets = np.asarray(y, float).reshape(len(y), -1)
        if self.loss == "poisson" and targets.min() < 0:
            raise ValueError("Some value(s) of y are negative, which is not allowed for Poisson regression.")
        return targets

    def _out_activation(self) -> str:
        return "exp" if self.loss == "poisson" else "identity"

    def _data_set(self, X: np.ndarray, targets: np.ndarray, weights: np.ndarray | None) -> DataSet:
        X = X.reshape(len(X), *example_shape(X.shape[1], self.image_shape))
        return DataSet(X, targets, weights=weights, kind="numbers")

    def _loss_function(self) -> Loss:
        return PoissonDeviance() if self.loss == "poisson" else HalfSquaredError()

    def _numbers(self, outputs: np.ndarray) -> np.ndarray:
        return np.exp(outputs) if self.loss == "poisson" else outputs

    def _score_of(self, outputs: np.ndarray, targets: np.ndarray, weights: np.ndarray | None) -> float:
        return float(r2_score(targets, self._numbers(outputs), sample_weight=weights))

    def predict(self, X: Any) -> np.ndarray:
        """Return one number for each row of X, (N,), or several, (N, M)."""
        numbers = self._numbers(self._outputs(X))
        return numbers[:, 0] if self._one else numbers
