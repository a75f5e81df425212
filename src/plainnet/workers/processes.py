"""Workers that are processes: forked copies of this process share each batch with it.

Threads of one process take turns with the Python interpreter. While one of them is between two NumPy operations,
another cannot begin its next one and has to be woken later; the shorter the operations, the longer they wait. Processes
do not wait for each other, but need to know what has changed: before each batch, the weights and the layers' other
state are copied into shared memory, and each process leaves its gradient there. The result is bit-identical to that of
the same number of threads.

The copies see everything else in layers, loss and data as it was when they were forked, before the first batch. Use
`Threads` if something else changes during training, or if layers draw from np.random or print. If other threads run,
nothing is forked: a copy would wait forever for a lock that one of them held.
"""

from __future__ import annotations

import contextlib
import mmap
import os
import platform
import threading
import traceback
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from plainnet import forking
from plainnet.data.dataset import DataSet
from plainnet.errors import InputError
from plainnet.foreign.showing import shown
from plainnet.forking import Fork
from plainnet.losses import Loss
from plainnet.network import Network
from plainnet.workers.figures import Figures
from plainnet.workers.meeting import Meeting
from plainnet.workers.threads import Threads

if TYPE_CHECKING:
    from plainnet.data.augmentation import Augmentation


def quickest(network: Network, loss: Loss, number: int, *, rng: int | np.random.Generator = 0) -> Threads:
    """Return this number of workers: processes, or threads if the system cannot fork or may reorder memory writes.

    Raises: `InputError` as `Threads` does.
    """
    forks = forking.possible() and platform.machine() == "x86_64"
    return (Processes if forks and number != 1 else Threads)(network, loss, number, rng=rng)


class Processes(Threads):
    """A given number of processes, including this one; see `Threads` for the arguments."""

    def __init__(self, network: Network, loss: Loss, number: int = 1, **options: Any) -> None:
        super().__init__(network, loss, number, **options)
        self._team: _Team | None = None
        self._meeting: Meeting | None = None  # while a batch is shared with other processes
        self._refused = False  # whether the system refused to create a process

    def _learn_in_shares(
        self, data: DataSet, rows: np.ndarray, counted: float, momentum: float | None
    ) -> list[Figures]:
        shares = np.array_split(rows, min(self.number, len(rows)))
        if self._team is not None and not self._team.is_of_this_thread():
            self._leave_team()
        team = self._team_for(data) if len(shares) > 1 and self._entered else None
        if team is None:
            return super()._learn_in_shares(data, rows, counted, momentum)
        self._meeting = team.meeting
        try:
            return team.learn(shares, counted, momentum)
        finally:
            self._meeting = None

    def _team_for(self, data: DataSet) -> _Team | None:
        """Return processes that have these data, parameters and augmentation; None if they cannot be created."""
        if self._team is not None and not self._team.knows(data):
            self.forget()
        if self._team is None and not self._refused and forking.alone():
            try:
                self._team = _Team(self, data)
            except OSError:  # threads of this process then do the same, more slowly
                self._refused = True
        return self._team

    def forget(self) -> None:
        """Drop what was remembered, and end the other processes; the next batch forks new ones, with all changes."""
        super().forget()
        self._leave_team()

    def _leave_team(self) -> None:
        """End the other processes, unless they belong to the process that this one was forked from."""
        if self._team is not None:
            self._team.end()
            self._team = None

    def _new_vector(self) -> np.ndarray:
        return _shared(self.network.grad)

    def _summing(self, number: int) -> Callable[[np.ndarray], np.ndarray]:
        by_threads = super()._summing(number)

        def sum_over_workers(sums: np.ndarray) -> np.ndarray:
            return by_threads(sums) if self._meeting is None else self._meeting.total(number, sums)

        return sum_over_workers

    def __getstate__(self) -> dict[str, object]:
        return super().__getstate__() | {"_team": None, "_meeting": None}

    def __exit__(self, *details: object) -> None:
        if self._entered == 1:
            self.forget()
        super().__exit__(*details)


# Errors that can be recreated from their message.
_USUAL = (FloatingPointError, IndexError, RuntimeError, TypeError, ValueError, ZeroDivisionError)


class _Order(NamedTuple):
    """An order to a process: compute the gradient on these rows, as one of `present` workers, in this round."""

    round: int
    present: int
    rows: np.ndarray
    counted: float
    momentum: float | None
    augment: bool
    generator: Any


class _Answer(NamedTuple):
    """The answer to an order: figures and the state of the generator, or an error."""

    figures: Figures | None = None
    generator: Any = None
    error: BaseException | None = None


