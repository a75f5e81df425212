"""Workers that are threads: they share each batch, and each has its own context.

NumPy's elementwise operations use one core, but other threads can run at the same time. So two threads finish a batch
sooner, each with its half and its own memory. All compute with the same layers; the gradient of the batch is the sum of
theirs, always in the same order. Matrix products should then use one thread each.
"""

from __future__ import annotations

import contextvars
import math
import threading
from collections.abc import Callable, Mapping
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from plainnet.config import whole_number
from plainnet.context import Context
from plainnet.data.dataset import DataSet
from plainnet.errors import InputError
from plainnet.forking import OURS
from plainnet.generators import generator_for
from plainnet.layers.layer import kept_since
from plainnet.losses import Loss, as_loss
from plainnet.metrics import Metric
from plainnet.network import Network
from plainnet.parameters import Task, in_blocks
from plainnet.workers.adversarial import adversarial_examples
from plainnet.workers.figures import Figures

if TYPE_CHECKING:
    from plainnet.data.augmentation import Augmentation


class Threads:
    """A given number of threads of this process; 1 means only the caller's thread.

    Use it in a `with` statement. Each thread draws its random numbers, for `augmentation` (changing images) or for
    dropout, from its own generator, made from `rng`. `metrics` are functions by name (default: the loss's own).

    Raises: `InputError` if `number` is not a whole number of at least 1, `loss` is not a loss, or a metric is not a
    function.
    Source: Dean et al. 2012, "Large scale distributed deep networks" (between machines, and asynchronously).
    """

    leads = True  # whether this process, of several that train together, writes the files

    def __init__(
        self,
        network: Network,
        loss: Loss,
        number: int = 1,
        *,
        metrics: Mapping[str, Metric] | None = None,
        rng: int | np.random.Generator = 0,
    ) -> None:
        self.network, self.loss, self.number = network, as_loss(loss), whole_number(number, "workers")
        self.metrics: Mapping[str, Metric] = dict(self.loss.metrics if metrics is None else metrics)
        if "loss" in self.metrics or not all(map(callable, self.metrics.values())):
            raise InputError(
                f"metrics must be functions by name, none called loss, received {list(self.metrics)}; a metric takes "
                "outputs and targets and returns a value for each example"
            )
        self.augmentation: Augmentation | None = None
        self.adversarial: float | None = None  # the distance of adversarial examples, see `adversarial_examples`
        self.generators = generator_for(rng, "augment").spawn(number)
        self._here = range(number)  # the workers that are in this process: all of them
        self._vectors: list[np.ndarray] = []  # the gradients of all workers except the first, which uses the network's
        self._contexts: list[Context] = []
        self._slots: list[np.ndarray] = []
        self._made_for: object = None  # the parameters whose gradients the contexts hold
        self._entered = 0
        self._looked = False  # whether a first batch has shown that the layers keep nothing of a pass

    def gradient(self, data: DataSet, rows: np.ndarray, *, momentum: float | None = None) -> Figures:
        """Write the gradient of the loss on these rows of the data into the network's `grad`; return the figures.

        If `momentum` is given, running averages use it instead of the layers' own.
        """
        self._make_contexts()
        weights = None if data.weights is None else data.weights[rows]
        counted = self.loss.total(data.targets.take(rows, axis=0), weights)
        before = self.network.attributes() if self.number > 1 and not self._looked else []
        parts = self._added_up(self._learn_in_shares(data, rows, counted, momentum))
        if (said := kept_since(before)) is not None:
            raise InputError(f"{said}; or train with one worker")
        self._looked = True
        figures = Figures(counted=counted)
        for part in parts:
            figures.add(part)
        figures.loss = math.fsum(part.loss for part in parts) * (counted if self.loss.reduction == "mean" else 1)
        return figures

    def _learn_in_shares(
        self, data: DataSet, rows: np.ndarray, counted: float, momentum: float | None
    ) -> list[Figures]:
        """Compute all workers' parts, write the gradients of all but the first to `_vectors`, return their figures."""
        return self._all(lambda number, own_rows: self._learn(number, data, own_rows, counted, momentum), rows)

    def _added_up(self, parts: list[Figures]) -> list[Figures]:
        """Add the gradients of the other workers to the first one's; return the figures of all."""
        whole = self.network.grad
        for vector in self._vectors[: len(parts) - 1]:
            whole += vector
        return parts

    def _learn(self, number: int, data: DataSet, rows: np.ndarray, counted: float, momentum: float | None) -> Figures:
        """Compute one worker's part of a batch: its gradient, its share of the loss, the sums of its metrics."""
        with self._contexts[number] as context:
            context.momentum = momentum
            return self._figures(number, data, rows, counted)

    def _figures(self, number: int, data: DataSet, rows: np.ndarray, counted: float) -> Figures:
        targets = data.targets.take(rows, axis=0)
        weights = None if data.weights is None else data.weights[rows]
        inputs = data.inputs.take(rows, axis=0, mode="clip")
        if self.augmentation is not None:
            inputs = self.augmentation(inputs, self.generators[self._here[number]])
        inputs = self.network.as_input(inputs)
        outputs = self.network.forward(inputs, training=True)
        loss, gradient = self.loss(outputs, targets, weights, total=counted)
        figures = self._measure(outputs, targets, weights)
        figures.loss = loss
        if self.adversarial is None or self._contexts[number].momentum is not None:
            self.network.backward(gradient)
        else:
            dx = self.network.backward(gradient, need_dx=True)
            moved = adversarial_examples(inputs, dx, self.adversarial)
            self._add_gradient(number, moved, lambda outputs: self.loss(outputs, targets, weights, total=counted)[1])
        return figures

    def _add_gradient(self, number: int, inputs: np.ndarray, dloss: Callable[[np.ndarray], np.ndarray]) -> None:
        """Average a worker's gradient with that for other inputs; running averages remain those of the first inputs."""
        gradient = self._vectors[number - 1] if number else self.network.grad
        before = self._contexts[number].buffer(self, "gradient before", gradient.shape, gradient.dtype)
        before[...] = gradient
        self._contexts[number].momentum = 1.0
        self.network.backward(dloss(self.network.forward(inputs, training=True)))
        gradient += before
        gradient *= 0.5

    def _measure(self, outputs: np.ndarray, targets: np.ndarray, weights: np.ndarray | None) -> Figures:
        """Return the sums of the metrics."""
        found = {name: metric(outputs, targets) for name, metric in self.metrics.items()}
        for name, values in found.items():
            if np.shape(values) != targets.shape[:1]:
                raise InputError(
                    f"the metric {name} must return a value for each of {len(targets)} examples, received shape "
                    f"{np.shape(values)}; plainnet computes their mean"
                )
        if weights is None:
            return Figures(0.0, {name: float(np.sum(values)) for name, values in found.items()}, float(len(targets)))
        return Figures(0.0, {name: float(values @ weights) for name, values in found.items()}, math.fsum(weights))

    def outputs(self, inputs: np.ndarray) -> np.ndarray:
        """Return the outputs (N, K) for any number of inputs, without changing the weights."""

        def task(number: int, rows: np.ndarray) -> np.ndarray:
            return self.network.logits(inputs[rows[0] : rows[-1] + 1])

        return np.concatenate(self._all(task, np.arange(len(inputs))))

    def evaluate(self, data: DataSet) -> Figures:
        """Return the figures on `data`, without changing the weights."""
        outputs = self.outputs(data.inputs)
        figures = self._measure(outputs, data.targets, data.weights)
        figures.counted = self.loss.total(data.targets, data.weights)
        figures.loss = self.loss.sum(outputs, data.targets, data.weights)
        return figures

    def _share(self, task: Task) -> None:
        """Call a task for all parts of the network's vectors, divided equally among the workers."""
        size = self.network.theta.size
        count = len(self._here)
        ends = [size * number // count for number in range(count + 1)]
        others = [self._pool.submit(in_blocks, task, *pair) for pair in pairwise(ends[1:])]
        in_blocks(task, 0, ends[1])
        for other in others:
            other.result()

    def forget(self) -> None:
        """Drop what was remembered for a backward pass that will not happen."""
        for context in self._contexts:
            context.forget()

    def _make_contexts(self) -> None:
        if self._made_for is self.network.parameters:
            return
        self._made_for = self.network.parameters
        self._contexts = []
        self._vectors = [self._new_vector() for _ in self._here[1:]]
        for number, worker in enumerate(self._here):
            self._contexts.append(
                Context(
                    rng=self.generators[worker],
                    gradients=self.network.parameters.views(self._vectors[number - 1]) if number else None,
                    leads=number == 0,
                    sum_over_workers=self._summing(number) if self.number > 1 else None,
                )
            )

    def _new_vector(self) -> np.ndarray:
        """Return memory for a worker's gradient."""
        return np.zeros_like(self.network.grad)

    def _summing(self, number: int) -> Callable[[np.ndarray], np.ndarray]:
        """Return a function that sums the arrays of all workers; no worker continues before all have the sum."""

        def sum_over_workers(sums: np.ndarray) -> np.ndarray:
            self._slots[number] = sums
            self._barrier.wait()
            total: np.ndarray = sum(self._slots[1:], self._slots[0])
            self._barrier.wait()
            return total

        return sum_over_workers

    def largest(self, *values: float) -> tuple[float, ...]:
        """Return the largest values over all processes that train together; with one process, its own values."""
        return values

    def gather(self) -> None:
        """Exchange the training's state, so that every process has all of it; one process has it already."""

    def rest(self) -> None:
        """Wait until all processes arrive here, however long one of them takes to write a file."""

    def _all(self, task: Callable[[int, np.ndarray], Any], rows: np.ndarray) -> list[Any]:
        """Return the results of `task` for each worker's number and its share of the rows, computed in parallel."""
        if len(self._here) == 1:
            return [task(0, rows)]
        shares = np.array_split(rows, min(len(self._here), len(rows)))
        self._slots = [rows] * len(shares)
        self._barrier = threading.Barrier(len(shares))
        if len(shares) == 1:
            return [task(0, rows)]

        def careful(number: int, share: np.ndarray) -> Any:
            try:
                return task(number, share)
            except BaseException:
                self._barrier.abort()  # otherwise the workers that wait for this one would wait forever
                raise

        others = [
            self._pool.submit(contextvars.copy_context().run, careful, number, share)
            for number, share in enumerate(shares[1:], start=1)
        ]
        from concurrent.futures import wait

        try:
            results = [careful(0, shares[0])]
        except threading.BrokenBarrierError:
            results = []  # another worker failed; its error is raised below
        finally:
            wait(others)
        errors = [error for error in (other.exception() for other in others) if error]
        for error in sorted(errors, key=lambda error: isinstance(error, threading.BrokenBarrierError)):
            raise error
        return results + [other.result() for other in others]

    def __getstate__(self) -> dict[str, object]:
        own: dict[str, object] = {
            "_pool": None,
            "_barrier": None,
            "_contexts": [],
            "_vectors": [],
            "_made_for": None,
            "_entered": 0,
        }
        return {name: own.get(name, part) for name, part in vars(self).items()}

    def __enter__(self) -> Threads:
        from concurrent.futures import ThreadPoolExecutor  # slow to import and seldom needed

        if self._entered == 0:
            self._pool = ThreadPoolExecutor(len(self._here), OURS)
            if len(self._here) > 1:
                self.network.parameters.by_workers = self._share
        self._entered += 1
        return self

    def __exit__(self, *_: object) -> None:
        self._entered -= 1
        if self._entered == 0:
            self._pool.shutdown()
            del self._pool
            self.network.parameters.by_workers = None
            self._contexts, self._vectors, self._made_for = [], [], None  # frees their memory, which is large
