"""A job: a command that MPI runs in several processes, where only the first process prints and writes."""

from __future__ import annotations

import os
import platform
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, NoReturn, TypeVar

import numpy as np

from plainnet.errors import InputError, TrainingDivergedError, TrainingInterruptedError
from plainnet.foreign.showing import counted, shown
from plainnet.losses import Loss
from plainnet.mpi.group import Group
from plainnet.mpi.ranks import Ranks
from plainnet.mpi.survivor import Survivor
from plainnet.mpi.watch import PATIENCE, Watch
from plainnet.network import Network
from plainnet.runs.threads import available_cores
from plainnet.workers import Workers, quickest

T = TypeVar("T")
_BAD_INPUT, _UNAVAILABLE, _OUR_FAULT, _INTERRUPTED = 2, 69, 70, 130  # exit codes
_AFTER_THE_FIRST = 1.0  # seconds that the first rank has to report an error that all ranks know
_AT_MOST, _TO_ABORT = 10.0, 3.0  # seconds to leave together after an error, and for MPI to end the job
_TURN, _MOST_TURNS = 0.5, 8  # seconds that each rank waits for each rank before it
_USERS = (InputError, OSError, MemoryError)  # errors that the user can fix


class Job:
    """What the processes of a job do together: who leads, and steps that all of them must agree on."""

    def __init__(self, group: Group, reduction: str, resume_with: str) -> None:
        self.group, self.reduction, self.leads, self.resume_with = group, reduction, group.leads, resume_with
        self.places: list[str] = group.all(group.where())
        self._common: BaseException | None = None  # what all processes raise

    def team(self, network: Network, loss: Loss, number: int, *, rng: int | np.random.Generator = 0) -> Workers:
        """Return the workers of a training run; a job with a single rank uses those of an ordinary process."""
        if self.group.size == 1:
            return quickest(network, loss, number, rng=rng)
        return Ranks(network, loss, number, group=self.group, reduction=self.reduction, rng=rng)

    def same(self, task: Callable[[], T]) -> T:
        """Run the task in the first process only, and return its result in every process.

        Raises: in every process, what the task raises in the first.
        """
        outcome = _outcome(task) if self.leads else None
        self.group.rest()
        return self._result(*self.group.from_first(outcome))

    def together(self, task: Callable[[], T]) -> T:
        """Run the task in every process, and return its result here when all are done.

        Raises: in every process, what the task raises in one of them.
        """
        value, mine = _outcome(task)
        self.group.rest()  # a process may read files from a slow disk
        failed = [(rank, error) for rank, error in enumerate(self.group.all(mine)) if error is not None]
        rank, error = failed[0] if failed else (0, None)
        return self._result(value, InputError(f"{self.places[rank]}: {error}") if rank else error)

    def expect_same(self, found: object, what: str) -> None:
        """Raise `InputError` in every process if `found` is not the same in all of them."""
        self.group.rest()
        every = self.group.all(found)
        other = next((place for place, it in zip(self.places, every, strict=True) if it != every[0]), None)
        if other is not None:
            self.refuse(f"{what} differ between {other} and {self.places[0]}; give all ranks the same")

    def refuse(self, why: str) -> NoReturn:
        """Raise `InputError` in every process; all processes must call this."""
        self._common = InputError(why)
        raise self._common

    def knows(self, error: BaseException) -> bool:
        """Return whether all processes raise this error."""
        return error is self._common or isinstance(error, TrainingDivergedError | TrainingInterruptedError)

    def _result(self, value: T, error: BaseException | None) -> T:
        if error is not None:
            self._common = error
            raise error
        return value

    def __str__(self) -> str:
        machines = [place.rpartition(" ")[2] for place in self.places]
        here, cores = machines.count(machines[self.group.rank]), available_cores()
        crowd = f" ({here} of them share {cores} cores, so they take turns)" if here > cores else ""
        return f"{counted(self.group.size, 'rank')}{crowd} on {counted(len(set(machines)), 'machine')}"


