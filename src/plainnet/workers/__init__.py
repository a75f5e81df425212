"""Workers: who computes the gradient of a batch, alone or in shares, and what a training asks of them."""

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
    """What a training asks of those who compute for it, be they threads or processes on several machines.

    All see the same rows of a batch and agree on who takes which; afterwards the network of each has the gradient of
    the whole batch, and the same figures. `generators` are part of what decides how a training goes on. Of processes
    that train together, each runs the same program, and one `leads`: it alone writes files.
    """

    number: int
    leads: bool
    network: Network
    metrics: Mapping[str, Metric]
    generators: list[np.random.Generator]
    augmentation: Augmentation | None

    def gradient(self, data: DataSet, rows: np.ndarray, *, momentum: float | None = None) -> Figures: ...

    def outputs(self, inputs: np.ndarray) -> np.ndarray: ...

    def evaluate(self, data: DataSet) -> Figures: ...

    def forget(self) -> None: ...

    def largest(self, *values: float) -> tuple[float, ...]: ...

    def gather(self) -> None: ...

    def rest(self) -> None: ...

    def __enter__(self) -> Workers: ...

    def __exit__(self, *_: object) -> None: ...
