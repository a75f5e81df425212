"""Losses: how wrong a batch of outputs is, in one number, and the gradient that backpropagation starts from."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

import numpy as np

from plainnet.config import number
from plainnet.errors import InputError
from plainnet.softmax import log_softmax


class Loss(Protocol):
    """What every loss offers: logits (N, K) and labels (N,) in, the loss and dlogits (N, K) out.

    Where the examples are a part of a batch, `batch` is the size of the whole; the losses of its parts then add up
    to that of the batch, and so do the gradients.
    """

    def __call__(
        self, logits: np.ndarray, labels: np.ndarray, batch: int | None = None, /
    ) -> tuple[float, np.ndarray]: ...


class SoftmaxCrossEntropy:
    """Softmax and cross-entropy as one function of the logits, averaged over the batch or summed.

    With p = softmax(z), the loss of one example with label k is -log p_k = log(sum_j exp z_j) - z_k, in nats.
    Its gradient is p - y, y being the one-hot label; the mean over N examples makes that (p - y) / N. With
    `reduction="sum"` nothing is divided: the gradient grows with the batch, and so does every step.

    Taken together the two never form log(0), and the gradient needs no division by a small probability.

    With `label_smoothing` s the target is not the one-hot y but (1 - s) y + s / K: the loss becomes
    -(1 - s) log p_k - s mean_j log p_j, the gradient p minus that target.

    Shapes: logits (N, K), labels (N,) whole numbers below K, dlogits (N, K).
    Raises: `InputError` for a reduction that is neither "mean" nor "sum", or a label_smoothing outside [0, 1).
    Sources: Goodfellow, Bengio, Courville 2016, "Deep learning", section 6.2.2.3; Szegedy et al. 2016, "Rethinking the
    Inception architecture", section 7, for the smoothing.
    """

    def __init__(self, reduction: str = "mean", label_smoothing: float = 0.0) -> None:
        if reduction not in ("mean", "sum"):
            raise InputError(f'reduction must be "mean" or "sum", received {reduction!r}')
        if not 0.0 <= number(label_smoothing, "label_smoothing") < 1.0:
            raise InputError(f"label_smoothing must be at least 0 and below 1, received {label_smoothing}; try 0.05")
        self.reduction = reduction
        self.label_smoothing = label_smoothing

    def __call__(self, logits: np.ndarray, labels: np.ndarray, batch: int | None = None, /) -> tuple[float, np.ndarray]:
        """Return the loss and dlogits, its gradient with respect to the logits.

        Raises: `InputError` if there are not as many labels as rows of logits, or a label names no class.
        """
        if logits.ndim != 2 or labels.shape != logits.shape[:1]:
            raise InputError(
                f"expected logits (N, K) and labels (N,), received shapes {logits.shape} and {labels.shape}"
            )
        if len(labels) == 0 or labels.dtype.kind not in "iu" or labels.min() < 0 or labels.max() >= logits.shape[1]:
            raise InputError(f"labels must be whole numbers from 0 to {logits.shape[1] - 1}, received {labels}")
        rows = np.arange(len(logits))
        log_p = log_softmax(logits)
        count = (batch or len(logits)) if self.reduction == "mean" else 1
        smoothing, classes = self.label_smoothing, logits.shape[1]
        value = -log_p[rows, labels].sum().item() / count
        if smoothing:
            value = (1 - smoothing) * value - smoothing * log_p.mean(axis=1).sum().item() / count
        with np.errstate(under="ignore"):  # a probability too small for the format is 0, as it should be
            dlogits = np.exp(log_p, out=log_p)
            if smoothing:
                dlogits -= smoothing / classes
            dlogits[rows, labels] -= 1 - smoothing
            dlogits /= count
        return value, dlogits


LOSSES: dict[str, Callable[..., Loss]] = {"SoftmaxCrossEntropy": SoftmaxCrossEntropy}
