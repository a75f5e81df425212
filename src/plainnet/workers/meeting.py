"""Meetings of processes: they wait for each other (a barrier), and add up their arrays in shared memory."""

from __future__ import annotations

import mmap
import os
import threading
from collections.abc import Callable

import numpy as np

from plainnet.errors import InputError

_MOST = 1 << 20  # bytes that each process can contribute
_PATIENCE = 50  # checks of the others' arrivals before yielding the processor
_SUSPICION = 5_000  # checks of the others' arrivals before testing whether the others still run


class Meeting:
    """A barrier and sums for `number` processes, which must be forked after this object is made.

    The processor must show each process's writes to the others in order. Each process counts its own arrivals, and
    waits until the others have arrived as often. It waits by polling, because a wake-up would take longer than most
    waits.
    """

    def __init__(self, number: int) -> None:
        self._arrivals = memoryview(mmap.mmap(-1, 8 * (number + 1))).cast("q")  # last: the failed round
        self._slots = [mmap.mmap(-1, _MOST) for _ in range(number)]

    def begin(self, round_: int, present: int, others_live: Callable[[], bool]) -> None:
        """Begin a round, counted from 1, with `present` processes; `others_live` tells whether they still run."""
        self._round, self._present, self._others_live = round_, present, others_live
        self._times = round_ << 32  # this process's count of arrivals; larger than any count of earlier rounds

    def forget_others(self) -> None:
        """Drop `others_live`, which keeps references to the processes and their data."""
        self._others_live = lambda: True

    def fail(self) -> None:
        """Make all processes stop waiting in this round."""
        self._arrivals[-1] = self._round

    def total(self, number: int, sums: np.ndarray) -> np.ndarray:
        """Return the sum of all processes' arrays; `number` is the number of this process.

        Raises: `BrokenBarrierError` if another process has failed; `InputError` if the array is too large.
        """
        if sums.nbytes > _MOST:
            raise InputError(
                f"a layer sums {sums.nbytes:,} bytes over all workers; the limit is {_MOST:,}; train with workers = 1"
            )
        brought = [
            np.frombuffer(slot, sums.dtype, sums.size).reshape(sums.shape) for slot in self._slots[: self._present]
        ]
        brought[number][...] = sums
        self._wait(number)
        total: np.ndarray = sum(brought[1:], brought[0])
        self._wait(number)  # so that no process writes again before all have read
        return total if self._present > 1 else total.copy()

    def _wait(self, number: int) -> None:
        self._times += 1
        self._arrivals[number] = self._times
        for other in range(self._present):
            looks = 0
            while self._arrivals[other] < self._times:
                looks += 1
                if looks > _PATIENCE:
                    os.sched_yield()
                if self._arrivals[-1] == self._round or (looks % _SUSPICION == 0 and not self._others_live()):
                    raise threading.BrokenBarrierError
