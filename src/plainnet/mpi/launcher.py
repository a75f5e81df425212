"""The launcher, such as mpirun: what can be known of it before MPI is imported."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

_LAUNCHERS = "hydra", "mpi", "orte", "prte"  # begin the names of processes that start others for MPI


def rank_by_environment() -> tuple[int, int]:
    """Return the rank of this process and how many there are, as their launcher says it; (0, 1) without one."""
    for rank, size in (("OMPI_COMM_WORLD_RANK", "OMPI_COMM_WORLD_SIZE"), ("PMI_RANK", "PMI_SIZE")):
        if os.environ.get(rank, "").isdecimal() and os.environ.get(size, "").isdecimal():
            return int(os.environ[rank]), int(os.environ[size])
    return 0, 1


def launched_by() -> int | None:
    """Return the process that the user started MPI with, if it runs on this machine and the system tells."""
    found, process = None, os.getppid()
    with contextlib.suppress(OSError, ValueError, IndexError):
        while True:
            name, _, rest = Path(f"/proc/{process}/stat").read_text().partition(" (")[2].rpartition(") ")
            if not name.startswith(_LAUNCHERS):
                break
            found, process = process, int(rest.split()[1])
    return found
