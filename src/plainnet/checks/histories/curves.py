"""Curves: the figures of one training run, epoch by epoch."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

FIGURES = ("train_loss", "train_accuracy", "validation_loss", "validation_accuracy", "learning_rate")


@dataclass(frozen=True)
class Curves:
    """Each figure by epoch; a figure that was not recorded is an empty tuple. Accuracies are between 0 and 1.

    In a curve, NaN means that nothing was recorded, infinity that the figure was not finite. `at` holds the numbers of
    the epochs, or of the last steps if `unit` is "step". `measure` is the kind of accuracy, such as "accuracy" or
    "mAP50". `loss` is the kind of loss, if the name says so.
    """

    train_loss: tuple[float, ...] = ()
    train_accuracy: tuple[float, ...] = ()
    validation_loss: tuple[float, ...] = ()
    validation_accuracy: tuple[float, ...] = ()
    learning_rate: tuple[float, ...] = ()
    at: tuple[float, ...] = ()
    unit: str = "epoch"
    measure: str = "accuracy"
    loss: str = "loss"

    @property
    def epochs(self) -> int:
        """The number of recorded epochs, or of the points that steps were condensed to."""
        return max(len(getattr(self, name)) for name in FIGURES)

    def to_table(self) -> dict[str, list[float]]:
        """Return the figures by name, with NaN where there is none to show."""
        return {
            name: [value if math.isfinite(value) else math.nan for value in getattr(self, name)] for name in FIGURES
        }


def curves_of(history: Sequence[Mapping[str, Any]]) -> Curves:
    """Return the curves of a plainnet history, given as rows of plain values."""
    figures: dict[str, Any] = {name: _column([row.get(name) for row in history]) for name in FIGURES}
    return Curves(
        **figures,
        at=tuple(float(row.get("epoch", number)) for number, row in enumerate(history, start=1)),
    )


def _column(values: Sequence[Any]) -> tuple[float, ...]:
    if all(value is None for value in values):
        return ()
    numbers = (math.nan if value is None else float(value) for value in values)
    return tuple(
        math.inf if value is not None and not math.isfinite(number) else number
        for value, number in zip(values, numbers, strict=True)
    )