class _Team:
    """The other processes; each computes its share of a batch when it gets an order."""

    def __init__(self, workers: Processes, data: DataSet) -> None:
        network = workers.network
        self.workers, self.data, self.parameters = workers, data, network.parameters
        self.augmentation: Augmentation | None = workers.augmentation
        self.meeting, self.round = Meeting(workers.number), 0
        self.theta = _shared(network.theta)
        states = [layer.state for _, layer in network.walk()]
        self.state = [(state, name, _shared(array)) for state in states for name, array in state.items()]
        self.others: list[Fork] = []
        self._made_by = os.getpid(), threading.get_ident()  # the system ends them when this thread ends
        try:
            for number in range(1, workers.number):
                self.others.append(Fork(partial(self._serve, number, os.getpid())))
        except BaseException:
            self.end()
            raise

    def is_of_this_thread(self) -> bool:
        """Return whether this process and this thread forked the others, which end when the thread does."""
        return self._made_by == (os.getpid(), threading.get_ident())

    def knows(self, data: DataSet) -> bool:
        """Return whether the processes have these data and the current parameters and augmentation."""
        workers = self.workers
        same = self.data is data and self.parameters is workers.network.parameters
        return same and (workers.augmentation is None or workers.augmentation is self.augmentation)

    def learn(self, shares: list[np.ndarray], counted: float, momentum: float | None) -> list[Figures]:
        """Let every worker compute the gradient of its share, and return their figures.

        Raises: what one of them raised; `InputError` if a process has ended.
        """
        workers, others = self.workers, [fork.connection for fork in self.others[: len(shares) - 1]]
        self.theta[:] = workers.network.theta
        for state, name, copy in self.state:
            copy[...] = state[name]
        self.round += 1
        self.meeting.begin(self.round, len(shares), lambda: all(fork.lives() for fork in self.others))
        augment, generators = workers.augmentation is not None, workers.generators[1:]
        try:
            for connection, rows, generator in zip(others, shares[1:], generators, strict=False):
                state_of_generator = generator.bit_generator.state
                connection.send(_Order(self.round, len(shares), rows, counted, momentum, augment, state_of_generator))
            mine = self._answer(0, shares[0], counted, momentum)
            answers = [mine, *(connection.recv() for connection in others)]
        except (EOFError, OSError) as gone:
            how = next((fork.how_it_ended() for fork in self.others if not fork.lives()), "ended")
            raise InputError(
                f"a worker process {how}; continue from the last checkpoint with --resume, or set workers = 1, which "
                "needs no other process"
            ) from gone
        errors = [answer.error for answer in answers if answer.error is not None]
        for error in sorted(errors, key=lambda error: isinstance(error, threading.BrokenBarrierError)):
            raise error
        for generator, answer in zip(generators, answers[1:], strict=False):
            generator.bit_generator.state = answer.generator
        return [answer.figures for answer in answers]

    def _answer(self, number: int, rows: np.ndarray, counted: float, momentum: float | None) -> _Answer:
        """Compute a share of a batch in the process with this number; if it fails, release the others from waiting."""
        try:
            figures = self.workers._learn(number, self.data, rows, counted, momentum)
        except BaseException as error:
            self.meeting.fail()
            return _Answer(error=error)
        return _Answer(figures, self.workers.generators[number].bit_generator.state)

    def _serve(self, number: int, parent: int, connection: Any) -> None:
        """Follow orders, until told to end or until the parent process has ended."""
        for fork in self.others:
            fork.connection.close()
        workers = self.workers
        workers.network.parameters.bind(self.theta, np.zeros_like(self.theta))
        for state, name, copy in self.state:
            state[name] = copy
        workers._meeting = self.meeting
        while os.getppid() == parent and (order := connection.recv()) is not None:
            self.meeting.begin(order.round, order.present, lambda: os.getppid() == parent)
            workers.augmentation = self.augmentation if order.augment else None
            workers.generators[number].bit_generator.state = order.generator
            answer = self._answer(number, order.rows, order.counted, order.momentum)
            connection.send(answer if answer.error is None else _Answer(error=_sendable(answer.error)))

    def end(self) -> None:
        """End the other processes, if this process forked them."""
        self.meeting.forget_others()
        if self._made_by[0] != os.getpid():
            return
        for fork in self.others:
            with contextlib.suppress(OSError):  # it may have ended already
                fork.connection.send(None)
        for fork in self.others:
            fork.end()


def _sendable(error: BaseException) -> BaseException:
    """Return an error in a form that can be sent, with the place where it was raised."""
    if isinstance(error, InputError | threading.BrokenBarrierError | MemoryError):
        return error
    places = traceback.extract_tb(error.__traceback__)
    at = f" in {Path(places[-1].filename).name}, line {places[-1].lineno}" if places else ""
    if type(error) in _USUAL:
        return type(error)(f"{error}{at}")
    return InputError(f"a worker failed: {type(error).__name__}: {shown(error)}{at}; workers = 1 shows the traceback")


def _shared(like: np.ndarray) -> np.ndarray:
    """Return a copy of an array in memory that this process shares with all processes it forks from now on."""
    memory = mmap.mmap(-1, max(like.nbytes, 1))
    copy: np.ndarray = np.frombuffer(memory, like.dtype, like.size).reshape(like.shape)
    copy[...] = like
    return copy
