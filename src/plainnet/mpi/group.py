"""A group of ranks: what they tell each other, and how long each of them waits for the others."""

from __future__ import annotations

import platform
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

_PAUSE, _LONGEST = 2e-4, 0.02  # seconds between two looks at first, and at last, where nobody is in a hurry


class Group:
    """The ranks of an MPI communicator; what is done with all of them, all of them do at the same place.

    `waiting`, a context manager, is in force while this rank waits for others.
    """

    def __init__(self, communicator: Any, waiting: Callable[[], Any] | None = None) -> None:
        from mpi4py import MPI

        self.communicator, self.rank, self.size = communicator, communicator.rank, communicator.size
        self.waiting = waiting or _for_ever
        self._maximum = MPI.MAX
        self._of_first: dict[int, Group] = {}

    @property
    def leads(self) -> bool:
        """Whether this rank prints and writes for all."""
        return bool(self.rank == 0)

    def first(self, count: int) -> Group:
        """Return the group of the first so many ranks; each of these calls this, the others do not."""
        if count == self.size:
            return self
        if count not in self._of_first:
            members = self.communicator.group.Incl(range(count))
            self._of_first[count] = Group(self.communicator.Create_group(members), self.waiting)
        return self._of_first[count]

    def all(self, told: Any) -> list[Any]:
        """Return what each rank tells, in their order."""
        with self.waiting():
            found: list[Any] = self.communicator.allgather(told)
        return found

    def from_first(self, told: Any) -> Any:
        """Return what the first rank tells."""
        with self.waiting():
            return self.communicator.bcast(told)

    def take_from_first(self, array: np.ndarray) -> None:
        """Make an array the first rank's, in place."""
        whole = np.ascontiguousarray(array)
        with self.waiting():
            self.communicator.Bcast(whole)
        array[...] = whole

    def largest(self, values: tuple[float, ...]) -> tuple[float, ...]:
        """Return the largest of what the ranks bring, value by value."""
        found = np.array(values, float)
        with self.waiting():
            self.communicator.Allreduce(np.array(values, float), found, self._maximum)
        return tuple(found.tolist())

    def total(self, array: np.ndarray) -> np.ndarray:
        """Return the sum of a small array over all ranks, taken in their order."""
        brought = np.empty((self.size, *array.shape), array.dtype)
        with self.waiting():
            self.communicator.Allgather(np.ascontiguousarray(array), brought)
        found: np.ndarray = sum(brought[1:], brought[0])
        return found

    def rest(self, at_most: float | None = None) -> bool:
        """Wait until all ranks are here, and leave the processor to others; tell whether they came in so many seconds.

        Who reads or writes files may take its time: this is not counted as waiting.
        """
        arrived, began, pause = self.communicator.Ibarrier(), time.monotonic(), _PAUSE
        while not arrived.Test():
            if at_most is not None and time.monotonic() - began > at_most:
                return False
            time.sleep(pause)
            pause = min(2 * pause, _LONGEST)
        return True

    def where(self) -> str:
        """Say which rank this is, and on which machine."""
        return f"rank {self.rank} on {platform.node()}"


@contextmanager
def _for_ever() -> Iterator[None]:
    yield
