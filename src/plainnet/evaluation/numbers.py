"""Evaluation of a regression: how far its predicted numbers are from the right ones."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from plainnet.data.dataset import DataSet
from plainnet.evaluation.classes import examples


@dataclass(frozen=True)
class NumberEvaluation:
    """The numbers (N, M) that a network gave for a data set, and the figures that follow from them.

    With errors e = predicted - right: mean absolute error, mean |e|; root mean squared error, sqrt(mean e^2); and the
    coefficient of determination R^2 = 1 - sum e^2 / sum (right - mean)^2: 1 is perfect, 0 is as good as the mean.
    """

    data: DataSet
    outputs: np.ndarray

    @cached_property
    def right(self) -> np.ndarray:
        """The right numbers, (N, M)."""
        return self.data.targets.reshape(self.outputs.shape).astype(float)

    @cached_property
    def errors(self) -> np.ndarray:
        """The predicted minus the right numbers, (N, M)."""
        errors: np.ndarray = self.outputs.astype(float) - self.right
        return errors

    @cached_property
    def mean_absolute_error(self) -> float:
        """The mean distance from the right number, in the unit of the targets."""
        return float(np.abs(self.errors).mean())

    @cached_property
    def root_mean_squared_error(self) -> float:
        """The square root of the mean squared distance, in the unit of the targets."""
        return float(np.sqrt(np.square(self.errors).mean()))

    @cached_property
    def r2(self) -> float | None:
        """The coefficient of determination, or None if all right numbers are the same."""
        spread = np.square(self.right - self.right.mean(axis=0)).sum()
        return float(1 - np.square(self.errors).sum() / spread) if spread > 0 else None

    def to_table(self) -> dict[str, Any]:
        """Return the figures as plain values, named as in metrics.json."""
        low, middle, high = np.percentile(np.abs(self.errors), (25, 50, 75)).tolist()
        return {
            "task": "numbers",
            f"test_{examples(self.data)}": len(self.data),
            "test_mean_absolute_error": self.mean_absolute_error,
            "test_root_mean_squared_error": self.root_mean_squared_error,
            "test_r2": self.r2,
            "test_absolute_error_quartiles": [low, middle, high],
            "test_targets": {"mean": float(self.right.mean()), "sd": float(self.right.std())},
        }

    def lines(self) -> list[tuple[str, str]]:
        """Return the figures as readable text: pairs of name and value."""
        mean, deviation = self.right.mean(), self.right.std()
        found = [
            (
                "mean absolute error",
                f"{self.mean_absolute_error:.4g}   (targets: mean {mean:.4g}, standard deviation {deviation:.4g})",
            ),
            ("root mean squared error", f"{self.root_mean_squared_error:.4g}"),
        ]
        return found if self.r2 is None else [*found, ("R squared", f"{self.r2:.3f}")]
