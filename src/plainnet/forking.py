"""Forking: a copy of this process that does something at the same time, and never outlives it."""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import sys
import time
import warnings
from collections.abc import Callable
from typing import Any

_DIE_WITH_PARENT = 1  # an option of prctl
# Signals that ask a program to end.
ENDS = [getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)]


def possible() -> bool:
    """Tell whether the system can fork a process, and end the copy when the process itself ends."""
    return sys.platform == "linux"


class Fork:
    """A copy of this process as it is now, which does `task` with one end of a connection and then ends.

    The other end is `connection`. Signals that ask for an end are for this process to answer: the copy ignores them. It
    is killed by the system when this process dies.

    Raises: `OSError` if there is no process or no memory to be had.
    """

    def __init__(self, task: Callable[[Any], object]) -> None:
        from multiprocessing import Pipe  # takes a while to import, and is seldom needed

        self.connection, theirs = Pipe()
        parent = os.getpid()
        with warnings.catch_warnings():  # about threads: those there are hold no lock that a copy would need
            warnings.simplefilter("ignore", DeprecationWarning)
            self.process = os.fork()
        if self.process == 0:
            try:
                self.connection.close()
                for each in ENDS:
                    signal.signal(each, signal.SIG_IGN)
                ctypes.CDLL(None).prctl(_DIE_WITH_PARENT, signal.SIGKILL, 0, 0, 0)
                if os.getppid() == parent:
                    task(theirs)
            finally:
                os._exit(0)
        theirs.close()

    def lives(self) -> bool:
        """Return whether the copy still runs."""
        try:
            return os.waitpid(self.process, os.WNOHANG)[0] == 0
        except ChildProcessError:
            return False

    def end(self, seconds: float = 1.0) -> None:
        """Wait so long for the copy to end by itself, and then end it."""
        self.connection.close()
        patience = time.monotonic() + seconds
        while self.lives():
            if time.monotonic() > patience:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(self.process, signal.SIGKILL)
            time.sleep(0.001)
