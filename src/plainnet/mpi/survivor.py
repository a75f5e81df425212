"""A survivor: a small process beside one that may be killed, which then says what to do.

A launcher such as mpirun kills all processes of a job when one of them dies, before any can say a word, and closes what
they print to. So the survivor speaks where the launcher does, and after it.
"""

from __future__ import annotations

import contextlib
import os
import time
import warnings
from pathlib import Path
from typing import NoReturn

from plainnet.mpi.launcher import launched_by

_PATIENCE = 5.0  # seconds for a launcher to end


class Survivor:
    """A process of its own, which says the last words it was given if this process ends without taking them back.

    To be made before there are other threads.
    """

    def __init__(self) -> None:
        theirs, self._words = os.pipe()
        launcher = launched_by()
        with warnings.catch_warnings():  # about threads, of which the copy needs nothing
            warnings.simplefilter("ignore", DeprecationWarning)
            self._process = os.fork()
        if self._process == 0:
            _survive(theirs, self._words, launcher)
        os.close(theirs)

    def last_words(self, sentence: str) -> None:
        """Have this said; nothing, if it is empty."""
        with contextlib.suppress(BrokenPipeError):  # the other one was killed
            os.write(self._words, sentence.replace("\n", " ").encode() + b"\n")

    def leave(self) -> None:
        """Have nothing said, and the other process end."""
        self.last_words("")
        os.close(self._words)
        with contextlib.suppress(ChildProcessError):
            os.waitpid(self._process, 0)


def _survive(words: int, not_ours: int, launcher: int | None) -> NoReturn:
    try:
        os.setsid()  # or what ends the job would end this
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
    while time.monotonic() < until and Path(f"/proc/{process}/fd/2").exists():  # which a zombie has no more
        time.sleep(0.01)
