"""The common part of both estimators: `fit` and the fitted attributes, with scikit-learn's names."""

from __future__ import annotations

from abc import abstractmethod
from pathlib import Path
from typing import Any, Self

import numpy as np
from sklearn.model_selection import train_test_split
from sklearn.utils import check_random_state
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import _check_sample_weight, check_is_fitted, validate_data

from plainnet.checks.gradients import Report, check_gradients
from plainnet.data.dataset import DataSet
from plainnet.errors import InputError, TrainingDivergedError
from plainnet.losses import Loss
from plainnet.network import Network
from plainnet.sklearn import by_recipe, fitting, lbfgs, together
from plainnet.sklearn.callbacks import CallbackSupport, Tasks, with_callbacks
from plainnet.sklearn.named_weights import NamedWeights, assign
from plainnet.sklearn.networks import dense_layers, network
from plainnet.sklearn.parameters import STOCHASTIC, Parameters
from plainnet.writing import write_atomically

_FLOATS = (np.float64, np.float32)
_NOT_FINITE = (
    "Solver produced non-finite parameter weights. The input data may contain large values and need to be preprocessed."
)


class PlainnetEstimator(CallbackSupport, NamedWeights, Parameters):
    """Base class of `PlainnetClassifier` and `PlainnetRegressor`."""

    network_: Network
    loss_curve_: list[float]

    # What differs between the two

    @abstractmethod
    def _targets(
        self, y: np.ndarray, classes: Any = None, *, first: bool = False, incremental: bool = True
    ) -> np.ndarray:
        """Return y as numbers, (N, K), after checking it, for a `first` training or one that continues."""

    @abstractmethod
    def _data_set(self, X: np.ndarray, targets: np.ndarray, weights: np.ndarray | None) -> DataSet:
        """Return the examples as a plainnet data set."""

    @abstractmethod
    def _loss_function(self) -> Loss: ...

    @abstractmethod
    def _score_of(self, outputs: np.ndarray, targets: np.ndarray, weights: np.ndarray | None) -> float:
        """Return the score of finite outputs (N, K)."""

    @abstractmethod
    def _out_activation(self) -> str: ...

    def _weighted(self, y: np.ndarray, weights: np.ndarray | None) -> np.ndarray | None:
        return weights

    # Training

    @with_callbacks
    def fit(self, X: Any, y: Any, sample_weight: Any = None, X_val: Any = None, y_val: Any = None) -> Self:
        """Train on X (N, D) and y, and return the estimator.

        `sample_weight` (N,) says how much each example counts. With `early_stopping`, X_val and y_val replace the share
        of X that `validation_fraction` would hold out.

        Raises: `ValueError` for invalid parameters or data.
        """
        return self._fit(X, y, sample_weight, validation=None if X_val is None else (X_val, y_val))

    @available_if(lambda self: self.solver in STOCHASTIC)
    def partial_fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Train for one more epoch on X (N, D) and y; the weights and the solver's memory are kept.

        Raises: `ValueError` as `fit` does; also with `early_stopping` or a recipe.
        """
        return self._partial_fit(X, y, sample_weight)

    def _partial_fit(self, X: Any, y: Any, sample_weight: Any, classes: Any = None) -> Self:
        if self.early_stopping:
            raise ValueError("partial_fit does not support early_stopping=True")
        if self.recipe is not None:
            raise ValueError("partial_fit cannot follow a recipe, because its schedule spans a whole run; use fit")
        return self._fit(X, y, sample_weight, classes=classes, incremental=True)

    def _fit(
        self, X: Any, y: Any, sample_weight: Any, *, classes: Any = None, validation: Any = None,
        incremental: bool = False,
    ) -> Self:  # fmt: skip
        self._validate_params()
        together.check(self, validation)
        goes_on = (self.warm_start or incremental) and hasattr(self, "coefs_")
        X, y = validate_data(
            self,
            X,
            y,
            reset=not goes_on,
            accept_sparse=["csr", "csc"],
            multi_output=True,
            dtype=self._types(X, first=not goes_on),
        )
        X, targets = _dense(X), self._targets(y, classes, first=not goes_on, incremental=incremental)
        weights = None if sample_weight is None else _check_sample_weight(sample_weight, X)
        weights = self._weighted(y, weights)
        self._random_state = check_random_state(self.random_state)
        if not goes_on:
            for name in ("network_", "_given"):
                self.__dict__.pop(name, None)
            self.n_iter_ = 0
            self.takes_bytes_ = X.dtype == np.uint8
        if not hasattr(self, "network_") and self.recipe is None:
            self._begin(X, targets.shape[1])
        tasks = Tasks(self, X, y, 1 if incremental else self.epochs or self.max_iter)
        try:
            self._train(X, targets, weights, validation, tasks, incremental)
        except TrainingDivergedError as error:
            raise ValueError(_NOT_FINITE) from error
        if not self.network_.is_finite():
            raise ValueError(_NOT_FINITE)
        tasks.end()
        self.n_outputs_, self.out_activation_ = targets.shape[1], self._out_activation()
        self.n_layers_ = 1 + len(dense_layers(self.network_))
        return self

    def _begin(self, X: np.ndarray, outputs: int) -> None:
        dtype = X.dtype if X.dtype in _FLOATS else np.dtype(np.float32)
        made = network(self, X.shape[1], outputs, dtype, self._random_state)
        if given := self.__dict__.pop("_given", None):
            for name, arrays in given.items():
                assign(made, name, arrays)
        self._clear()
        self.network_ = made

    def _clear(self) -> None:
        """Clear the records of an earlier training."""
        self.__dict__.pop("_rule_state", None)
        self.t_, self.loss_curve_, self._no_improvement_count = 0, [], 0
        self.validation_scores_: list[float] | None = [] if self.early_stopping else None
        self.best_validation_score_ = -np.inf if self.early_stopping else None
        self.best_loss_ = None if self.early_stopping else np.inf

    def _train(
        self, X: np.ndarray, targets: np.ndarray, weights: Any, validation: Any, tasks: Tasks, incremental: bool
    ) -> None:
        held_out: tuple[Any, Any, Any] | None = None
        if self.early_stopping and self.solver in STOCHASTIC:
            if validation is not None:
                X_val, y_val = validate_data(
                    self, *validation, reset=False, multi_output=True, dtype=self._types(validation[0])
                )
                held_out = _dense(X_val), self._targets(y_val), None
            else:
                (X, targets, weights), held_out = self._set_aside(X, targets, weights)
        try:
            data = self._data_set(X, targets, weights)
        except InputError as error:
            if "as large as" in str(error):
                raise ValueError(_NOT_FINITE) from error
            raise
        if self.recipe is not None:
            by_recipe.train(self, data, held_out, tasks)
        elif self.solver == "lbfgs":
            lbfgs.fit(self, data)
        else:
            score = None if held_out is None else lambda: self._score_on(*held_out)
            fitting.train(self, data, score, tasks, incremental=incremental)

    def _set_aside(self, X: np.ndarray, targets: np.ndarray, weights: Any) -> tuple[Any, Any]:
        """Split the examples into training and validation; for two classes, each keeps its share."""
        alike = targets if self._out_activation() == "logistic" and targets.shape[1] == 1 else None
        arrays = (X, targets) if weights is None else (X, targets, weights)
        parts = train_test_split(
            *arrays, random_state=self._random_state, test_size=self.validation_fraction, stratify=alike
        )
        if len(parts[1]) < 2:
            raise ValueError(
                "The validation set is too small. Increase 'validation_fraction' or the size of your dataset."
            )
        none = [None, None] if weights is None else []
        return (parts + none)[0::2], (parts + none)[1::2]

    def _score_on(self, X: np.ndarray, targets: np.ndarray, weights: Any) -> float:
        outputs = self.network_.logits(X)
        return self._score_of(outputs, targets, weights) if np.isfinite(outputs).all() else float("nan")

    def _types(self, X: Any, *, first: bool = False) -> Any:
        """Return the types that X may have: bytes of images are pixels and stay bytes, everything else is numbers.

        Raises: `ValueError` for numbers if the estimator was trained on pixels.
        """
        is_bytes = getattr(X, "dtype", None) == np.uint8
        if first:
            return np.uint8 if is_bytes and (self.image_shape is not None or self.recipe is not None) else _FLOATS
        of_bytes = getattr(self, "takes_bytes_", False)
        if of_bytes and not is_bytes:
            raise ValueError("the estimator was trained on pixels of type uint8; give uint8 again")
        return np.uint8 if of_bytes else _FLOATS

    # After training

    def _outputs(self, X: Any) -> np.ndarray:
        """Return the network's outputs for X (N, D), after checking it."""
        check_is_fitted(self)
        X = validate_data(self, X, accept_sparse=["csr", "csc"], reset=False, dtype=self._types(X))
        return self.network_.logits(_dense(X))

    def check_gradients(self, X: Any, y: Any) -> Report:
        """Compare the network's gradients on the first 8 examples with numerical derivatives; `print` the report.

        Raises: `NotFittedError` before `fit`.
        """
        check_is_fitted(self)
        X, y = validate_data(self, X, y, reset=False, multi_output=True, dtype=self._types(X))
        data = self._data_set(_dense(X)[:8], self._targets(y)[:8], None)
        return check_gradients(self.network_, self._loss_function(), data.inputs, data.targets, directions=8)

    def save(self, path: str | Path) -> None:
        """Write a plainnet model file, which `load`, `plainnet.load_model` and all commands can read.

        Raises: `InputError` if the file cannot be written.
        """
        from plainnet.sklearn import files

        check_is_fitted(self)
        files.save(self, path)

    def to_onnx(self, path: str | Path | None = None, precision: str = "float32") -> Any:
        """Return an `onnx.ModelProto` that takes rows of X and returns what `predict_proba` (or `predict`) returns.

        If `path` is given, it is also written to that file. `precision` of the weights: float32, float16 or int8.

        Raises: `InputError` if onnx is not installed, or a layer cannot be exported.
        """
        from plainnet.export.onnx_file import as_onnx
        from plainnet.sklearn import files

        check_is_fitted(self)
        made = as_onnx(files.as_model(self), precision, rows=True)
        if path is not None:
            write_atomically(Path(path), made.SerializeToString())
        return made

    @classmethod
    def load(cls, path: str | Path) -> Self:
        """Return the fitted estimator that `save` wrote.

        Raises: `InputError` if the file does not hold such an estimator.
        """
        from plainnet.sklearn import files

        loaded: Self = files.load(cls, path)
        return loaded

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        return tags


def _dense(X: Any) -> np.ndarray:
    dense: np.ndarray = X.toarray() if hasattr(X, "toarray") else X
    return dense
