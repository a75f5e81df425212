"""Evaluation of a multi-label classifier, which answers several yes-or-no questions per example: label by label."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from plainnet.data.dataset import DataSet
from plainnet.evaluation.classes import examples


@dataclass(frozen=True)
class LabelEvaluation:
    """The logits (N, K) that a network gave for a data set with several labels, and the figures that follow from them.

    For each label: precision, the share of the examples predicted to have the label that really have it; recall, the
    share of the examples with the label that were predicted to have it; F1, their harmonic mean.
    """

    data: DataSet
    outputs: np.ndarray

    @cached_property
    def given(self) -> np.ndarray:
        """Which labels the network predicted, (N, K)."""
        given: np.ndarray = self.outputs > 0
        return given

    @cached_property
    def right(self) -> np.ndarray:
        """Which labels the examples really have, (N, K)."""
        right: np.ndarray = self.data.targets.reshape(self.outputs.shape) > 0.5
        return right

    @cached_property
    def accuracy(self) -> float:
        """The share of right answers over all labels of all examples."""
        return float((self.given == self.right).mean())

    @cached_property
    def per_label(self) -> dict[str, dict[str, float | None]]:
        """Precision, recall and F1 of each label; None where the divisor is 0."""
        hits = (self.given & self.right).sum(axis=0)
        figures = {}
        for name, hit, given, had in zip(
            self.data.class_names, hits, self.given.sum(axis=0), self.right.sum(axis=0), strict=True
        ):
            figures[name] = {
                "precision": float(hit / given) if given else None,
                "recall": float(hit / had) if had else None,
                "f1": float(2 * hit / (given + had)) if given + had else None,
                "examples": int(had),
            }
        return figures

    def to_table(self) -> dict[str, Any]:
        """Return the figures as plain values, named as in metrics.json."""
        return {
            "task": "labels",
            f"test_{examples(self.data)}": len(self.data),
            "test_accuracy": self.accuracy,
            "test_all_right": float((self.given == self.right).all(axis=1).mean()),
            "per_label": self.per_label,
        }

    def lines(self) -> list[tuple[str, str]]:
        """Return the figures as readable text: pairs of name and value."""
        everything = float((self.given == self.right).all(axis=1).mean())
        f1 = {name: figures["f1"] for name, figures in self.per_label.items() if figures["f1"] is not None}
        found = [
            ("test accuracy", f"{self.accuracy:.2%} of all labels, {everything:.2%} of examples with all labels right")
        ]
        if f1:
            best, worst = max(f1, key=lambda n: f1[n] or 0), min(f1, key=lambda n: f1[n] or 0)
            found += [("best label", f"{best}  (F1 {f1[best]:.3f})"), ("worst label", f"{worst}  (F1 {f1[worst]:.3f})")]
        return found
