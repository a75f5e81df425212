"""A group of ranks (processes of one MPI job): how they exchange values and wait for each other."""

from __future__ import annotations

import platform
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

_PAUSE, _LONGEST = 2e-4, 0.02  # seconds between two checks: the first interval, and the longest


class Group:
    """The ranks of an MPI communicator. All ranks must call each collective method at the same point of the program.

    `waiting` is a context manager that is active while this rank waits for others.
    """

    def __init__(self, communicator: Any, waiting: Callable[[], Any] | None = None) -> None:
        from mpi4py import MPI

        self.communicator, self.rank, self.size = communicator, communicator.rank, communicator.size
        self.waiting = waiting or _for_ever
        self._maximum = MPI.MAX
        self._of_first: dict[int, Group] = {}

    @property
    def leads(self) -> bool:
        """Whether this rank prints and writes for all ranks."""
        return bool(self.rank == 0)

    def first(self, count: int) -> Group:
        """Return the group of the first `count` ranks; only these ranks call this."""
        if count == self.size:
            return self
        if count not in self._of_first:
            members = self.communicator.group.Incl(range(count))
            self._of_first[count] = Group(self.communicator.Create_group(members), self.waiting)
        return self._of_first[count]

    def all(self, told: Any) -> list[Any]:
        """Return the value that each rank gives, in the order of the ranks."""
        with self.waiting():
            found: list[Any] = self.communicator.allgather(told)
        return found

    def from_first(self, told: Any) -> Any:
        """Return the value that the first rank gives."""
        with self.waiting():
            return self.communicator.bcast(told)

    def take_from_first(self, array: np.ndarray) -> None:
        """Overwrite an array with that of the first rank."""
        whole = np.ascontiguousarray(array)
        with self.waiting():
            self.communicator.Bcast(whole)
        array[...] = whole

    def largest(self, values: tuple[float, ...]) -> tuple[float, ...]:
        """Return the largest value over all ranks, for each of `values`."""
        found = np.array(values, float)
        with self.waiting():
            self.communicator.Allreduce(np.array(values, float), found, self._maximum)
        return tuple(found.tolist())

    def total(self, array: np.ndarray) -> np.ndarray:
        """Return the sum of a small array over all ranks, added in their order."""
        brought = np.empty((self.size, *array.shape), array.dtype)
        with self.waiting():
            self.communicator.Allgather(np.ascontiguousarray(array), brought)
        found: np.ndarray = sum(brought[1:], brought[0])
        return found

    def rest(self, at_most: float | None = None) -> bool:
        """Wait until all ranks are here, without using the processor; return whether they came in time.

        A rank may read or write files for a long time, so this does not count as waiting.
        """
        arrived, began, pause = self.communicator.Ibarrier(), time.monotonic(), _PAUSE
        while not arrived.Test():
            if at_most is not None and time.monotonic() - began > at_most:
                return False
            time.sleep(pause)
            pause = min(2 * pause, _LONGEST)
        return True

    def where(self) -> str:
        """Return which rank this is, and on which machine, as text."""
        return f"rank {self.rank} on {platform.node()}"


@contextmanager
def _for_ever() -> Iterator[None]:
    yield
