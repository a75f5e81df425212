"""Evaluation of a classifier: accuracy by class, its uncertainty, and how far the probabilities can be trusted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from plainnet.data.dataset import DataSet
from plainnet.evaluation.trust import Trust, tempered
from plainnet.metrics import accuracy, confusion_matrix, per_class_accuracy, wilson_interval

DIGITS = tuple("0123456789")


@dataclass(frozen=True)
class Evaluation:
    """The probabilities (N, K) that a network gave for a data set, and the figures that follow from them.

    `temperature` is that of the model; it is not yet applied to `probabilities`. It changes no answer, only the
    calibrated probabilities in `trust`.
    """

    data: DataSet
    probabilities: np.ndarray
    temperature: float = 1.0
    certain: Mapping[str, float] = field(default_factory=dict)  # thresholds of promises, see `promises`

    @cached_property
    def predicted(self) -> np.ndarray:
        """The most probable class of each image, (N,)."""
        classes: np.ndarray = self.probabilities.argmax(axis=1)
        return classes

    @cached_property
    def accuracy(self) -> float:
        """The share of images classified correctly."""
        return accuracy(self.predicted, self.data.labels)

    @cached_property
    def interval_95(self) -> tuple[float, float]:
        """The 95 % Wilson interval of the accuracy."""
        return wilson_interval(len(self.data) - len(self.mistakes), len(self.data))

    @cached_property
    def mistakes(self) -> np.ndarray:
        """The row numbers of the misclassified images, in ascending order."""
        return np.flatnonzero(self.predicted != self.data.labels)

    @cached_property
    def confusion(self) -> np.ndarray:
        """How often class i (row) was predicted as class j (column), (K, K)."""
        return confusion_matrix(self.predicted, self.data.labels, len(self.data.class_names))

    @cached_property
    def per_class(self) -> dict[str, float]:
        """The accuracy of every class that occurs."""
        shares = zip(self.data.class_names, per_class_accuracy(self.confusion).tolist(), strict=True)
        return {name: share for name, share in shares if share == share}  # NaN: a class without images

    @cached_property
    def trust(self) -> Trust:
        """How far the probabilities can be trusted, with the model's temperature."""
        return Trust(tempered(self.probabilities, self.temperature), np.asarray(self.data.labels))

    @property
    def noun(self) -> str:
        """The word for a class: "digit" or "class"."""
        return "digit" if self.data.class_names == DIGITS else "class"

    def to_table(self) -> dict[str, Any]:
        """Return the figures as plain values, named as in metrics.json."""
        per_class, noun = self.per_class, self.noun
        return {
            f"test_{examples(self.data)}": len(self.data),
            "test_accuracy": self.accuracy,
            "test_interval_95": list(self.interval_95),
            f"per_{noun}_accuracy": per_class,
            f"best_{noun}": max(per_class, key=per_class.__getitem__),
            f"worst_{noun}": min(per_class, key=per_class.__getitem__),
            "confusion_matrix": self.confusion.tolist(),
            "mistakes": self.mistakes.tolist(),
            "trust": self.trust.to_table(self.certain),
        }

    def lines(self) -> list[tuple[str, str]]:
        """Return the figures as readable text: pairs of name and value."""
        (low, high), per_class = self.interval_95, self.per_class
        best, worst = (pick(per_class, key=per_class.__getitem__) for pick in (max, min))
        return [
            ("test accuracy", f"{self.accuracy:.2%}   (95 % interval {low:.2%} to {high:.2%})"),
            ("best class", f"{best}  ({per_class[best]:.2%})"),
            ("worst class", f"{worst}  ({per_class[worst]:.2%})"),
            *self.trust_lines(),
        ]

    def trust_lines(self) -> list[tuple[str, str]]:
        """Return the figures of the probabilities as readable text."""
        trust = self.trust
        figures = f"log loss {trust.log_loss:.4f}, Brier score {trust.brier:.4f}"
        found = [("probabilities", figures), ("calibration error", f"{trust.calibration_error:.2%}")]
        if self.temperature != 1:
            before = Trust(self.probabilities, trust.labels).calibration_error
            found[1] = ("calibration error", f"{trust.calibration_error:.2%}   (without the temperature {before:.2%})")
        if "0.999" in self.certain:
            coverage, accuracy = trust.kept(self.certain["0.999"])
            told = "" if accuracy is None else f", of which {accuracy:.2%} are right"
            found.append(("99.9 % certain", f"{coverage:.1%} of the answers{told}"))
        return found


def examples(data: DataSet) -> str:
    """Return the word for the examples: "images", or "examples" for rows of a table."""
    return "images" if data.inputs.ndim > 2 else "examples"


def as_percent(share: float) -> str:
    """Format a probability so that it never looks certain when it is not."""
    if share >= 0.9995:
        return ">99.9 %"
    return "<0.1 %" if share < 0.0005 else f"{share:.1%}".replace("%", " %")
