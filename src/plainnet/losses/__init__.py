"""The losses; `loss.py` describes the contract that every loss keeps."""

from collections.abc import Callable

from plainnet.losses.cross_entropy import BinaryCrossEntropy, SoftmaxCrossEntropy
from plainnet.losses.loss import Loss, as_loss
from plainnet.losses.regression import Huber, MeanSquaredError

LOSSES: dict[str, Callable[..., Loss]] = {
    kind.__name__: kind for kind in (BinaryCrossEntropy, Huber, MeanSquaredError, SoftmaxCrossEntropy)
}

__all__ = ["LOSSES", "BinaryCrossEntropy", "Huber", "Loss", "MeanSquaredError", "SoftmaxCrossEntropy", "as_loss"]
