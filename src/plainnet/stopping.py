"""Early stopping: end a training run when validation no longer improves, when it is good enough, or when time is up."""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING, NamedTuple

from plainnet.config import number, whole_number
from plainnet.errors import InputError

if TYPE_CHECKING:
    from plainnet.events import Epoch


class Stop(NamedTuple):
    """The last event of a training run that ended early, or that put its best weights back.

    `reason` says why, in a phrase. `epoch` is the number of the last recorded epoch. `best` is the number of the
    earlier epoch that the weights come from, or None.

    Example:
        >>> from plainnet import Stop
        >>> print(Stop("no improvement in 2 epochs", epoch=5, best=3))
        ended after epoch 5: no improvement in 2 epochs; the weights are those after epoch 3, the best
    """

    reason: str
    epoch: int
    best: int | None

    def __str__(self) -> str:
        back = "" if self.best is None else f"; the weights are those after epoch {self.best}, the best"
        return f"ended after epoch {self.epoch}: {self.reason}{back}"


class Stopping:
    """Early stopping: ends a training run when validation stops improving, when it is good enough, or when time is up.

    `patience`: stop after this many epochs in a row in which the validation loss (or the `metric` named, such as
    "accuracy") did not improve on the best so far by more than `min_change`; the weights of the best epoch are then put
    back. `larger_is_better` is required for your own metrics. `accuracy`: stop once the validation accuracy reaches it.
    `seconds`: stop after the batch during which training has taken this long.

    Raises: `InputError` if `patience`, `accuracy` and `seconds` are all missing, or a value is out of range.
    Source: Prechelt 1998, "Early stopping - but when?", for the patience.

    Example:
        >>> from plainnet import Epoch, Stopping
        >>> losses = [0.5, 0.3, 0.4, 0.35]  # on validation data, after epochs 1 to 4
        >>> history = [Epoch(i + 1, 0.1, {}, loss, {}, 0.1, 1.0) for i, loss in enumerate(losses)]
        >>> Stopping(patience=2).best(history), Stopping(patience=2).after_epoch(history)
        (2, 'the validation loss has not improved in 2 epochs')
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
        """Whether stopping depends on validation figures."""
        return self.patience is not None or self.accuracy is not None

    def check(self, metrics: Collection[str]) -> None:
        """Raise `InputError` if a figure that stopping depends on is not measured."""
        needed = ([self.metric] if self.patience is not None else []) + ["accuracy"] * (self.accuracy is not None)
        for name in needed:
            if name != "loss" and name not in metrics:
                raise InputError(f"stopping needs {name!r}, which is not measured; choose loss, {', '.join(metrics)}")

    def best(self, history: Sequence[Epoch]) -> int | None:
        """Return the number of the epoch with the best validation figure so far, or None without patience."""
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
        """Return the reason to stop after the last epoch of `history`, or None."""
        last, best = history[-1], self.best(history)
        if self.accuracy is not None and (last.validation_accuracy or 0.0) >= self.accuracy:
            return f"the validation accuracy of {last.validation_accuracy:.2%} has reached {self.accuracy:.2%}"
        if self.patience is not None and best is not None and last.number - best >= self.patience:
            return f"the validation {self.metric} has not improved in {self.patience} epochs"
        return None

    def after_batch(self, seconds: float) -> str | None:
        """Return the reason to stop after a batch, or None, when training has taken this many seconds."""
        if self.seconds is not None and seconds >= self.seconds:
            return f"the time limit of {self.seconds:g} seconds has been reached"
        return None
