"""Crews: where tasks run. Each takes tasks one by one, when there is room, and yields what came of them.

A process or machine that dies loses its task, not the whole: the task is done again.
"""

from __future__ import annotations

import logging
import os
import re
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, wait
from functools import lru_cache
from pathlib import Path
from typing import Any, Protocol

from plainnet.data.splits import Splits
from plainnet.errors import InputError
from plainnet.foreign.showing import shown

_MOST_LOSSES = 20
_PATIENCE = 60  # seconds, for a cluster that has lost all its workers to get others
_ONE_THREAD = dict.fromkeys(("OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "OMP_NUM_THREADS"), "1")
_SHARED = ".data"  # in the folder, while a crew is at work: what all processes of this machine look at
Record = dict[str, Any]


class Task(Protocol):
    """Something to do with data, by its number; it can be pickled, and so can what comes of it."""

    @property
    def number(self) -> int: ...

    def run(self, data: Splits) -> Record: ...


Crew = Callable[[Iterator[Any], Splits, Path], Iterator[Record]]


def crew_for(jobs: int, dask: str | None) -> Crew:
    """Return the crew of a Dask cluster, of so many processes, or of this one.

    Raises: `InputError` if `dask` is not an address.
    """
    if dask is None:
        return processes(jobs) if jobs > 1 else here
    if not re.fullmatch(r"(tcp|tls|ws|wss|ucx)://\S+:\d+/?", dask):
        raise InputError(f"the address of a Dask scheduler is such as tcp://HOST:8786, received {dask!r:.100}")
    return cluster(dask)


def here(tasks: Iterator[Task], data: Splits, folder: Path) -> Iterator[Record]:
    """Do one task after the other in this process."""
    return (task.run(data) for task in tasks)


def processes(jobs: int) -> Crew:
    """Return a crew of at most so many processes of this machine, by loky, with one thread each.

    The data are written to a file once, which all of them have mapped into their memory.
    """

    def crew(tasks: Iterator[Task], data: Splits, folder: Path) -> Iterator[Record]:
        import joblib
        from loky import ProcessPoolExecutor
        from loky.process_executor import BrokenProcessPool

        shared, under_way = folder / _SHARED, _UnderWay(tasks)
        data.train, data.validation  # noqa: B018  (cut out once, and written with the rest)
        joblib.dump(data, shared)
        try:
            while first := list(under_way.some(jobs)):
                executor = ProcessPoolExecutor(
                    len(first), env=_ONE_THREAD, initializer=_end_with, initargs=(os.getpid(),)
                )
                try:
                    running = {executor.submit(_run_on, task, shared) for task in first}
                    while running:
                        done, running = wait(running, return_when=FIRST_COMPLETED)
                        for future in done:
                            yield under_way.done(future.result())
                        running |= {executor.submit(_run_on, task, shared) for task in under_way.some(len(done))}
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


def _run_on(task: Task, path: Path) -> Record:
    return task.run(_mapped(path))


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
        from concurrent.futures import CancelledError

        from distributed import Client, as_completed
        from distributed.comm import CommClosedError
        from distributed.scheduler import KilledWorker

        for name in [name for name in logging.root.manager.loggerDict if name.startswith("distributed")]:
            logging.getLogger(name).setLevel(logging.CRITICAL + 1)  # what is lost is said here
        try:
            client = Client(address, timeout="20s", set_as_default=False)
        except (OSError, ValueError, TimeoutError) as error:
            raise InputError(
                f"no Dask scheduler answers at {address!r:.100}: {shown(error, 200)}; start one with dask scheduler"
            ) from error
        with client:
            if not client.nthreads():
                raise InputError(f"the Dask scheduler at {address} has no workers; start some: dask worker {address}")
            under_way = _UnderWay(tasks)
            while under_way.more():
                room = _room(client, address)
                try:
                    kept = client.scatter(data, broadcast=True, hash=False)  # anew: who held them may have died

                    def begun(count: int, kept: Any = kept) -> set[Any]:
                        return {client.submit(_run, task, kept, pure=False) for task in under_way.some(count)}

                    coming = as_completed(begun(room), loop=client.loop)
                    for future in coming:
                        yield under_way.done(future.result())
                        coming.update(begun(1))
                except Exception as error:  # a connection that breaks raises what it was about to be used for
                    if not isinstance(error, (CancelledError, KilledWorker, CommClosedError)):
                        _room(client, address)  # the scheduler answers: the error is the task's
                        raise
                    under_way.lose(error)

    return crew


def _run(task: Task, data: Splits) -> Record:
    return task.run(data)


def _room(client: Any, address: str) -> int:
    """Return how many tasks the workers take at a time, once there are workers.

    Raises: `InputError` if there is no scheduler, or for a minute no worker.
    """
    until = time.monotonic() + _PATIENCE
    while time.monotonic() < until:
        try:
            if room := sum(client.nthreads().values()):
                return int(room)
        except Exception as error:  # a client without a connection raises whatever it stumbles over
            raise InputError(
                f"the Dask scheduler at {address} is gone; start it, and resume with the same command"
            ) from error
        time.sleep(0.5)
    raise InputError(f"all workers of {address} are gone; start some, and resume with the same command")


class _UnderWay:
    """Tasks, with those that were begun, and those that are to be begun again because their process has died."""

    def __init__(self, tasks: Iterator[Any]) -> None:
        self.tasks, self.losses = tasks, 0
        self.begun: dict[int, Any] = {}
        self.again: list[Any] = []

    def more(self) -> bool:
        """Return whether a task is left to begin."""
        if not self.again and (task := next(self.tasks, None)) is not None:
            self.again.append(task)
        return bool(self.again)

    def some(self, count: int) -> Iterator[Any]:
        """Yield so many tasks to begin, fewer where there are no more."""
        for _ in range(count):
            if not self.more():
                return
            task = self.again.pop(0)
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
