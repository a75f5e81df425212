"""Workers on several machines: each rank computes its share of every batch, and all receive the whole gradient.

Within a rank, threads share the work. Every rank has all weights: they start with those of the first rank, and take the
same step with the same gradient. Processors of different types may round differently, so the weights are compared from
time to time; if they differ, all ranks take those of the first.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from plainnet.config import whole_number
from plainnet.data.dataset import DataSet
from plainnet.errors import InputError
from plainnet.losses import Loss
from plainnet.metrics import Metric
from plainnet.mpi.group import Group
from plainnet.mpi.reductions import REDUCTIONS
from plainnet.network import Network
from plainnet.workers import Figures, Threads

_COMPARED = 500  # batches between two comparisons of the weights


class Ranks(Threads):
    """The workers of all ranks in a group, `number` threads in each; `.number` is the total over all ranks.

    `reduction` is how gradients are added. "ordered" gives the same bits however the ranks are spread over machines
    (with one thread each, the same bits as that many threads in one process). "allreduce" is the fastest method of the
    MPI library. The other arguments are those of `Threads`. Every rank runs the same program, with the same data, or
    with data of which it can read at least its own rows.

    Attributes: `drifted`, how often the weights differed between ranks and were made equal again.
    Raises: as `Threads`; `InputError` for an unknown reduction.
    Source: Goyal et al. 2017, "Accurate, large minibatch SGD: training ImageNet in 1 hour", section 4.
    """

    def __init__(
        self,
        network: Network,
        loss: Loss,
        number: int = 1,
        *,
        group: Group,
        reduction: str = "ordered",
        metrics: Mapping[str, Metric] | None = None,
        rng: int | np.random.Generator = 0,
    ) -> None:
        here = whole_number(number, "workers")
        super().__init__(network, loss, here * group.size, metrics=metrics, rng=rng)
        self.group, self.leads, self.drifted = group, group.leads, 0
        self._here = range(here * group.rank, here * (group.rank + 1))
        if reduction not in REDUCTIONS:
            raise InputError(f"reduction must be {' or '.join(REDUCTIONS)}, received {reduction!r:.60}")
        self._reduce = REDUCTIONS[reduction](group)
        self._present = group  # the ranks that have a share of this batch
        self._batches = 0

    def _learn_in_shares(
        self, data: DataSet, rows: np.ndarray, counted: float, momentum: float | None
    ) -> list[Figures]:
        if self._batches % _COMPARED == 0:
            self._bring_together()
        self._batches += 1
        shares = np.array_split(rows, min(self.number, len(rows)))
        present = -(-len(shares) // len(self._here))
        if present <= self.group.rank:
            self.network.grad[:] = 0.0
            parts = []
        else:
            self._present = self.group.first(present)
            mine = np.concatenate(shares[self._here.start : self._here.stop])
            parts = super()._learn_in_shares(data, mine, counted, momentum)
        if present < self.group.size:  # ranks without a share lack the new state of the layers
            for _, layer in self.network.walk():
                for array in layer.state.values():
                    self.group.take_from_first(array)
        return parts

    def _added_up(self, parts: list[Figures]) -> list[Figures]:
        own = super()._added_up(parts)
        if self.group.size == 1:
            return own
        self._reduce(self.network.grad)
        return [figures for of_rank in self.group.all(own) for figures in of_rank]

    def _summing(self, number: int) -> Callable[[np.ndarray], np.ndarray]:
        in_rank = super()._summing(number)

        def sum_over_workers(sums: np.ndarray) -> np.ndarray:
            if len(self._here) == 1:
                return self._present.total(sums)
            total = in_rank(sums)
            if number == 0:
                self._total = self._present.total(total)
            self._barrier.wait()
            return self._total

        return sum_over_workers

    def _bring_together(self) -> None:
        """Take the weights and the state of the layers from the first rank, if they differ between ranks."""
        tensors = self.network.tensors().values()
        sums = self.group.all([zlib.crc32(np.ascontiguousarray(tensor).data) for tensor in tensors])
        if any(other != sums[0] for other in sums):
            self.drifted += self._batches > 0
            for tensor in tensors:
                self.group.take_from_first(tensor)

    def outputs(self, inputs: np.ndarray) -> np.ndarray:
        size = self.group.size
        start, stop = (len(inputs) * rank // size for rank in (self.group.rank, self.group.rank + 1))
        mine = super().outputs(inputs[start:stop]) if start < stop else self.network.logits(inputs[:0])
        return np.concatenate(self.group.all(mine))

    def largest(self, *values: float) -> tuple[float, ...]:
        return self.group.largest(values)

    def gather(self) -> None:
        """Copy the states of all generators to every rank."""
        own = [self.generators[worker].bit_generator.state for worker in self._here]
        states = [state for of_rank in self.group.all(own) for state in of_rank]
        for generator, state in zip(self.generators, states, strict=True):
            generator.bit_generator.state = state

    def rest(self) -> None:
        self.group.rest()

    def __getstate__(self) -> dict[str, Any]:
        raise InputError("`Ranks` cannot be copied; make new ones in every rank")
