"""What tests run in each of several ranks: `mpirun -n 2 python rank_programs.py NAME`; the first prints JSON."""

import json
import sys
import zlib

import numpy as np
from mpi4py import MPI

from plainnet import SGD, BatchNorm, Conv2D, Dense, Dropout, Flatten, Network, ReLU, SoftmaxCrossEntropy, mnist
from plainnet.errors import InputError
from plainnet.mpi import Group, Ranks
from plainnet.training import Training
from plainnet.workers import Threads

GROUP = Group(MPI.COMM_WORLD)
LOSS = SoftmaxCrossEntropy()


def network(dtype=np.float64, drop=0.0, rng=0, norm=True):
    norms = ([BatchNorm()], [BatchNorm()]) if norm else ([], [])
    dropped = [Dropout(drop)] if drop else []
    stack = Conv2D(4, 3), *norms[0], ReLU(), Flatten(), Dense(24), *norms[1], ReLU(), *dropped, Dense(10)
    return Network(*stack).build((28, 28), rng=rng, dtype=dtype)


def gradients():
    """The largest relative difference of a batch's gradient from that of one process, and of its figures."""
    data, found = mnist.load().train, {}
    for dtype, norm in ((np.float64, True), (np.float32, False), (np.float32, True)):
        for reduction in ("ordered", "allreduce"):
            for threads in (1, 2):
                for count in (64, 37, 3, 1):
                    alone, together = network(dtype, norm=norm), network(dtype, norm=norm)
                    rows = np.arange(100, 100 + count)
                    with Threads(alone, LOSS) as workers:
                        expected = workers.gradient(data, rows)
                    with Ranks(together, LOSS, threads, group=GROUP, reduction=reduction) as workers:
                        figures = workers.gradient(data, rows)
                    distance = np.linalg.norm(together.grad - alone.grad) / np.linalg.norm(alone.grad)
                    state = max(
                        float(np.abs(array - alone.tensors()[name]).max()) for name, array in together.tensors().items()
                    )
                    same = figures.metrics == expected.metrics and abs(figures.loss / expected.loss - 1) < 1e-6
                    name = f"{np.dtype(dtype).name}{' norm' * norm} {reduction} {threads} {count}"
                    found[name] = [float(distance), state, same]
    return found


def weights():
    """Checksums of the weights after 100 steps: of every rank, and of as many threads in one process."""
    data, found = mnist.load(), {}

    def trained(workers_of, net):
        training = Training(
            net, LOSS, SGD(momentum=0.9), data.train[:2003], data.validation[:101], batch_size=40, epochs=2,
            learning_rate=0.05, workers=workers_of(net), rng=0,
        )  # fmt: skip
        for _ in training:
            pass
        return [zlib.crc32(net.theta.data), training.history[-1].to_table() | {"seconds": 0}]

    for reduction in ("ordered", "allreduce"):
        for threads in (1, 2):
            mine = trained(
                lambda net, n=threads, how=reduction: Ranks(net, LOSS, n, group=GROUP, reduction=how),
                network(np.float32, 0.2),
            )
            found[f"{reduction} {threads}"] = GROUP.all(mine)
    found["threads"] = trained(lambda net: Threads(net, LOSS, GROUP.size), network(np.float32, 0.2))
    return found


def beginnings():
    """Weights that differ at the beginning and in the middle are brought together."""
    data, net = mnist.load().train[:400], network(np.float32, rng=GROUP.rank)
    workers = Ranks(net, LOSS, group=GROUP)
    with workers:
        workers.gradient(data, np.arange(40))
        first = GROUP.all(zlib.crc32(net.theta.data))
        net.theta[7] += GROUP.rank
        for _ in range(500):
            workers.gradient(data, np.arange(8))
        second = GROUP.all(zlib.crc32(net.theta.data))
    return {"first": first, "second": second, "drifted": workers.drifted}


def refusals():
    said = []
    for options in ({"reduction": "ring"}, {"number": 0}):
        try:
            Ranks(network(), LOSS, group=GROUP, **options)
        except InputError as error:
            said.append(str(error))
    return said


def where():
    """Which weights come of the same job, however the ranks lie on machines."""
    net, data = network(np.float32, 0.2), mnist.load()
    training = Training(
        net, LOSS, SGD(momentum=0.9), data.train[:800], batch_size=40, epochs=1, learning_rate=0.05,
        workers=Ranks(net, LOSS, group=GROUP),
    )  # fmt: skip
    for _ in training:
        pass
    return {"weights": zlib.crc32(net.theta.data), "places": GROUP.all(MPI.Get_processor_name())}


if __name__ == "__main__":
    with np.errstate(all="ignore"):
        result = globals()[sys.argv[1]]()
    if GROUP.leads:
        print(json.dumps(result))
