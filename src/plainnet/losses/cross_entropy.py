"""Cross-entropy: minus the logarithm of the probability that a classifier gives to the right answer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from plainnet.config import number
from plainnet.errors import InputError
from plainnet.losses.loss import Loss
from plainnet.metrics import Metric, correct_class, correct_labels
from plainnet.softmax import log_softmax

_MOST = 1e6  # the largest class weight


class SoftmaxCrossEntropy(Loss):
    """Softmax and cross-entropy as one function of the logits, averaged over the batch or summed.

    With p = softmax(z), the loss of one example with label k is -log p_k = log(sum_j exp z_j) - z_k, in nats.
    Its gradient is p - y, where y is the one-hot label; for the mean over N examples, (p - y) / N. With
    `reduction="sum"` nothing is divided: the gradient grows with the batch size, and so does every step.

    Computing both together never forms log(0), and the gradient needs no division by a small probability.

    Targets may be probabilities y of all classes instead of labels: the loss is then -sum_j y_j log p_j. With
    `label_smoothing` s, the target is (1 - s) y + s / K instead of y. With `class_weights` c, one number per class, an
    example counts c_k times (with soft targets, sum_j y_j c_j), and the mean is the weighted mean.

    Shapes: logits (N, K), targets (N,) whole numbers below K or (N, K), dlogits (N, K).
    Raises: `InputError` for a reduction that is neither "mean" nor "sum", a label_smoothing outside [0, 1), or class
    weights that are not positive numbers.
    Sources: Goodfellow, Bengio, Courville 2016, "Deep learning", section 6.2.2.3; Szegedy et al. 2016, "Rethinking the
    Inception architecture", section 7, for the smoothing.

    Example:
        >>> import numpy as np
        >>> from plainnet import SoftmaxCrossEntropy
        >>> logits = np.log([[3.0, 1.0]])  # p = (3/4, 1/4)
        >>> loss, gradient = SoftmaxCrossEntropy()(logits, np.array([0]))
        >>> round(loss, 3), gradient.round(3).tolist()  # -log(3/4), p - y
        (0.288, [[-0.25, 0.25]])
    """

    takes = ("classes", "probabilities")
    metrics: Mapping[str, Metric] = {"accuracy": correct_class}

    def __init__(
        self, reduction: str = "mean", label_smoothing: float = 0.0, class_weights: Sequence[float] | None = None
    ) -> None:
        super().__init__(reduction)
        if not 0.0 <= number(label_smoothing, "label_smoothing") < 1.0:
            raise InputError(f"label_smoothing must be at least 0 and below 1, received {label_smoothing}; try 0.05")
        self.label_smoothing = label_smoothing
        self.class_weights = (
            None if class_weights is None else np.array([number(w, "a class weight") for w in class_weights])
        )
        if self.class_weights is not None and not ((self.class_weights > 0) & (self.class_weights <= _MOST)).all():
            raise InputError(f"class_weights must be positive numbers up to a million, received {class_weights}")

    def check(self, outputs: np.ndarray, targets: np.ndarray) -> None:
        if outputs.ndim != 2 or targets.shape not in (outputs.shape[:1], outputs.shape):
            raise InputError(
                f"expected logits (N, K) and labels (N,), received shapes {outputs.shape} and {targets.shape}"
            )
        classes = outputs.shape[1]
        if self.class_weights is not None and len(self.class_weights) != classes:
            raise InputError(
                f"class_weights must hold {classes} numbers, one per class, received {len(self.class_weights)}"
            )
        if targets.ndim == 2:
            return
        if len(targets) == 0 or targets.dtype.kind not in "iu" or targets.min() < 0 or targets.max() >= classes:
            raise InputError(f"labels must be whole numbers from 0 to {classes - 1}, received {targets}")

    def weights(self, targets: np.ndarray, given: np.ndarray | None) -> np.ndarray | None:
        if self.class_weights is None:
            return given
        of_class = self.class_weights[targets] if targets.ndim == 1 else targets @ self.class_weights
        return of_class if given is None else of_class * given

    def values(self, outputs: np.ndarray, targets: np.ndarray) -> np.ndarray:
        return self._values(log_softmax(outputs), targets)

    def _values(self, log_p: np.ndarray, targets: np.ndarray) -> np.ndarray:
        s = self.label_smoothing
        if targets.ndim == 2:
            with np.errstate(under="ignore"):
                values: np.ndarray = -(self._soft(targets, log_p) * log_p).sum(axis=1)
            return values
        values = -log_p[np.arange(len(log_p)), targets]
        return (1 - s) * values - s * log_p.mean(axis=1) if s else values

    def _soft(self, targets: np.ndarray, log_p: np.ndarray) -> np.ndarray:
        s = self.label_smoothing
        return (1 - s) * targets.astype(log_p.real.dtype, copy=False) + s / log_p.shape[1]

    def examples(self, outputs: np.ndarray, targets: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        s, log_p = self.label_smoothing, log_softmax(outputs)
        values = self._values(log_p, targets)
        with np.errstate(under="ignore"):
            if targets.ndim == 2:
                soft = self._soft(targets, log_p)
                return values, np.exp(log_p) * soft.sum(axis=1, keepdims=True) - soft
            gradient = np.exp(log_p, out=log_p)
            if s:
                gradient -= s / outputs.shape[1]
            gradient[np.arange(len(outputs)), targets] -= 1 - s
        return values, gradient


class BinaryCrossEntropy(Loss):
    """Sigmoid and cross-entropy for independent yes-or-no questions, as one function of the logits.

    With p = 1 / (1 + exp(-z)), the loss of one logit with target t is -t log p - (1 - t) log(1 - p), computed as
    max(z, 0) - t z + log(1 + exp(-|z|)), which cannot overflow; its gradient is p - t. An example's loss is the mean
    over its K logits. For two classes one logit is enough: z > 0 means the second.

    Shapes: logits (N, K), targets (N, K) from 0 to 1, or (N,) if K = 1; dlogits (N, K).
    Raises: `InputError` for a reduction that is neither "mean" nor "sum".
    Source: Goodfellow, Bengio, Courville 2016, "Deep learning", section 6.2.2.2.

    Example:
        >>> import numpy as np
        >>> from plainnet import BinaryCrossEntropy
        >>> loss, gradient = BinaryCrossEntropy()(np.array([[0.0]]), np.array([1]))
        >>> round(loss, 3), gradient.tolist()  # p = 1/2, so the loss is log 2 and the gradient p - 1
        (0.693, [[-0.5]])
    """

    takes = ("labels", "classes")
    metrics: Mapping[str, Metric] = {"accuracy": correct_labels}

    def check(self, outputs: np.ndarray, targets: np.ndarray) -> None:
        if outputs.ndim != 2 or (targets.shape != outputs.shape and (outputs.shape[1], targets.ndim) != (1, 1)):
            raise InputError(
                f"expected logits (N, K) and targets (N, K), or (N,) if K is 1, received shapes {outputs.shape} and "
                f"{targets.shape}"
            )
        if len(targets) != len(outputs) or not (targets.min(initial=0) >= 0 and targets.max(initial=1) <= 1):
            raise InputError(f"targets must be numbers from 0 to 1, one per logit, received {targets}")

    def examples(self, outputs: np.ndarray, targets: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        t = targets.reshape(outputs.shape).astype(outputs.real.dtype, copy=False)
        positive = outputs.real > 0
        with np.errstate(under="ignore"):
            small = np.exp(np.where(positive, -outputs, outputs))  # exp(-|z|), by the real part
            values = outputs * positive - t * outputs + np.log1p(small)
            p = np.where(positive, 1, small) / (1 + small)
        return values.mean(axis=1), (p - t) / outputs.shape[1]
