"""Finds out about the launcher of MPI, such as mpirun, before MPI is imported."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

_LAUNCHERS = "hydra", "mpi", "orte", "prte"  # beginnings of the names of processes that start others for MPI


def rank_by_environment() -> tuple[int, int]:
    """Return the rank of this process and the number of ranks, as the launcher says; (0, 1) without a launcher."""
    for rank, size in (("OMPI_COMM_WORLD_RANK", "OMPI_COMM_WORLD_SIZE"), ("PMI_RANK", "PMI_SIZE")):
        if os.environ.get(rank, "").isdecimal() and os.environ.get(size, "").isdecimal():
            return int(os.environ[rank]), int(os.environ[size])
    return 0, 1


def launched_by() -> int | None:
    """Return the process with which the user started MPI, if it runs on this machine and the system shows it."""
    found, process = None, os.getppid()
    with contextlib.suppress(OSError, ValueError, IndexError):
        while True:
            name, _, rest = Path(f"/proc/{process}/stat").read_text().partition(" (")[2].rpartition(") ")
            if not name.startswith(_LAUNCHERS):
                break
            found, process = process, int(rest.split()[1])
    return found
