"""Signs: what the curves of a training run show, measured once for all rules."""

from __future__ import annotations

import math
from functools import cached_property

from plainnet.checks.histories.curves import Curves
from plainnet.checks.trainings.curve import Curve

SHORT = 3  # points, below which no curve is judged


class Signs:
    """What the curves show. `classes` is the number of classes, if it is known."""

    def __init__(self, curves: Curves, classes: int | None = None) -> None:
        self.curves, self._classes = curves, classes
        self.train_loss, self.train, self.validation_loss, self.validation, self.rate = (
            Curve.of(figures, curves.at)
            for figures in (
                curves.train_loss, curves.train_accuracy, curves.validation_loss, curves.validation_accuracy,
                curves.learning_rate,
            )
        )  # fmt: skip
        self.unit = curves.unit

    @cached_property
    def accuracy(self) -> Curve:
        """The training accuracy if it was recorded, otherwise the validation accuracy."""
        return self.train if len(self.train) else self.validation

    @cached_property
    def loss(self) -> Curve:
        """The training loss if it was recorded, otherwise the validation loss."""
        return self.train_loss if len(self.train_loss) else self.validation_loss

    def epoch(self, at: float) -> str:
        """Return the name of an epoch or step, such as "epoch 5"."""
        return f"{self.unit} {at:,.0f}"

    @property
    def which(self) -> str:
        """The part of the data that `accuracy` was measured on."""
        return "training" if len(self.train) else "validation"

    @cached_property
    def classes(self) -> int | None:
        """The number of classes: known, or inferred from a loss of ln K beside an accuracy of about 1/K; None if neither."""
        if self._classes is not None:
            return self._classes
        if self.curves.measure != "accuracy" or self.curves.loss != "loss":
            return None
        for loss, accuracy in (
            (self.train_loss, self.train), (self.validation_loss, self.validation), (self.train_loss, self.validation),
        ):  # fmt: skip
            if len(loss) and len(accuracy):
                ends = ((loss.end, accuracy.end),) if self.flat else ()
                for value, right in (*ends, (loss.first, accuracy.first)):
                    count = round(math.exp(min(value, 12.0)))
                    if count >= 2 and abs(value - math.log(count)) < 0.03 and 0.4 / count < right < 1.8 / count:
                        return count
        return None

    @cached_property
    def chance(self) -> float | None:
        """The highest accuracy that still counts as chance, with a margin; None if the number of classes is not known."""
        return None if self.classes is None else 1 / self.classes + min(0.6 / self.classes, 0.08)

    def at_chance(self, accuracy: float) -> bool:
        """Return whether an accuracy is no better than chance, as far as is known."""
        return accuracy <= self.low

    @property
    def low(self) -> float:
        """The accuracy of chance, or 16 % if the number of classes is not known."""
        return 0.16 if self.chance is None else self.chance

    @cached_property
    def learns(self) -> bool:
        """Whether the training clearly learns: the loss falls, or the accuracy rises, and not just for a moment."""
        loss, accuracy = self.train_loss, self.train
        falls = len(loss) > 2 and loss.end < 0.85 * loss.first
        rises = len(accuracy) > 2 and accuracy.end > accuracy.first + 0.1
        if len(loss) and len(accuracy):
            return (falls and accuracy.end >= accuracy.first - 0.02) or (rises and loss.end < loss.first)
        return falls or rises

    @cached_property
    def flat(self) -> bool:
        """Whether the training loss hardly moves after its first epoch, and did not fall far before."""
        loss = self.train_loss
        return len(loss) >= SHORT and loss.spread(1) < 0.03 and loss.end > 0.75 * loss.first

    @cached_property
    def near_zero(self) -> bool:
        """Whether the training is nearly done: the loss is small relative to its first value, or nearly all answers are right."""
        loss = self.train_loss
        small = len(loss) > 1 and loss.least < 0.1 * max(loss.first, 1e-30)
        return small or (len(self.accuracy) > 0 and self.accuracy.end > 0.97)

    @cached_property
    def far_apart(self) -> bool:
        """Whether the training loss is small from the first figure on, and the validation loss more than twenty times as large."""
        train, validation = self.train_loss, self.validation_loss
        return min(len(train), len(validation)) > 7 and train.most < min(0.3, validation.least / 20)

    @cached_property
    def accuracy_is_good(self) -> bool:
        """Whether the recorded accuracy is high."""
        return len(self.accuracy) > 0 and self.accuracy.end > 0.9
