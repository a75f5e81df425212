"""Forking: run a task in a copy of this process, which works in parallel and never outlives the original."""

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

OURS = "plainnet-worker"  # prefix of the names of plainnet's threads; these hold no lock while they are idle
_DIE_WITH_PARENT = 1  # an option of prctl
# Signals that ask a program to end.
ENDS = [getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)]


def possible() -> bool:
    """Return whether the system can fork a process, and end the copy when the original ends."""
    return sys.platform == "linux"


def alone() -> bool:
    """Return whether only plainnet's own idle threads run besides this one; a copy would keep other threads' locks."""
    others = set(threading.enumerate()) - {threading.current_thread()}
    return all(thread.name.startswith(OURS) for thread in others)


class Fork:
    """A copy of this process as it is now; it calls `task` with one end of a connection, and then ends.

    The other end is `connection`. The copy ignores signals that ask a program to end; this process handles them. The
    system kills the copy when this process dies.

    Raises: `OSError` if the system can create no more processes or has no memory left.
    """

    def __init__(self, task: Callable[[Any], object]) -> None:
        from multiprocessing import Pipe  # slow to import and seldom needed

        self.connection, theirs = Pipe()
        self._status = 0
        parent = os.getpid()
        for stream in (sys.stdout, sys.stderr):
            with contextlib.suppress(AttributeError, OSError, ValueError):  # otherwise the copy would print it again
                stream.flush()
        # A signal before the copy's first line would make the copy leave this function and run the caller's code.
        before = signal.pthread_sigmask(signal.SIG_BLOCK, ENDS)
        try:
            with warnings.catch_warnings():  # a warning about threads, see `alone`
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
        """Return in a few words why a copy ended unexpectedly."""
        self.lives()
        number = os.WTERMSIG(self._status) if os.WIFSIGNALED(self._status) else 0
        names: dict[int, str] = {
            signal.SIGKILL: "was killed, perhaps because memory ran out",
            signal.SIGSEGV: "crashed in compiled code",
        }
        return names.get(number, f"ended by signal {number}" if number else "ended")

    def end(self, seconds: float = 1.0) -> None:
        """Wait this many seconds for the copy to end by itself, then kill it."""
        self.connection.close()
        patience = time.monotonic() + seconds
        while self.lives():
            if time.monotonic() > patience:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(self.process, signal.SIGKILL)
            time.sleep(0.001)


def _be_a_copy(task: Callable[[Any], object], ours: Any, theirs: Any, parent: int) -> NoReturn:
    """Do the task, and exit without running the program's own exit handlers."""
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
