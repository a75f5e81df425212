"""Losses: one number that says how wrong a batch of outputs is, and the gradient that backpropagation starts from.

A loss says what kind of targets it takes, and whether it sums or averages over the examples. Nothing else in plainnet
knows what a target means, except the metrics that come with the loss.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from plainnet.errors import InputError
from plainnet.metrics import Metric


class Loss:
    """Base class of all losses; a new one defines `examples`, and says which targets it takes and its metrics.

    `takes`: the kinds of targets it accepts, among "classes" (N,), "probabilities" (N, K), "labels" (N, K) and
    "numbers" (N, M). `reduction`: "mean" or "sum" over the examples. `metrics`: functions by name, see `metrics`.

    Raises: `InputError` for a reduction that is neither "mean" nor "sum".

    Example:
        >>> import numpy as np
        >>> from plainnet.losses import Loss
        >>> class AbsoluteError(Loss):
        ...     def examples(self, outputs, targets):
        ...         return np.abs(outputs - targets)[:, 0], np.sign(outputs - targets)
        >>> AbsoluteError()(np.array([[1.0], [5.0]]), np.array([[2.0], [2.0]]))[0]  # (1 + 3) / 2
        2.0
    """

    takes: tuple[str, ...] = ("numbers",)
    metrics: Mapping[str, Metric] = {}

    def __init__(self, reduction: str = "mean") -> None:
        if reduction not in ("mean", "sum"):
            raise InputError(f'reduction must be "mean" or "sum", received {reduction!r}')
        self.reduction = reduction

    def examples(self, outputs: np.ndarray, targets: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the loss of each example, (N,), and its gradient with respect to the outputs, (N, K)."""
        raise NotImplementedError

    def values(self, outputs: np.ndarray, targets: np.ndarray) -> np.ndarray:
        """Return only the loss of each example, (N,); define it if that is faster without the gradient."""
        return self.examples(outputs, targets)[0]

    def check(self, outputs: np.ndarray, targets: np.ndarray) -> None:
        """Raise `InputError` if the targets do not fit the outputs."""
        if targets.shape != outputs.shape:
            raise InputError(f"expected targets of shape {outputs.shape} like the outputs, received {targets.shape}")

    def weights(self, targets: np.ndarray, given: np.ndarray | None) -> np.ndarray | None:
        """Return how much each example counts, (N,), or None if all count equally."""
        return given

    def total(self, targets: np.ndarray, given: np.ndarray | None = None) -> float:
        """Return the sum of the weights of all examples, the divisor of the mean."""
        weights = self.weights(targets, given)
        return float(len(targets)) if weights is None else math.fsum(weights)

    def sum(self, outputs: np.ndarray, targets: np.ndarray, weights: np.ndarray | None = None) -> float:
        """Return the weighted sum of the losses of all examples, without a gradient.

        Shapes, errors: as for a call.
        """
        targets = np.asarray(targets)
        self.check(outputs, targets)
        values, counted = self.values(outputs, targets), self.weights(targets, weights)
        return float((values if counted is None else values * counted).sum())

    def __call__(
        self,
        outputs: np.ndarray,
        targets: np.ndarray,
        weights: np.ndarray | None = None,
        *,
        total: float | None = None,
    ) -> tuple[float, np.ndarray]:
        """Return the loss and its gradient with respect to the outputs.

        If the examples are only a part of a batch, `total` is the sum of the weights of the whole batch. The losses and
        gradients of the parts then add up to those of the batch.

        Shapes: outputs (N, K), targets as the loss takes them, weights (N,), gradient (N, K).
        Raises: `InputError` if the targets do not fit the outputs.
        """
        targets = np.asarray(targets)
        self.check(outputs, targets)
        values, gradient = self.examples(outputs, targets)
        if np.shape(values) != outputs.shape[:1] or np.shape(gradient) != outputs.shape:
            raise InputError(
                f"{type(self).__name__}.examples must return a loss for each example, {outputs.shape[:1]}, and its "
                f"gradient, {outputs.shape}; received shapes {np.shape(values)} and {np.shape(gradient)}"
            )
        counted = self.weights(targets, weights)
        if counted is not None:
            values = values * counted
            gradient *= counted.astype(outputs.real.dtype)[:, None]
        if self.reduction == "sum":
            return values.sum().item(), gradient
        count = self.total(targets, weights) if total is None else total
        if count == 0:  # all weights are 0, and so is the gradient
            return 0.0, gradient
        with np.errstate(under="ignore"):  # a probability too small for the format correctly becomes 0
            gradient /= count
        return values.sum().item() / count, gradient


class GivenLoss(Loss):
    """A user's function, `f(outputs, targets) -> (loss, gradient)`, as a loss.

    It must say whether it sums or averages over the examples: `f.reduction = "sum"` or `"mean"`. It may also say which
    targets it takes (`f.takes`), and have metrics (`f.metrics`).
    """

    def __init__(self, function: Callable[..., Any]) -> None:
        super().__init__(getattr(function, "reduction", "missing"))
        self.function = function
        self.takes = tuple(getattr(function, "takes", ("classes", "probabilities", "labels", "numbers")))
        self.metrics = dict(getattr(function, "metrics", {}))

    def check(self, outputs: np.ndarray, targets: np.ndarray) -> None:
        """Check nothing; the function does."""

    def sum(self, outputs: np.ndarray, targets: np.ndarray, weights: np.ndarray | None = None) -> float:
        value = self(outputs, targets, weights)[0]
        return value * len(targets) if self.reduction == "mean" else value

    def __call__(
        self,
        outputs: np.ndarray,
        targets: np.ndarray,
        weights: np.ndarray | None = None,
        *,
        total: float | None = None,
    ) -> tuple[float, np.ndarray]:
        if weights is not None:
            raise InputError(
                "a loss that is a function cannot weight examples; derive a class from plainnet.losses.Loss"
            )
        result = self.function(outputs, targets)
        if not isinstance(result, tuple) or len(result) != 2 or np.shape(result[1]) != outputs.shape:
            raise InputError(
                f"a loss must return its value and its gradient, of shape {outputs.shape} like the outputs, received "
                f"{type(result).__name__} {result!r:.100}"
            )
        value, gradient = result
        share = 1 if self.reduction == "sum" or total is None else len(targets) / total
        return value * share, np.asarray(gradient) * share


def as_loss(given: Any) -> Loss:
    """Return `given` if it is a loss, or make a loss from a function.

    Raises: `InputError` for anything else, or a function that does not say whether it sums or averages.

    Example:
        >>> import numpy as np
        >>> from plainnet.losses import as_loss
        >>> def total_error(outputs, targets):
        ...     return np.abs(outputs - targets).sum().item(), np.sign(outputs - targets)
        >>> total_error.reduction = "sum"
        >>> as_loss(total_error)(np.array([[1.0], [5.0]]), np.array([[2.0], [2.0]]))[0]  # 1 + 3
        4.0
    """
    if isinstance(given, Loss):
        return given
    if isinstance(given, type) and issubclass(given, Loss):
        raise InputError(f"the loss must be an object, received the class; write {given.__name__}()")
    if not callable(given) or getattr(given, "reduction", None) not in ("mean", "sum"):
        raise InputError(
            f"the loss must be a Loss such as SoftmaxCrossEntropy(), received {given!r}; a function of your own, "
            'f(outputs, targets), must say whether it averages or sums: f.reduction = "mean" or "sum"'
        )
    return GivenLoss(given)
