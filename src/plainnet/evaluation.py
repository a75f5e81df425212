"""Evaluation: what a network gets right on a data set, digit by digit, and how sure the figure is."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from plainnet.data.dataset import DataSet
from plainnet.errors import InputError
from plainnet.metrics import accuracy, confusion_matrix, per_class_accuracy, wilson_interval
from plainnet.network import Network
from plainnet.shifted_views import probabilities


@dataclass(frozen=True)
class Evaluation:
    """The probabilities (N, K) a network gave for a data set, and the figures that follow from them."""

    data: DataSet
    probabilities: np.ndarray

    @cached_property
    def predicted(self) -> np.ndarray:
        """The most probable class of each image, (N,)."""
        classes: np.ndarray = self.probabilities.argmax(axis=1)
        return classes

    @cached_property
    def accuracy(self) -> float:
        """The share of images recognized."""
        return accuracy(self.predicted, self.data.labels)

    @cached_property
    def interval_95(self) -> tuple[float, float]:
        """The Wilson interval of the accuracy."""
        return wilson_interval(len(self.data) - len(self.mistakes), len(self.data))

    @cached_property
    def mistakes(self) -> np.ndarray:
        """The rows of the images that are not recognized, in ascending order."""
        return np.flatnonzero(self.predicted != self.data.labels)

    @cached_property
    def confusion(self) -> np.ndarray:
        """How often class i (row) was taken for class j (column), (K, K)."""
        return confusion_matrix(self.predicted, self.data.labels, len(self.data.class_names))

    @cached_property
    def per_class(self) -> dict[str, float]:
        """The accuracy of every class that occurs."""
        shares = zip(self.data.class_names, per_class_accuracy(self.confusion).tolist(), strict=True)
        return {name: share for name, share in shares if share == share}  # NaN: a class without images

    def to_table(self) -> dict[str, Any]:
        """Return the figures as plain values, named as in metrics.json."""
        per_class = self.per_class
        return {
            "test_images": len(self.data),
            "test_accuracy": self.accuracy,
            "test_interval_95": list(self.interval_95),
            "per_digit_accuracy": per_class,
            "best_digit": max(per_class, key=per_class.__getitem__),
            "worst_digit": min(per_class, key=per_class.__getitem__),
            "confusion_matrix": self.confusion.tolist(),
            "mistakes": self.mistakes.tolist(),
        }


def evaluate(network: Network, data: DataSet, *, shifts: int = 0) -> Evaluation:
    """Let `network` classify every image of `data`, with the views that `probabilities` describes.

    Raises: `InputError` if the images or the classes are not those the network was made for.
    """
    if network.out_shapes[-1] != (len(data.class_names),):
        raise InputError(
            f"the network gives outputs of shape {network.out_shapes[-1]}, the data has {len(data.class_names)} "
            "classes; give it data of its own kind"
        )
    return Evaluation(data, probabilities(network.logits, data.images, shifts))


def as_percent(share: float) -> str:
    """Write a probability so that it never reads as certain when it is not."""
    if share >= 0.9995:
        return ">99.9 %"
    return "<0.1 %" if share < 0.0005 else f"{share:.1%}".replace("%", " %")
