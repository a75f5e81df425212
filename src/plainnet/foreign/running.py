"""Runs foreign code: a module of plainnet runs it in a separate process with limits, and reports the result.

The module confines itself (`confinement`) before it runs anything foreign. It signs its report with a secret that it
received before, so a report written by the foreign code is not accepted.
"""

from __future__ import annotations

import contextlib
import hmac
import os
import secrets
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import IO, NamedTuple

from plainnet.errors import InputError
from plainnet.foreign.confinement import PARENT, Limits
from plainnet.foreign.opening import read_bytes

_ONE_THREAD = {f"{library}_NUM_THREADS": "1" for library in ("OPENBLAS", "MKL", "OMP")}  # threads forbid namespaces
_TAIL = 4000  # bytes of the output that are kept
_REPORT, _SIGNATURE = "report", 32  # its file name, and the length of its signature


class Outcome(NamedTuple):
    """The result: the report (None without a valid one), the last output, why it was ended, and the exit code."""

    report: bytes | None
    last_words: str
    ended: str | None
    code: int


def run_apart(module: str, arguments: Sequence[str], *, timeout: float, limits: Limits | None = None) -> Outcome:
    """Run `python -m module FOLDER ARGUMENTS` with a temporary FOLDER for at most `timeout` seconds."""
    limits = limits or Limits()
    secret, report = secrets.token_bytes(_SIGNATURE), None
    with tempfile.TemporaryDirectory(prefix="plainnet-", ignore_cleanup_errors=True) as folder:
        parent = {PARENT: str(os.getpid()), "PYTHONUNBUFFERED": "1"}
        process = subprocess.Popen(  # noqa: S603  (the user asked to run this file)
            [sys.executable, "-m", module, folder, *arguments],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            start_new_session=True, env=os.environ | _ONE_THREAD | parent,
        )  # fmt: skip
        assert process.stdin is not None
        assert process.stdout is not None
        printed = _Printed(process.stdout)
        with contextlib.suppress(BrokenPipeError):
            process.stdin.write(secret)
            process.stdin.close()
        ended = _wait(process, printed, timeout, limits)
        _end(process)
        printed.join(0.5)  # a process that still holds the pipe has left the session: do not wait for it
        with contextlib.suppress(InputError):
            content = read_bytes(Path(folder) / _REPORT, "report")
            if hmac.compare_digest(content[:_SIGNATURE], hmac.digest(secret, content[_SIGNATURE:], "sha256")):
                report = content[_SIGNATURE:]
    return Outcome(report, bytes(printed.kept).decode(errors="replace").strip(), ended, process.returncode)


def _wait(process: subprocess.Popen[bytes], printed: _Printed, timeout: float, limits: Limits) -> str | None:
    """Wait for the end of the process; return the reason if it must be ended."""
    until = time.monotonic() + timeout
    while time.monotonic() < until:
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(0.02)
            return None
        if printed.count > limits.output:
            return f"it printed more than {limits.output / 1e6:.0f} MB"
    return f"it did not end within {timeout:g} s"


def _end(process: subprocess.Popen[bytes]) -> None:
    """End the process and its session: ask it first, since it knows its own children."""
    with contextlib.suppress(subprocess.TimeoutExpired, OSError):
        process.terminate()
        process.wait(2)
    with contextlib.suppress(OSError):
        if hasattr(os, "killpg"):
            os.killpg(process.pid, signal.SIGKILL)
        else:
            process.kill()
    process.wait()


class _Printed(threading.Thread):
    """Reads the output of a process to its end, and keeps the last part."""

    def __init__(self, pipe: IO[bytes]) -> None:
        super().__init__(daemon=True)
        self.pipe = pipe
        self.kept, self.count = bytearray(), 0
        self.start()

    def run(self) -> None:
        with contextlib.suppress(OSError, ValueError), self.pipe:
            while piece := self.pipe.read1(65536):  # type: ignore[attr-defined]
                self.count += len(piece)
                self.kept += piece
                del self.kept[:-_TAIL]


class Report:
    """The report of the module that runs in `folder`: make it before the confinement, and write it at the end."""

    def __init__(self, folder: Path) -> None:
        self._file = (folder / _REPORT).open("wb")
        self._secret = sys.stdin.buffer.read(_SIGNATURE)
        with Path(os.devnull).open("rb") as nothing:
            os.dup2(nothing.fileno(), 0)

    def write(self, body: bytes) -> None:
        """Write the report, once, and sign it."""
        with self._file as file:
            file.write(hmac.digest(self._secret, body, "sha256") + body)
