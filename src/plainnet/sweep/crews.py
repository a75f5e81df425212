"""Crews: where trials run. Each takes tasks one by one, when there is room, and yields what came of them.

A process or machine that dies loses its trial, not the sweep: the trial is made again.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, wait
from functools import lru_cache
from pathlib import Path
from typing import Any

from plainnet.data.splits import Splits
from plainnet.errors import InputError
from plainnet.foreign.showing import shown
from plainnet.sweep.trial import Task, train

_MOST_LOSSES = 20
_ONE_THREAD = dict.fromkeys(("OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "OMP_NUM_THREADS"), "1")
_SHARED = ".data"  # in the folder of the sweep, while it runs: what all processes of this machine look at
Record = dict[str, Any]
Crew = Callable[[Iterator[Task], Splits, Path], Iterator[Record]]


def here(tasks: Iterator[Task], data: Splits, folder: Path) -> Iterator[Record]:
    """Make one trial after the other in this process."""
    return (train(task, data) for task in tasks)


def processes(jobs: int) -> Crew:
    """Return a crew of so many processes of this machine, by loky, with one thread each.

    The data are written to a file once, which all of them have mapped into their memory.
    """

    def crew(tasks: Iterator[Task], data: Splits, folder: Path) -> Iterator[Record]:
        import joblib
        from loky import ProcessPoolExecutor
        from loky.process_executor import BrokenProcessPool

        shared, under_way = folder / _SHARED, _UnderWay(tasks)
        joblib.dump(data, shared)
        try:
            while True:
                executor = ProcessPoolExecutor(jobs, env=_ONE_THREAD, initializer=_end_with, initargs=(os.getpid(),))
                try:
                    running = {executor.submit(_train_on, task, shared) for task in under_way.some(jobs)}
                    while running:
                        done, running = wait(running, return_when=FIRST_COMPLETED)
                        for future in done:
                            yield under_way.done(future.result())
                        running |= {executor.submit(_train_on, task, shared) for task in under_way.some(len(done))}
                    return
                except BrokenProcessPool as error:
                    under_way.lose(error)
                finally:
                    executor.shutdown(wait=False, kill_workers=True)
        finally:
            shared.unlink(missing_ok=True)

    return crew


def _end_with(parent: int) -> None:
    """Have this process end when the one that began it has ended, however that was."""

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(1.0)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


def _train_on(task: Task, path: Path) -> Record:
    return train(task, _mapped(path))


@lru_cache(maxsize=1)
def _mapped(path: Path) -> Splits:
    """Return data whose arrays lie in a file, and are not read before they are looked at."""
    import joblib

    data: Splits = joblib.load(path, mmap_mode="r")
    return data


def cluster(address: str) -> Crew:
    """Return a crew of the workers of a Dask cluster.

    Raises: `InputError` if nothing answers at the address, or there are no workers.
    """

    def crew(tasks: Iterator[Task], data: Splits, folder: Path) -> Iterator[Record]:
        from distributed import Client, as_completed

        try:
            client = Client(address, timeout="20s", set_as_default=False)
        except (OSError, ValueError, TimeoutError) as error:
            raise InputError(
                f"no Dask scheduler answers at {address!r:.100}: {shown(error, 200)}; start one with dask scheduler"
            ) from error
        with client:
            room = sum(client.nthreads().values())
            if room == 0:
                raise InputError(f"the Dask scheduler at {address} has no workers; start some: dask worker {address}")
            kept, under_way = client.scatter(data, broadcast=True, hash=False), _UnderWay(tasks)

            def begun(count: int) -> set[Any]:
                return {client.submit(train, task, kept, pure=False) for task in under_way.some(count)}

            while running := begun(room):
                coming = as_completed(running, loop=client.loop)
                for future in coming:
                    if future.status == "error":
                        under_way.lose(future.exception())
                        break
                    yield under_way.done(future.result())
                    coming.update(begun(1))

    return crew


class _UnderWay:
    """Tasks, with those that were begun, and those that are to be begun again because their process has died."""

    def __init__(self, tasks: Iterator[Task]) -> None:
        self.tasks, self.losses = tasks, 0
        self.begun: dict[int, Task] = {}
        self.again: list[Task] = []

    def some(self, count: int) -> Iterator[Task]:
        """Yield so many tasks to begin, fewer where there are no more."""
        for _ in range(count):
            task = self.again.pop(0) if self.again else next(self.tasks, None)
            if task is None:
                return
            self.begun[task.number] = task
            yield task

    def done(self, record: Record) -> Record:
        """Return what came of a task, which is under way no more."""
        self.begun.pop(record["number"], None)
        return record

    def lose(self, error: BaseException | None) -> None:
        """Have all tasks that are under way begun again.

        Raises: `InputError` if that has happened too often.
        """
        self.losses += 1
        if self.losses > _MOST_LOSSES:
            raise InputError(
                f"processes died {self.losses} times: {shown(error, 200)}; look whether there is memory enough, and "
                "resume with the same command"
            )
        self.again = sorted([*self.begun.values(), *self.again], key=lambda task: task.number)
        self.begun = {}
