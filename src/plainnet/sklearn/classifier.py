"""`PlainnetClassifier`: a network for classes, or for several labels per example."""

from __future__ import annotations

from typing import Any, ClassVar, Self

import numpy as np
from sklearn.base import ClassifierMixin
from sklearn.preprocessing import LabelBinarizer
from sklearn.utils.class_weight import compute_sample_weight
from sklearn.utils.metaestimators import available_if
from sklearn.utils.multiclass import type_of_target, unique_labels
from sklearn.utils.validation import column_or_1d

from plainnet.data.dataset import DataSet
from plainnet.losses import Loss, SoftmaxCrossEntropy
from plainnet.sklearn.estimator import PlainnetEstimator
from plainnet.sklearn.losses import SummedCrossEntropy
from plainnet.sklearn.networks import example_shape
from plainnet.sklearn.parameters import STOCHASTIC, Parameters
from plainnet.softmax import sigmoid, softmax


class PlainnetClassifier(ClassifierMixin, PlainnetEstimator):
    """A network for classes of any type of label, or for several labels per example (y of zeros and ones).

    The parameters are those of scikit-learn's `MLPClassifier`; with the same `random_state` it starts from the same
    weights, uses the same batches and takes the same steps. It has these additional parameters:

    `layers`, such as [Dense(100), BatchNorm(), ReLU()], instead of hidden_layer_sizes; the last Dense is added.
    `recipe`, such as "table" or a TOML file, instead of all other settings of the training; `epochs` may shorten it.
    `epochs`, another name for max_iter. `dropout`, the share of hidden units to drop. `schedule`, such as
    plainnet.schedules.cosine(0.01), instead of learning_rate. `augmentation`, such as {"shift": 2.0, "rotation": 10}.
    `image_shape`, such as (28, 28), the shape of the image in each row of X. `class_weight`, a number for each class
    or "balanced". With image_shape or a recipe, X of type uint8 holds pixels, which are scaled from 0-255 to [0, 1].

    Attributes after `fit`: classes_, n_features_in_, feature_names_in_, network_, coefs_, intercepts_, loss_curve_,
    loss_, best_loss_, validation_scores_, best_validation_score_, n_iter_, t_, n_layers_, n_outputs_, out_activation_.
    Shapes: X (N, D), y (N,), or (N, K) for several labels.
    Raises: `ValueError` in `fit` for invalid parameters or data.

    Example:
        >>> from plainnet.sklearn import PlainnetClassifier
        >>> X, y = [[0.0], [1.0], [2.0], [3.0]], ["low", "low", "high", "high"]
        >>> classifier = PlainnetClassifier((8,), solver="lbfgs", random_state=0).fit(X, y)
        >>> classifier.predict([[-1.0], [4.0]]).tolist()
        ['low', 'high']
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        **Parameters._parameter_constraints,
        "class_weight": [dict, str, None],
    }

    def _targets(
        self, y: np.ndarray, classes: Any = None, *, first: bool = False, incremental: bool = True
    ) -> np.ndarray:
        if y.ndim == 2 and y.shape[1] == 1:
            y = column_or_1d(y, warn=True)
        found = unique_labels(y)
        if first or not hasattr(self, "_binarizer"):
            known = getattr(self, "classes_", None) if classes is None and not first else classes
            several = type_of_target(y).startswith("multilabel")
            self._binarizer = LabelBinarizer().fit(y if known is None or several else known)
            self.classes_ = self._binarizer.classes_
        elif self.warm_start and not incremental and set(self.classes_) != set(found):
            raise ValueError(
                "warm_start can only be used where `y` has the same classes as in the previous call to fit."
                f" Previously got {self.classes_}, `y` has {found}"
            )
        if extra := sorted(set(found) - set(self.classes_)):
            raise ValueError(f"y has classes that the estimator does not know: {extra}; it knows {self.classes_}")
        return self._binarizer.transform(y).astype(bool)

    @property
    def several_(self) -> bool:
        """Whether an example has any number of labels instead of one class."""
        return bool(self._binarizer.y_type_.startswith("multilabel"))

    def _out_activation(self) -> str:
        two = self.recipe is None and self._binarizer.y_type_ == "binary"
        return "logistic" if self.several_ or two else "softmax"

    def _weighted(self, y: np.ndarray, weights: np.ndarray | None) -> np.ndarray | None:
        if self.class_weight is None:
            return weights
        of_class = compute_sample_weight(self.class_weight, y)
        return of_class if weights is None else of_class * weights

    def _data_set(self, X: np.ndarray, targets: np.ndarray, weights: np.ndarray | None) -> DataSet:
        X = X.reshape(len(X), *example_shape(X.shape[1], self.image_shape))
        names = [str(number) for number in range(max(targets.shape[1], 2))]
        if self._out_activation() == "softmax":
            return DataSet(X, _places(targets), names, weights=weights, kind="classes")
        return DataSet(X, targets, names[: targets.shape[1]], weights=weights, kind="labels")

    def _loss_function(self) -> Loss:
        return SoftmaxCrossEntropy() if self._out_activation() == "softmax" else SummedCrossEntropy()

    def _labels(self, outputs: np.ndarray) -> np.ndarray:
        """Return the predicted classes (N,) for outputs (N, K), or the labels (N, K)."""
        if self._out_activation() == "softmax":
            return self.classes_[outputs.argmax(axis=1)]
        positive = outputs > 0
        if self.several_:
            return positive.astype(int)
        return self.classes_[np.minimum(positive[:, 0], len(self.classes_) - 1).astype(int)]  # there may be one

    def _score_of(self, outputs: np.ndarray, targets: np.ndarray, weights: np.ndarray | None) -> float:
        if self._out_activation() == "softmax":
            right = outputs.argmax(axis=1) == _places(targets)
        else:
            right = ((outputs > 0) == targets).all(axis=1)
        return float(np.average(right, weights=weights))

    def predict(self, X: Any) -> np.ndarray:
        """Return the most probable class of each row of X, or its labels (N, K)."""
        return self._labels(self._outputs(X))

    def predict_proba(self, X: Any) -> np.ndarray:
        """Return the probability of each class, or label, for each row of X, (N, K)."""
        outputs = self._outputs(X)
        if self._out_activation() == "softmax":
            return softmax(outputs)
        p = sigmoid(outputs)
        return p if self.several_ else np.hstack([1 - p, p])

    def predict_log_proba(self, X: Any) -> np.ndarray:
        """Return the logarithms of `predict_proba`."""
        return np.log(self.predict_proba(X))

    @available_if(lambda self: self.solver in STOCHASTIC)
    def partial_fit(self, X: Any, y: Any, sample_weight: Any = None, classes: Any = None) -> Self:
        """Train for one more epoch on X (N, D) and y; the weights and the solver's memory are kept.

        The first call must give `classes`, the list of all classes that any call will have.

        Raises: `ValueError` as `fit` does; also if the classes differ from those of the first call, or with
        `early_stopping`.
        """
        from sklearn.utils.multiclass import _check_partial_fit_first_call

        known = getattr(self, "classes_", None)
        if _check_partial_fit_first_call(self, classes) and known is None:
            self.__dict__.pop("_binarizer", None)
        return self._partial_fit(X, y, sample_weight, classes)


def _places(targets: np.ndarray) -> np.ndarray:
    """Return the index of the class that each one-hot row (N, K) marks; a single column marks the second of two."""
    return targets.argmax(axis=1) if targets.shape[1] > 1 else targets[:, 0].astype(int)
