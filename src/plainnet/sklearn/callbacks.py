"""Callbacks of scikit-learn, if the installed version has them (from 1.9): one task for `fit`, and one per epoch."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

try:
    from sklearn.callback import CallbackSupportMixin as CallbackSupport
    from sklearn.callback import with_callbacks
except ImportError:  # an earlier scikit-learn

    class CallbackSupport:  # type: ignore[no-redef]
        """A mixin without effect."""

    def with_callbacks(method: Callable[..., Any]) -> Callable[..., Any]:
        """Return the method unchanged."""
        return method


__all__ = ["CallbackSupport", "Tasks", "with_callbacks"]


class Tasks:
    """Informs an estimator's callbacks about its training and each epoch; a callback may ask to stop."""

    def __init__(self, estimator: Any, X: Any, y: Any, epochs: int) -> None:
        self.estimator, self.data = estimator, {"X": X, "y": y}
        self.root: Any = None
        self.epoch: Any = None
        if hasattr(estimator, "_skl_callbacks"):
            self.root = estimator._init_callback_context(max_subtasks=epochs)
            self.root.call_on_fit_task_begin(estimator=estimator, **self.data)

    def begin_epoch(self, number: int) -> None:
        """Inform the callbacks that an epoch begins."""
        if self.root is not None:
            self.epoch = self.root.subcontext(task_name=f"epoch {number}")
            self.epoch.call_on_fit_task_begin(estimator=self.estimator, **self.data)

    def end_epoch(self) -> bool:
        """Inform the callbacks that an epoch has ended, with a copy of the estimator; return whether to stop."""
        epoch, self.epoch = self.epoch, None
        return epoch is not None and bool(self._end(epoch))

    def end(self) -> None:
        """Inform the callbacks that the training has ended."""
        self.end_epoch()
        if self.root is not None:
            self._end(self.root)

    def _end(self, task: Any) -> Any:
        def as_it_is() -> dict[str, Any]:
            fitted = {name: value for name, value in vars(self.estimator).items() if name.endswith("_")}
            return fitted | {"network_": copy.deepcopy(self.estimator.network_)}

        return task.call_on_fit_task_end(estimator=self.estimator, **self.data, reconstruction_attributes=as_it_is)
