"""The survivor: a small process that prints a message if the process beside it is killed.

When one process of a job dies, a launcher such as mpirun kills all the others before they can print, and closes their
output. So the survivor writes to the output of the launcher, after the launcher has ended.
"""

from __future__ import annotations

import contextlib
import os
import time
import warnings
from pathlib import Path
from typing import NoReturn

from plainnet.mpi.launcher import launched_by

_PATIENCE = 5.0  # seconds that a launcher has to end


class Survivor:
    """A separate process that prints the last words it was given, unless this process takes them back before it ends.

    Make it before this process has other threads.
    """

    def __init__(self) -> None:
        theirs, self._words = os.pipe()
        launcher = launched_by()
        with warnings.catch_warnings():  # about threads, which the copy does not need
            warnings.simplefilter("ignore", DeprecationWarning)
            self._process = os.fork()
        if self._process == 0:
            _survive(theirs, self._words, launcher)
        os.close(theirs)

    def last_words(self, sentence: str) -> None:
        """Set the message to print; an empty one prints nothing."""
        with contextlib.suppress(BrokenPipeError):  # the survivor was killed
            os.write(self._words, sentence.replace("\n", " ").encode() + b"\n")

    def leave(self) -> None:
        """Take back the message, and end the survivor."""
        self.last_words("")
        os.close(self._words)
        with contextlib.suppress(ChildProcessError):
            os.waitpid(self._process, 0)


def _survive(words: int, not_ours: int, launcher: int | None) -> NoReturn:
    try:
        os.setsid()  # otherwise this process would be killed with the job
        os.close(not_ours)
        speaks_to = 2
        with contextlib.suppress(OSError):
            if launcher is not None:
                speaks_to = os.open(f"/proc/{launcher}/fd/2", os.O_WRONLY | os.O_APPEND | os.O_NOCTTY)
        heard = b""
        while piece := os.read(words, 1 << 16):
            heard = (heard + piece)[-(1 << 16) :]
        sentence = b"".join(heard.split(b"\n")[-2:-1])
        if sentence:
            if speaks_to != 2:
                _wait_for_the_end_of(launcher)
            os.write(speaks_to, sentence + b"\n")
    finally:
        os._exit(0)


def _wait_for_the_end_of(process: int | None) -> None:
    until = time.monotonic() + _PATIENCE
    while time.monotonic() < until and Path(f"/proc/{process}/fd/2").exists():  # a zombie has none
        time.sleep(0.01)
