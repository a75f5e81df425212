"""What `benchmarks/mpi.py` runs in each rank: `mpirun -n 2 python benchmarks/mpi_ranks.py TASK ...`; prints JSON."""

from __future__ import annotations

import json
import statistics
import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np
from mpi4py import MPI

from plainnet import SGD, Dense, Flatten, Network, ReLU, SoftmaxCrossEntropy, mnist
from plainnet.events import Batch
from plainnet.mpi import Group, Ranks
from plainnet.mpi.reductions import REDUCTIONS
from plainnet.recipes import read
from plainnet.runs.run import Run
from plainnet.training import Training
from plainnet.workers import Figures, Threads, Workers

GROUP = Group(MPI.COMM_WORLD)
PARAMETERS = 814_090


def made(name: str, rng: int = 0) -> tuple[Network, Any, Any]:
    """Return a network, its loss and its optimizer."""
    if name == "wide":
        stack = Flatten(), Dense(8192), ReLU(), Dense(8192), ReLU(), Dense(3072), ReLU(), Dense(10)
        return Network(*stack).build((28, 28), rng=rng), SoftmaxCrossEntropy(), SGD(momentum=0.9)
    recipe = read(name, {}).fitted(mnist.load().examples)
    return recipe.network(rng=rng), recipe.loss_function(), recipe.make_optimizer()


def reductions() -> dict[str, Any]:
    """Return milliseconds, the median of 200, of a reduction of the gradient of `classic` and a small exchange."""
    vector, found = np.ones(PARAMETERS, np.float32), {}
    for name, reduction in REDUCTIONS.items():
        reduce, seconds = reduction(GROUP), []
        for _ in range(220):
            vector[:] = 1.0
            MPI.COMM_WORLD.Barrier()
            began = time.perf_counter()
            reduce(vector)
            seconds.append(time.perf_counter() - began)
        found[name] = 1000 * statistics.median(seconds[20:])
    seconds = []
    for _ in range(520):
        MPI.COMM_WORLD.Barrier()
        began = time.perf_counter()
        GROUP.all([0.0])
        seconds.append(time.perf_counter() - began)
    return found | {"small": 1000 * statistics.median(seconds[20:])}


def steps(name: str, batch: str, count: str, *reductions: str) -> dict[str, Any]:
    """Return milliseconds of steps, in turns by each way of reducing; "threads" is a process without MPI."""
    data, trainings = mnist.load().train, {}
    for how in reductions:
        network, loss, optimizer = made(name)
        workers: Workers = (
            Threads(network, loss, int(how.partition(":")[2] or 1))
            if how.startswith("threads")
            else Ranks(network, loss, group=GROUP, reduction=how)
        )
        trainings[how] = Training(
            network, loss, optimizer, data, batch_size=int(batch), epochs=10**6, learning_rate=1e-6, workers=workers
        )
    found: dict[str, list[float]] = {how: [] for how in trainings}
    events = {how: (event for event in one if isinstance(event, Batch)) for how, one in trainings.items()}
    for turn in range(int(count) + 2):
        for how, batches in events.items():
            MPI.COMM_WORLD.Barrier()
            seconds = next(batches).seconds
            if turn >= 2:
                found[how].append(1000 * max(GROUP.all(seconds)))
    parameters = trainings[reductions[0]].network.theta.size
    told = {how: {"median": statistics.median(ms), "sd": statistics.pstdev(ms)} for how, ms in found.items()}
    return {"ranks": GROUP.size, "batch": int(batch), "parameters": parameters, "ms": told}


def gradients() -> dict[str, Any]:
    """Measure relative distances of the gradient of 128 images: of ranks from one process, of float32 from float64."""
    rows, data, found = np.arange(500, 628), mnist.load().train, {}
    for name in ("classic", "fast99", "cnn"):
        for dtype in (np.float64, np.float32):
            alone, together = (made(name)[0].astype(dtype) for _ in range(2))
            loss = made(name)[1]
            with Threads(alone, loss) as workers:
                workers.gradient(data, rows)
            with Ranks(together, loss, group=GROUP) as workers:
                workers.gradient(data, rows)
            distance = np.linalg.norm(together.grad - alone.grad) / np.linalg.norm(alone.grad)
            found[f"{name} {np.dtype(dtype).name}"] = float(distance)
            if dtype == np.float64:
                exact = alone.grad
        found[f"{name} rounding"] = float(np.linalg.norm(alone.grad - exact) / np.linalg.norm(exact))
    return found


def accuracy(name: str, seed: str) -> dict[str, Any]:
    """Train for the validation accuracy of a recipe, one thread a rank."""

    def team(network: Network, loss: Any, number: int, *, rng: Any = 0) -> Ranks:
        return Ranks(network, loss, number, group=GROUP, rng=rng)

    run = Run(read(name, {"workers": 1}), mnist.load(), seed=int(seed), threads=1, team=team)
    *_, last = run.epochs()
    return {"ranks": GROUP.size, "seed": int(seed), "validation_accuracy": last.validation_accuracy}


class Overlapped(Ranks):
    """Ranks that begin to add up the gradients of a layer as soon as they are there; tried, and not kept."""

    def _make_contexts(self) -> None:
        made_anew = self._made_for is not self.network.parameters
        super()._make_contexts()
        if made_anew:
            self._under_way: list[Any] = []
            self._contexts[0].on_gradient = self._begin

    def _begin(self, layer: Any) -> None:
        for parameter in layer.parameters:
            part = self.network.grad[parameter.place]
            self._under_way.append(MPI.COMM_WORLD.Iallreduce(MPI.IN_PLACE, part))

    def _added_up(self, parts: list[Figures]) -> list[Figures]:
        MPI.Request.Waitall(self._under_way)
        self._under_way.clear()
        return [figures for of_rank in self.group.all(parts) for figures in of_rank]


def overlap(batch: str, width: str, count: str) -> dict[str, Any]:
    """Return milliseconds of gradients of three layers of so many units, reduced after the pass and during it."""
    data, rows, workers = mnist.load().train, np.arange(int(batch)), {}
    for name, kind in (("after", Ranks), ("during", Overlapped)):
        layers = [layer for _ in range(3) for layer in (Dense(int(width)), ReLU())]
        network = Network(Flatten(), *layers, Dense(10)).build((28, 28), rng=0)
        workers[name] = kind(network, SoftmaxCrossEntropy(), group=GROUP, reduction="allreduce")
    found: dict[str, list[float]] = {name: [] for name in workers}
    with workers["after"], workers["during"]:
        for turn in range(int(count) + 2):
            for name, one in workers.items():
                MPI.COMM_WORLD.Barrier()
                began = time.perf_counter()
                one.gradient(data, rows)
                if turn >= 2:
                    found[name].append(1000 * (time.perf_counter() - began))
    same = bool(np.array_equal(workers["after"].network.grad, workers["during"].network.grad))
    return {name: statistics.median(ms) for name, ms in found.items()} | {"same": same}


TASKS: dict[str, Callable[..., Any]] = {
    "reductions": reductions, "steps": steps, "gradients": gradients, "accuracy": accuracy,
    "overlap": overlap,
}  # fmt: skip

if __name__ == "__main__":
    with np.errstate(all="ignore"):
        result = TASKS[sys.argv[1]](*sys.argv[2:])
    if GROUP.leads:
        print(json.dumps(result))
