"""Threads for matrix products: choose the number that is fastest for this network on this machine, at its current load.

An idle matrix-product thread spins while it waits for the others. If other programs use the same cores, two threads
then take longer than one, sometimes twenty times as long; and for small products they never help. So a few steps are
timed with one thread and with all. The number of threads affects the last bits of a result; therefore a run keeps its
choices as a part of its state.
"""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from threadpoolctl import ThreadpoolController

from plainnet.errors import InputError
from plainnet.events import Epoch
from plainnet.runs.environment import threads as threads_of_blas

_SECONDS = 0.25  # for timing all candidates together, after a first round that does not count
_ROUND = 0.02  # seconds that a candidate works before the next one's turn
_GAIN = 0.95  # more threads must take at most this share of the time
_MOST = 64  # threads, or twice the number of cores if that is larger; more would only slow each other down
_CHANGED = 1.5  # choose again if an epoch is this many times faster or slower than after the last choice


class ThreadChoice(NamedTuple):
    """After this many complete epochs and batches, matrix products use `threads`, over all workers together."""

    epoch: int
    batch: int
    threads: int
    why: str

    def __str__(self) -> str:
        return f"{self.threads} thread{'s' * (self.threads != 1)} for matrix products: {self.why}"


class MatrixThreads:
    """The threads of one run: `total` over its `workers`, or chosen by timing if it is None.

    `choices` holds [epochs, batches, threads] for each choice; the last one is active.

    Raises: `InputError` for a number below 1 or far above the number of cores.
    """

    def __init__(self, total: int | None = None, workers: int = 1) -> None:
        most = max(_MOST, 2 * available_cores())
        if total is not None and not 1 <= total <= most:
            raise InputError(f"--threads must be at least 1 and at most {most:,}, received {total:,}")
        self.given, self.workers = total, workers
        self.choices: list[list[int]] = []
        self._blas = ThreadpoolController()
        self._most = max(workers, min(threads_of_blas(), available_cores()))
        self._seconds: float | None = None  # per batch, in the epoch after the last choice

    @contextmanager
    def in_force(self) -> Iterator[None]:
        """Use the chosen threads for matrix products; at the end, restore the number they had before."""
        with self._blas.limit(limits=None, user_api="blas"):
            if self.choices:
                self._use(self.choices[-1][2])
            yield

    def _use(self, total: int) -> None:
        self._blas.limit(limits=max(1, total // self.workers), user_api="blas")

    def repeat(self, choices: Sequence[Sequence[int]], given: int | None = None) -> None:
        """Restore the choices of a resumed run, and its requested number of threads, unless a new one is requested."""
        self.given = self.given or given
        self.choices = [[int(number) for number in choice] for choice in choices]

    def begin(self, step: Callable[[], object] | None, epoch: int = 0, batch: int = 0) -> ThreadChoice | None:
        """Choose, unless there is a choice already; `step` trains a copy on a batch, or is None if that is little work.

        `epoch` and `batch` are the numbers of complete epochs and batches of a resumed run.
        """
        if self.given is not None:
            total = self.workers * max(1, self.given // self.workers)  # the same number for each worker
            why = (
                f"{self.given} were requested, for {self.workers} workers"
                if total != self.given
                else "one per worker"
                if total == self.workers > 1
                else "as requested"
            )
            as_before = self.choices and self.choices[-1][2] == total
            return None if as_before else self._note(epoch, batch, total, why)
        return None if self.choices else self._choose(epoch, step)

    def after(self, epoch: Epoch, batches: int, step: Callable[[], object] | None) -> ThreadChoice | None:
        """Choose again if the epoch was much slower or faster than the one after the last choice."""
        seconds = epoch.seconds / batches
        if self.given is not None or self._seconds is None:
            self._seconds = seconds
            return None
        if 1 / _CHANGED < seconds / self._seconds < _CHANGED:
            return None
        self._seconds = None
        before = self.choices[-1][2]
        choice = self._choose(epoch.number, step)
        if choice.threads == before:
            self.choices.pop()
            return None
        return choice

    def _choose(self, epoch: int, step: Callable[[], object] | None) -> ThreadChoice:
        few, many = self.workers, self._most - self._most % self.workers
        if many <= few:
            return self._note(epoch, 0, few, "one per worker" if self.workers > 1 else "only one core is available")
        if step is None:
            return self._note(epoch, 0, few, "the products are small")
        seconds = timed(step, (few, many), self._use)
        chosen = many if seconds[many] < _GAIN * seconds[few] else few
        figures = ", ".join(f"{1000 * value:.3g} ms with {number}" for number, value in seconds.items())
        return self._note(epoch, 0, chosen, f"a step takes {figures}")

    def _note(self, epoch: int, batch: int, total: int, why: str) -> ThreadChoice:
        self._use(total)
        self.choices.append([epoch, batch, total])
        return ThreadChoice(epoch, batch, total, why)


def timed(step: Callable[[], object], numbers: Sequence[int], use: Callable[[int], object]) -> dict[int, float]:
    """Return the mean seconds of a step with each number of threads; they take turns for a short while."""
    total, steps = dict.fromkeys(numbers, 0.0), dict.fromkeys(numbers, 0)
    started, first = time.perf_counter(), True
    while first or time.perf_counter() - started < _SECONDS:
        for number in numbers:
            use(number)
            turn = time.perf_counter()
            while True:
                step()
                steps[number] += 1
                if time.perf_counter() - turn > _ROUND:
                    break
            total[number] += time.perf_counter() - turn
        if first:  # which included allocating memory and starting threads
            total, steps = dict.fromkeys(numbers, 0.0), dict.fromkeys(numbers, 0)
            first = False
        else:
            means = [total[number] / steps[number] for number in numbers]
            if max(means) > 3 * min(means):
                break
    return {number: total[number] / max(steps[number], 1) for number in numbers}


@contextmanager
def quickest(step: Callable[[], object]) -> Iterator[None]:
    """Within the `with` block, let matrix products use the number of threads with which `step` is fastest."""
    threads = MatrixThreads()
    with threads.in_force():
        threads.begin(step)
        yield


def available_cores() -> int:
    """Return how many cores this process may use; a container may have fewer than the machine."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    with contextlib.suppress(OSError, ValueError):
        quota, period = Path("/sys/fs/cgroup/cpu.max").read_text().split()
        cores = min(cores, max(1, round(int(quota) / int(period))))
    return cores