class Alone:
    """The job of a command that runs in one process."""

    leads = True
    team = staticmethod(quickest)

    def __init__(self, command: str) -> None:
        self.resume_with = f"resume with: {command}"

    def __str__(self) -> str:
        return ""

    def same(self, task: Callable[[], T]) -> T:
        """Run the task and return its result."""
        return task()

    together = same

    def expect_same(self, found: object, what: str) -> None:
        """Do nothing: there is no other process."""

    def refuse(self, why: str) -> NoReturn:
        """Raise `InputError`."""
        raise InputError(why)


def _outcome(task: Callable[[], T]) -> tuple[Any, BaseException | None]:
    """Return the result of a task, or the error that it raises, if the user can fix it."""
    try:
        return task(), None
    except _USERS as error:
        return None, error


@contextmanager
def joined(reduction: str, command: str) -> Iterator[Job]:
    """Join the job that MPI started this process for; `command` is the command that resumes a training run.

    An error that all processes raise is raised only in the first of them. Any other error ends the job at once, because
    the other processes wait for this one.

    Raises: `InputError` if there is no MPI.
    """
    survivor = Survivor()
    try:
        communicator = _world()
    except BaseException:
        survivor.leave()
        raise
    resume_with = f"resume with: mpirun -n {communicator.size} {command}"
    membership = _Membership(communicator, survivor, resume_with)
    waiting = Watch(membership.give_up).waiting if communicator.size > 1 else None
    job = Job(Group(communicator, waiting), reduction, resume_with)
    try:
        yield job
    except BaseException as error:
        if not job.knows(error):
            membership.abandon(error)
        membership.part(job.group, _AT_MOST)
        if job.leads:
            raise
        raise SystemExit(0) from None
    membership.part(job.group)


class _Membership:
    """How this process leaves the job: normally, because of an error, or because the others do not answer."""

    def __init__(self, communicator: Any, survivor: Survivor, resume_with: str) -> None:
        self.communicator, self.survivor, self.resume_with = communicator, survivor, resume_with
        self.leads = communicator.rank == 0
        if self.leads:
            survivor.last_words(f"plainnet: a process of the job was killed, and the job ended with it; {resume_with}")
        else:
            survivor.leave()

    def part(self, group: Group, at_most: float | None = None) -> None:
        """Wait for the other processes, and leave together."""
        if not group.rest(at_most):
            self._end(_OUR_FAULT)
        if self.leads:
            self.survivor.leave()

    def abandon(self, error: BaseException) -> NoReturn:
        """End the job because of an error in this process."""
        if not self.leads:
            time.sleep(_AFTER_THE_FIRST)
        code = _INTERRUPTED if isinstance(error, KeyboardInterrupt) else _OUR_FAULT
        code = _BAD_INPUT if isinstance(error, _USERS) else code
        kind = "" if isinstance(error, InputError) else f"{type(error).__name__}: "
        self._say("interrupted" if code == _INTERRUPTED else f"{kind}{shown(error)}")
        self._end(code)

    def give_up(self) -> None:
        """End the job because the others do not answer."""
        time.sleep(min(self.communicator.rank, _MOST_TURNS) * _TURN)
        self._say(
            f"the other processes have not answered for {PATIENCE:.0f} s: one has died, or its machine cannot be "
            f"reached; {self.resume_with}"
        )
        self._end(_UNAVAILABLE)

    def _say(self, sentence: str) -> None:
        where = "" if self.leads else f"rank {self.communicator.rank} on {platform.node()}: "
        sys.stderr.write(f"plainnet: {where}{sentence}\n")
        sys.stderr.flush()

    def _end(self, code: int) -> NoReturn:
        if self.leads:
            self.survivor.leave()
        ending = threading.Thread(target=self.communicator.Abort, args=(code,), daemon=True)
        ending.start()
        ending.join(_TO_ABORT)  # Abort may hang as well if the connection is lost
        os._exit(code)


def _world() -> Any:
    try:
        from mpi4py import MPI
    except ImportError as error:
        raise InputError("training on several machines needs mpi4py: pip install 'plainnet[mpi]'") from error
    except RuntimeError as error:
        raise InputError(
            f"mpi4py finds no MPI library: {shown(error, 200)}; pip install mpich, or install MPI for your system"
        ) from error
    return MPI.COMM_WORLD
