"""Stopping: when a training has done enough, and why."""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING, NamedTuple

from plainnet.config import number, whole_number
from plainnet.errors import InputError

if TYPE_CHECKING:
    from plainnet.events import Epoch


class Stop(NamedTuple):
    """The last event of a training that ended early, or whose best weights were put back.

    `reason` says why in a sentence; `epoch` is the number of the last one on record; `best`, if the weights are those
    of an earlier epoch, its number.
    """

    reason: str
    epoch: int
    best: int | None

    def __str__(self) -> str:
        back = "" if self.best is None else f"; the weights are again those after epoch {self.best}, the best"
        return f"ended after epoch {self.epoch}: {self.reason}{back}"


class Stopping:
    """Ends a training when validation has not improved for some epochs, when time is up, or when it is good enough.

    `patience`: epochs without a validation loss (or the `metric` named, such as "accuracy") better than the best so far
    by more than `min_change`; the weights of the best epoch are then put back. `larger_is_better` must be given for a
    metric of one's own. `accuracy`: the validation accuracy that is enough. `seconds`: of training, after which the
    batch under way is the last.

    Raises: `InputError` if none of the three is given, or a value is out of range.
    Source: Prechelt 1998, "Early stopping - but when?", for the patience.
    """

    def __init__(
        self,
        *,
        patience: int | None = None,
        metric: str = "loss",
        min_change: float = 0.0,
        larger_is_better: bool | None = None,
        accuracy: float | None = None,
        seconds: float | None = None,
    ) -> None:
        if patience is None and accuracy is None and seconds is None:
            raise InputError("stop needs a patience, an accuracy or a number of seconds; patience = 5 is common")
        self.patience = None if patience is None else whole_number(patience, "patience")
        if not isinstance(metric, str):
            raise InputError(f'metric must be a name such as "loss" or "accuracy", received {metric!r}')
        self.metric = metric
        known = {"loss": False, "accuracy": True, "absolute_error": False}.get(metric)
        self.larger_is_better = known if larger_is_better is None else larger_is_better
        if not isinstance(self.larger_is_better, bool):
            raise InputError(
                f"larger_is_better must be true or false for the metric {metric!r}, received {larger_is_better}"
            )
        if not 0.0 <= number(min_change, "min_change") < math.inf:
            raise InputError(f"min_change must be at least 0, received {min_change}; 0.001 is common")
        self.min_change = min_change
        if accuracy is not None and not 0.0 < number(accuracy, "accuracy") <= 1.0:
            raise InputError(f"accuracy must be above 0 and at most 1, received {accuracy}; 0.98 means 98 %")
        self.accuracy = accuracy
        if seconds is not None and not 0.0 < number(seconds, "seconds") < math.inf:
            raise InputError(f"seconds must be a positive number, received {seconds}; 600 is ten minutes")
        self.seconds = seconds

    @property
    def needs_validation(self) -> bool:
        """Whether the validation figures decide."""
        return self.patience is not None or self.accuracy is not None

    def check(self, metrics: Collection[str]) -> None:
        """Raise `InputError` if something that decides is not measured."""
        needed = ([self.metric] if self.patience is not None else []) + ["accuracy"] * (self.accuracy is not None)
        for name in needed:
            if name != "loss" and name not in metrics:
                raise InputError(f"stopping needs {name!r}, which is not measured; there is loss, {', '.join(metrics)}")

    def best(self, history: Sequence[Epoch]) -> int | None:
        """Return the number of the epoch with the best validation figure so far; None without patience."""
        if self.patience is None or not history:
            return None
        sign = -1 if self.larger_is_better else 1
        best, at = math.inf, history[0].number
        for epoch in history:
            value = epoch.validation_loss if self.metric == "loss" else (epoch.validation or {})[self.metric]
            if value is not None and sign * value < best - self.min_change:
                best, at = sign * value, epoch.number
        return at

    def after_epoch(self, history: Sequence[Epoch]) -> str | None:
        """Return why to stop after the last epoch of `history`, if there is a reason."""
        last, best = history[-1], self.best(history)
        if self.accuracy is not None and (last.validation_accuracy or 0.0) >= self.accuracy:
            return f"the validation accuracy of {last.validation_accuracy:.2%} has reached {self.accuracy:.2%}"
        if self.patience is not None and best is not None and last.number - best >= self.patience:
            return f"the validation {self.metric} has not improved in {self.patience} epochs"
        return None

    def after_batch(self, seconds: float) -> str | None:
        """Return why to stop after a batch, if there is a reason, when the training has taken so many seconds."""
        if self.seconds is not None and seconds >= self.seconds:
            return f"the {self.seconds:g} seconds it was given are over"
        return None
