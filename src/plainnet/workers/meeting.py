"""A meeting of processes: they wait for each other, and add up what each brings, in memory that all of them see."""

from __future__ import annotations

import mmap
import os
import threading
from collections.abc import Callable

import numpy as np

from plainnet.errors import InputError

_MOST = 1 << 20  # bytes that each may bring
_PATIENCE = 50  # looks at the others before the processor is left to somebody else
_SUSPICION = 5_000  # looks before somebody checks whether the others are still there


class Meeting:
    """So many processes in step, forked after this was made, which read writing in the order in which it was done.

    Each writes down how often it has arrived, and waits until the others have arrived as often. Waiting is looking,
    again and again: to be woken would take longer than most waiting does.
    """

    def __init__(self, number: int) -> None:
        self._arrivals = memoryview(mmap.mmap(-1, 8 * (number + 1))).cast("q")  # the last is the round that has failed
        self._slots = [mmap.mmap(-1, _MOST) for _ in range(number)]

    def begin(self, round_: int, present: int, others_live: Callable[[], bool]) -> None:
        """Begin a round, the first being 1, of so many processes; `others_live` tells whether they still run."""
        self._round, self._present, self._others_live = round_, present, others_live
        self._times = round_ << 32  # arrived, of this process; rounds before count less

    def forget_others(self) -> None:
        """Let go of what tells whether the others live, which holds all that they know."""
        self._others_live = lambda: True

    def fail(self) -> None:
        """Let nobody wait any longer in this round."""
        self._arrivals[-1] = self._round

    def total(self, number: int, sums: np.ndarray) -> np.ndarray:
        """Return the sum of what all bring, this process being the one of that number.

        Raises: `BrokenBarrierError` if another one has failed; `InputError` for more than there is room for.
        """
        if sums.nbytes > _MOST:
            raise InputError(
                f"a layer sums {sums.nbytes:,} bytes over all workers, at most {_MOST:,} can be; train with 1"
            )
        brought = [
            np.frombuffer(slot, sums.dtype, sums.size).reshape(sums.shape) for slot in self._slots[: self._present]
        ]
        brought[number][...] = sums
        self._wait(number)
        total: np.ndarray = sum(brought[1:], brought[0])
        self._wait(number)  # nobody writes anew before all have read
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
