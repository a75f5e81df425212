"""Workers: threads or processes that share the computation of each batch's gradient, and their interface."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Protocol, runtime_checkable

import numpy as np

from plainnet.data.dataset import DataSet
from plainnet.metrics import Metric
from plainnet.network import Network
from plainnet.workers.figures import Figures
from plainnet.workers.processes import Processes, quickest
from plainnet.workers.threads import Threads

if TYPE_CHECKING:
    from plainnet.data.augmentation import Augmentation

__all__ = ["Figures", "Processes", "Threads", "Workers", "quickest"]


@runtime_checkable
class Workers(Protocol):
    """The interface of workers, which may be threads, or processes on one or several machines.

    All workers get the same rows of a batch and agree on who takes which. Afterwards the network of each has the
    gradient of the whole batch, and the same figures. `generators` are part of a training run's state. If several
    processes train together, each runs the same program, and only the one that `leads` writes files.
    """

    number: int
    leads: bool
    network: Network
    metrics: Mapping[str, Metric]
    generators: list[np.random.Generator]
    augmentation: Augmentation | None
    adversarial: float | None

    def gradient(self, data: DataSet, rows: np.ndarray, *, momentum: float | None = None) -> Figures: ...

    def outputs(self, inputs: np.ndarray) -> np.ndarray: ...

    def evaluate(self, data: DataSet) -> Figures: ...

    def forget(self) -> None: ...

    def largest(self, *values: float) -> tuple[float, ...]: ...

    def gather(self) -> None: ...

    def rest(self) -> None: ...

    def __enter__(self) -> Workers: ...

    def __exit__(self, *_: object) -> None: ...
