"""Forking: a copy of this process that does something at the same time, and never outlives it."""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import sys
import threading
import time
import warnings
from collections.abc import Callable
from typing import Any, NoReturn

OURS = "plainnet-worker"  # begins the names of threads that hold no lock while nothing is shared among them
_DIE_WITH_PARENT = 1  # an option of prctl
# Signals that ask a program to end.
ENDS = [getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)]


def possible() -> bool:
    """Tell whether the system can fork a process, and end the copy when the process itself ends."""
    return sys.platform == "linux"


def alone() -> bool:
    """Tell whether no other thread runs but idle ones of ours; of others, a copy would have the locks for ever."""
    others = set(threading.enumerate()) - {threading.current_thread()}
    return all(thread.name.startswith(OURS) for thread in others)


class Fork:
    """A copy of this process as it is now, which does `task` with one end of a connection and then ends.

    The other end is `connection`. Signals that ask for an end are for this process to answer: the copy ignores them. It
    is killed by the system when this process dies.

    Raises: `OSError` if there is no process or no memory to be had.
    """

    def __init__(self, task: Callable[[Any], object]) -> None:
        from multiprocessing import Pipe  # takes a while to import, and is seldom needed

        self.connection, theirs = Pipe()
        self._status = 0
        parent = os.getpid()
        for stream in (sys.stdout, sys.stderr):
            with contextlib.suppress(AttributeError, OSError, ValueError):  # or the copy would say it again
                stream.flush()
        # A signal between the fork and the first line of the copy would send it up into the program that forked it.
        before = signal.pthread_sigmask(signal.SIG_BLOCK, ENDS)
        try:
            with warnings.catch_warnings():  # about threads, see `alone`
                warnings.simplefilter("ignore", DeprecationWarning)
                self.process = os.fork()
            if self.process == 0:
                _be_a_copy(task, self.connection, theirs, parent)
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)
        theirs.close()

    def lives(self) -> bool:
        """Return whether the copy still runs."""
        try:
            ended, status = os.waitpid(self.process, os.WNOHANG)
        except ChildProcessError:
            return False
        self._status = status if ended else self._status
        return ended == 0

    def how_it_ended(self) -> str:
        """Return in a few words why a copy has ended that should not have."""
        self.lives()
        number = os.WTERMSIG(self._status) if os.WIFSIGNALED(self._status) else 0
        names: dict[int, str] = {
            signal.SIGKILL: "was killed, perhaps for want of memory",
            signal.SIGSEGV: "crashed in compiled code",
        }
        return names.get(number, f"ended by signal {number}" if number else "ended")

    def end(self, seconds: float = 1.0) -> None:
        """Wait so long for the copy to end by itself, and then end it."""
        self.connection.close()
        patience = time.monotonic() + seconds
        while self.lives():
            if time.monotonic() > patience:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(self.process, signal.SIGKILL)
            time.sleep(0.001)


def _be_a_copy(task: Callable[[Any], object], ours: Any, theirs: Any, parent: int) -> NoReturn:
    """Do the task, and end without anything that the program would do at its end."""
    try:
        ours.close()
        for each in ENDS:
            signal.signal(each, signal.SIG_IGN)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, ENDS)
        ctypes.CDLL(None).prctl(_DIE_WITH_PARENT, signal.SIGKILL, 0, 0, 0)
        if os.getppid() == parent:
            task(theirs)
    finally:
        for stream in (sys.stdout, sys.stderr):
            with contextlib.suppress(AttributeError, OSError, ValueError):
                stream.flush()
        os._exit(0)
