"""Neighbors: other programs that keep the processor busy while something is timed."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from plainnet.config import whole_number

_WORK = "import numpy as np\na = np.ones((400, 400), np.float32)\nwhile True: a @ a"


@contextmanager
def busy(count: int) -> Iterator[None]:
    """Within the `with` block, let this many processes multiply matrices, each in one thread.

    Raises: `InputError` for a number below 0 or above 64.
    """
    one_thread = {f"{library}_NUM_THREADS": "1" for library in ("OPENBLAS", "MKL", "OMP")}
    processes = [
        subprocess.Popen([sys.executable, "-c", _WORK], env=os.environ | one_thread)  # noqa: S603
        for _ in range(whole_number(count, "neighbors", least=0, most=64))
    ]
    try:
        yield
    finally:
        for process in processes:
            process.kill()
            process.wait()
