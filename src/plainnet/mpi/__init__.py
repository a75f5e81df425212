"""Distributed training, one run on many machines: processes started by MPI, called ranks, share the work of each batch.

    mpirun -n 4 plainnet train classic --mpi

In Python, every rank runs the same program, with `Ranks` as the workers of its training:

    from mpi4py import MPI
    from plainnet.mpi import Group, Ranks
    workers = Ranks(network, loss, group=Group(MPI.COMM_WORLD))
    for epoch in epochs(network, loss, optimizer, train, batch_size=128, epochs=10, learning_rate=0.01, workers=workers)

This needs mpi4py: pip install 'plainnet[mpi]'.
"""

from plainnet.mpi.group import Group
from plainnet.mpi.ranks import Ranks

__all__ = ["Group", "Ranks"]
