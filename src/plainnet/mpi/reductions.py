"""Reductions replace the gradient in every rank by the sum over all ranks.

Each of n ranks sends 2 (n - 1) / n of the vector and receives the same amount, which is the minimum (Patarasuk,
Yuan 2009, "Bandwidth optimal all-reduce algorithms for clusters of workstations").
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import numpy as np

from plainnet.mpi.group import Group

Reduction = Callable[[np.ndarray], None]


def ordered(group: Group) -> Reduction:
    """Return a function that adds vectors in the order of the ranks, so the bits of the sum depend on nothing else.

    Each rank receives one part of the vector from all others, adds it up, and sends the sum to all.
    """
    received = np.empty((0, 0))

    def reduce(vector: np.ndarray) -> None:
        nonlocal received
        ends = [vector.size * rank // group.size for rank in range(group.size + 1)]
        sizes, starts = [stop - start for start, stop in pairwise(ends)], ends[:-1]
        own = sizes[group.rank]
        if received.shape != (group.size, own) or received.dtype != vector.dtype:
            received = np.empty((group.size, own), vector.dtype)
        places = [own] * group.size, [own * rank for rank in range(group.size)]
        with group.waiting():
            group.communicator.Alltoallv([vector, (sizes, starts)], [received, places])
        part = vector[starts[group.rank] : ends[group.rank + 1]]
        part[:] = received[0]
        for other in received[1:]:
            part += other
        with group.waiting():
            group.communicator.Allgatherv(_in_place(), [vector, (sizes, starts)])

    return reduce


def allreduce(group: Group) -> Reduction:
    """Return a function that adds vectors by the fastest method of the MPI library, which may affect the last bits."""

    def reduce(vector: np.ndarray) -> None:
        with group.waiting():
            group.communicator.Allreduce(_in_place(), vector)

    return reduce


def _in_place() -> object:
    from mpi4py import MPI

    return MPI.IN_PLACE


REDUCTIONS: dict[str, Callable[[Group], Reduction]] = {"ordered": ordered, "allreduce": allreduce}
