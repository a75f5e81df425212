"""A team: replicas of one network that share each batch, every one in a thread of its own.

NumPy computes elementwise on one core, but lets other threads run meanwhile. So a batch is done sooner in two halves,
if each half has a network with memory of its own. The replicas share their parameters; the gradient of the batch is
the sum of theirs, taken in the same order every time. Matrix products should then use one thread each.
"""

from __future__ import annotations

import contextvars
import math
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from plainnet.config import whole_number
from plainnet.data.dataset import DataSet
from plainnet.losses import Loss
from plainnet.metrics import accuracy
from plainnet.network import Network
from plainnet.randomness import stream

if TYPE_CHECKING:
    from plainnet.data.augmentation import Augmentation

Task = Callable[[int, np.ndarray], Any]  # what a member, by its number, does with its rows of the data


class Team:
    """A network and `workers` - 1 replicas of it; with one worker, the network alone and no threads.

    To be used in a `with` statement. What each member draws at random, to change the images it learns from by the
    `augmentation`, if there is one, or to drop units, it draws from a generator of its own, one of `generators`, made
    from `rng`.

    Raises: `InputError` if `workers` is not a whole number of at least 1.
    Source: Dean et al. 2012, "Large scale distributed deep networks" (between machines, and not in step).
    """

    def __init__(
        self,
        network: Network,
        loss: Loss,
        workers: int = 1,
        *,
        rng: int | np.random.Generator = 0,
    ) -> None:
        self.loss = loss
        self.summed = getattr(loss, "reduction", "mean") == "sum"  # over the examples, where others give the mean
        self.augmentation: Augmentation | None = None
        self.members = [network, *(network.replica() for _ in range(whole_number(workers, "workers") - 1))]
        self.generators = stream(rng, "augment").spawn(workers)
        self._slots: list[np.ndarray] = []

    def gradient(self, data: DataSet, rows: np.ndarray) -> tuple[float, int]:
        """Write the gradient of the loss on these rows of the data into the network's `grad`.

        Returns the loss, and how many examples were classified rightly.
        """

        def task(number: int, rows_of_member: np.ndarray) -> tuple[float, int]:
            member, labels = self.members[number], data.labels[rows_of_member]
            images = data.images.take(rows_of_member, axis=0, mode="clip")
            if self.augmentation is not None:
                images = self.augmentation(images, self.generators[number])
            logits = member.forward(member.as_input(images, training=True), training=True)
            value, dlogits = self.loss(logits, labels, len(rows))
            correct = int(np.count_nonzero(logits.argmax(axis=1) == labels))
            member.backward(dlogits)
            return value, correct

        with self._learning():
            parts = self._together(task, rows)
        for member in self.members[1 : len(parts)]:
            self.members[0].grad += member.grad
        for member in self.members[len(parts) :]:  # there were too few rows for it; what the others saw, it takes over
            member.restore(self.members[0].tensors())
        return math.fsum(value for value, _ in parts), sum(correct for _, correct in parts)

    def logits(self, images: np.ndarray) -> np.ndarray:
        """Return the outputs (N, K) for any number of images, with the weights as they are."""

        def task(number: int, rows: np.ndarray) -> np.ndarray:
            return self.members[number].logits(images[rows[0] : rows[-1] + 1])

        return np.concatenate(self._together(task, np.arange(len(images))))

    def evaluate(self, data: DataSet) -> tuple[float, float]:
        """Return the mean loss and the accuracy on `data`, with the weights as they are."""
        logits = self.logits(data.images)
        loss = self.loss(logits, data.labels)[0] / (len(data) if self.summed else 1)
        return loss, accuracy(logits.argmax(axis=1), data.labels)

    def _together(self, task: Task, rows: np.ndarray) -> list[Any]:
        """Return what `task` gives for each member and its share of the rows; all work at the same time."""
        shares = np.array_split(rows, min(len(self.members), len(rows)))
        self._slots = [rows] * len(shares)
        self._barrier = threading.Barrier(len(shares))
        if len(shares) == 1:
            return [task(0, rows)]

        def careful(number: int, share: np.ndarray) -> Any:
            try:
                return task(number, share)
            except BaseException:
                self._barrier.abort()  # whoever waits for this member would wait forever
                raise

        others = [
            self._threads.submit(contextvars.copy_context().run, careful, number, share)
            for number, share in enumerate(shares[1:], start=1)
        ]
        from concurrent.futures import wait

        try:
            results = [careful(0, shares[0])]
        except threading.BrokenBarrierError:
            results = []  # because another member failed, whose error is raised below
        finally:
            wait(others)
        errors = [error for error in (other.exception() for other in others) if error]
        for error in sorted(errors, key=lambda error: isinstance(error, threading.BrokenBarrierError)):
            raise error
        return results + [other.result() for other in others]

    def _sum(self, place: int, sums: np.ndarray) -> np.ndarray:
        """Return the sum of what all members bring here, and let none go on before all have it."""
        self._slots[place] = sums
        self._barrier.wait()
        total: np.ndarray = sum(self._slots[1:], self._slots[0])
        self._barrier.wait()
        return total

    @contextmanager
    def _learning(self) -> Iterator[None]:
        """Give the layers what they need to learn from a batch together; between batches they are as they were."""
        before = [(layer, layer.rng) for member in self.members for layer in member.layers]
        for place, (member, generator) in enumerate(zip(self.members, self.generators, strict=True)):
            for layer in member.layers:
                layer.rng = generator
                if len(self.members) > 1:
                    layer.across = partial(self._sum, place)  # type: ignore[method-assign]
        try:
            yield
        finally:
            for layer, rng in before:
                layer.rng = rng
                vars(layer).pop("across", None)

    def __enter__(self) -> Team:
        from concurrent.futures import ThreadPoolExecutor  # takes a while to import, and is seldom needed

        self._threads = ThreadPoolExecutor(len(self.members))
        return self

    def __exit__(self, *_: object) -> None:
        self._threads.shutdown()
