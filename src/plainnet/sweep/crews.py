"""Crews run tasks: in this process, in several processes, or on a Dask cluster. Each yields the results as they come.

If a process or machine dies, its tasks are run again, and the others continue.
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
from plainnet.sweep.telling import in_folder, topic_of

_MOST_LOSSES = 20
_PATIENCE = 60  # seconds that a cluster without workers has to get new ones
_ONE_THREAD = dict.fromkeys(("OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "OMP_NUM_THREADS"), "1")
_SHARED = ".data"  # in the folder during the work: the data, shared by all processes of this machine
Record = dict[str, Any]


class Task(Protocol):
    """Something to do with data, with a number; the task and its result can be pickled."""

    @property
    def number(self) -> int: ...

    def run(self, data: Splits) -> Record: ...


Crew = Callable[[Iterator[Any], Splits, Path], Iterator[Record]]


def crew_for(jobs: int, dask: str | None) -> Crew:
    """Return a crew of a Dask cluster, of this many processes, or of this process alone.

    Raises: `InputError` if `dask` is not an address.
    """
    if dask is None:
        return processes(jobs) if jobs > 1 else here
    if not re.fullmatch(r"(tcp|tls|ws|wss|ucx)://\S+:\d+/?", dask):
        raise InputError(f"the address of a Dask scheduler must be like tcp://HOST:8786, received {dask!r:.100}")
    return cluster(dask)


def here(tasks: Iterator[Task], data: Splits, folder: Path) -> Iterator[Record]:
    """Run one task after the other in this process."""
    return (task.run(data) for task in tasks)


def processes(jobs: int) -> Crew:
    """Return a crew of at most this many processes on this machine, made by loky, with one thread each.

    The data are written once to a file, which all processes map into memory.
    """

    def crew(tasks: Iterator[Task], data: Splits, folder: Path) -> Iterator[Record]:
        import joblib
        from loky import ProcessPoolExecutor
        from loky.process_executor import BrokenProcessPool

        shared, under_way = folder / _SHARED, _UnderWay(tasks)
        data.train, data.validation  # noqa: B018  (makes these parts once, so that they are written as well)
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
    """End this process when its parent has ended, for whatever reason."""

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(1.0)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


def _run_on(task: Task, path: Path) -> Record:
    return task.run(_mapped(path))


@lru_cache(maxsize=1)
def _mapped(path: Path) -> Splits:
    """Return data whose arrays stay in a file and are read when used."""
    import joblib

    data: Splits = joblib.load(path, mmap_mode="r")
    return data


def cluster(address: str) -> Crew:
    """Return a crew of the workers of a Dask cluster.

    Raises: `InputError` if no scheduler answers at the address, or it has no workers.
    """

    def crew(tasks: Iterator[Task], data: Splits, folder: Path) -> Iterator[Record]:
        from concurrent.futures import CancelledError

        from distributed import Client, as_completed
        from distributed.comm import CommClosedError
        from distributed.scheduler import KilledWorker

        for name in [name for name in logging.root.manager.loggerDict if name.startswith("distributed")]:
            logging.getLogger(name).setLevel(logging.CRITICAL + 1)  # losses are reported here
        try:
            client = Client(address, timeout="20s", set_as_default=False)
        except (OSError, ValueError, TimeoutError) as error:
            raise InputError(
                f"no Dask scheduler answers at {address!r:.100}: {shown(error, 200)}; start one with: dask scheduler"
            ) from error

        def show(event: tuple[float, list[Any]]) -> None:
            number, text = event[1]
            in_folder(folder, number)(text)

        with client:
            if not client.nthreads():
                raise InputError(f"the Dask scheduler at {address} has no workers; start some: dask worker {address}")
            client.subscribe_topic(topic_of(folder), show)
            under_way = _UnderWay(tasks)
            while under_way.more():
                room = _room(client, address)
                try:
                    kept = client.scatter(data, broadcast=True, hash=False)  # again: their workers may have died

                    def begun(count: int, kept: Any = kept) -> set[Any]:
                        return {client.submit(_run, task, kept, pure=False) for task in under_way.some(count)}

                    coming = as_completed(begun(room), loop=client.loop)
                    for future in coming:
                        yield under_way.done(future.result())
                        coming.update(begun(1))
                except Exception as error:  # a broken connection can raise many kinds of errors
                    if not isinstance(error, (CancelledError, KilledWorker, CommClosedError)):
                        _room(client, address)  # the scheduler answers, so the error comes from the task
                        raise
                    under_way.lose(error)

    return crew


def _run(task: Task, data: Splits) -> Record:
    return task.run(data)


def _room(client: Any, address: str) -> int:
    """Wait for workers, and return how many tasks they can run at the same time.

    Raises: `InputError` if the scheduler is gone, or if there is no worker for a minute.
    """
    until = time.monotonic() + _PATIENCE
    while time.monotonic() < until:
        try:
            if room := sum(client.nthreads().values()):
                return int(room)
        except Exception as error:  # a client without a connection can raise many kinds of errors
            raise InputError(
                f"the Dask scheduler at {address} is gone; restart it, and resume with the same command"
            ) from error
        time.sleep(0.5)
    raise InputError(f"all workers of {address} are gone; restart some, and resume with the same command")


class _UnderWay:
    """The tasks: those to start, those running, and those to start again because their process died."""

    def __init__(self, tasks: Iterator[Any]) -> None:
        self.tasks, self.losses = tasks, 0
        self.begun: dict[int, Any] = {}
        self.again: list[Any] = []

    def more(self) -> bool:
        """Return whether there is another task to start."""
        if not self.again and (task := next(self.tasks, None)) is not None:
            self.again.append(task)
        return bool(self.again)

    def some(self, count: int) -> Iterator[Any]:
        """Yield up to `count` tasks to start."""
        for _ in range(count):
            if not self.more():
                return
            task = self.again.pop(0)
            self.begun[task.number] = task
            yield task

    def done(self, record: Record) -> Record:
        """Mark a task as finished, and return its result."""
        self.begun.pop(record["number"], None)
        return record

    def lose(self, error: BaseException | None) -> None:
        """Put all running tasks back, to be started again.

        Raises: `InputError` if this has happened too often.
        """
        self.losses += 1
        if self.losses > _MOST_LOSSES:
            raise InputError(
                f"processes died {self.losses} times: {shown(error, 200)}; check that there is enough memory, and "
                "resume with the same command"
            )
        self.again = sorted([*self.begun.values(), *self.again], key=lambda task: task.number)
        self.begun = {}
