"""The training loop, the only one: who trains a network iterates over the events it yields."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, NoReturn

import numpy as np

from plainnet import resuming
from plainnet.compatibility import expect_agreement
from plainnet.config import whole_number
from plainnet.data.dataset import Arrays, DataSet, as_data_sets
from plainnet.errors import InputError, TrainingDivergedError
from plainnet.events import Batch, Epoch
from plainnet.generators import generator_for
from plainnet.history import History
from plainnet.losses import Loss, as_loss
from plainnet.metrics import Metric
from plainnet.moves import Move, move
from plainnet.network import Network
from plainnet.optimizers import Optimizer
from plainnet.schedules import Schedule, constant
from plainnet.standardizing import learn_scales
from plainnet.stopping import Stop, Stopping
from plainnet.weight_average import WeightAverage
from plainnet.workers import Figures, Threads, Workers

if TYPE_CHECKING:
    from plainnet.data.augmentation import Augmentation

Event = Batch | Epoch | Stop


class Training:
    """A training that can be left after any batch and gone on with later, to the same weights to the last bit.

    `train` and `validation` are data sets, or pairs (inputs, targets) of anything that makes arrays.

    Iterating gives a `Batch` after each batch, an `Epoch` after each epoch and, if it ends early, a `Stop`; between
    them, `state()` tells all that decides how the training goes on, and `restore` takes it up.

    Every epoch visits every example once, in a new random order, `batch_size` at a time; the last batch may be shorter.
    With an `order`, a function of the epoch's number from 1, it visits the rows that this gives, as many as there are.
    `learning_rate` is a number or a schedule. The optimizer begins without memory of an earlier training. With several
    `workers` each batch is shared among as many threads (see `workers`); their number is part of what decides the
    result, to the last bit. With an `augmentation` every image is changed anew each time it is learned from, but for
    the last `clean_epochs`. With `averaging`, a decay such as 0.999, the network has at the end the moving average of
    its weights (`WeightAverage`). `stop` may end the training early (`Stopping`). `moves` of another training are done
    again, each before its step. `metrics` are functions by name, the
    loss's own if left out.

    Attributes: `history`, the records of the epochs that are complete; `batch`, how many batches of the next one are.
    Raises: `InputError` for a batch size or a number of epochs or workers below 1, a decay outside [0, 1), a network
    that is not built, or data that do not fit the loss, the network or each other.
    """

    def __init__(
        self,
        network: Network,
        loss: Loss,
        optimizer: Optimizer,
        train: DataSet | Arrays,
        validation: DataSet | Arrays | None = None,
        *,
        batch_size: int,
        epochs: int,
        learning_rate: float | Schedule,
        workers: int | Workers = 1,
        augmentation: Augmentation | None = None,
        clean_epochs: int = 0,
        averaging: float | None = None,
        stop: Stopping | None = None,
        metrics: Mapping[str, Metric] | None = None,
        order: Callable[[int], np.ndarray] | None = None,
        moves: Iterable[Move] = (),
        rng: int | np.random.Generator = 0,
    ) -> None:
        self.loss = as_loss(loss)
        examples, held_out = as_data_sets(train, validation)
        expect_agreement(network, self.loss, examples, held_out)
        learn_scales(network, examples)
        if not isinstance(optimizer, Optimizer):
            raise InputError(f"the optimizer must be one such as SGD(momentum=0.9), received {optimizer!r}")
        if stop is not None and stop.needs_validation and (held_out is None or averaging is not None):
            raise InputError(
                "stopping by patience or accuracy needs validation data, and no averaging, which gives the network "
                "other weights at the end than those that were judged; stop by seconds, or change one of the two"
            )
        self.network, self.optimizer, self.train, self.validation = network, optimizer, examples, held_out
        self.batch_size, self.epochs = whole_number(batch_size, "batch_size"), whole_number(epochs, "epochs")
        self.augmentation, self.clean_epochs = augmentation, whole_number(clean_epochs, "clean_epochs", least=0)
        self.average = None if averaging is None else WeightAverage(network, averaging)
        self.stopping, self.order = stop, order
        self.steps_per_epoch = math.ceil(len(examples) / batch_size)
        self.schedule = learning_rate if callable(learning_rate) else constant(learning_rate)
        self.history = History()
        self.batch = 0
        self.moves: list[Move] = []  # that have been made
        self._to_come = sorted(moves, key=lambda one: one[0])
        self._figures, self._seconds = Figures(), 0.0  # of the batches of the epoch under way
        self.workers: Workers
        if not isinstance(workers, Workers):
            self.workers = Threads(network, self.loss, workers, metrics=metrics, rng=rng)
        elif workers.network is not network or metrics is not None:
            raise InputError("workers that are given must be those of this network, and bring their metrics with them")
        else:
            self.workers = workers
        if stop is not None:
            stop.check(self.workers.metrics)
        self._shuffle = generator_for(rng, "shuffle")
        self._shuffle_state = self._shuffle.bit_generator.state  # before it gave the order of this epoch
        optimizer.attach(network.parameters)
        self._attachment = optimizer.attachment
        self._learned_state: list[np.ndarray] = []  # such as running averages
        self._best: tuple[int, dict[str, np.ndarray]] | None = None  # an epoch, and the weights after it
        self._keep_finite("it began with")

    def __iter__(self) -> Iterator[Event]:
        with self.workers:
            reason = None if self.batch else self._reason_to_stop()
            while reason is None and len(self.history) < self.epochs:
                yield from self._rest_of_epoch()
                yield self.history[-1]
                reason = self._reason_to_stop()
        if (stop := self._finish(reason)) is not None:
            yield stop

    @property
    def steps(self) -> int:
        """How many batches have been learned from, in all epochs."""
        return len(self.history) * self.steps_per_epoch + self.batch

    def move(self, what: str, value: float) -> None:
        """Change "learning_rate", "momentum", "dropout" or "augmentation" from the next batch on; see `moves`.

        Raises: `InputError` if it cannot be changed so; nothing has changed then.
        """
        move(self, what, value)
        self.moves.append(Move(self.steps, what, float(value)))

    def _reason_to_stop(self) -> str | None:
        """Return why the training should go no further, between two epochs, if there is a reason."""
        if self.stopping is None:
            return None
        return (self.stopping.after_epoch(self.history) if self.history else None) or self._time_is_up()

    def _time_is_up(self) -> str | None:
        if self.stopping is None or self.stopping.seconds is None:
            return None
        (seconds,) = self.workers.largest(self._seconds + math.fsum(epoch.seconds for epoch in self.history))
        return self.stopping.after_batch(seconds)

    def _rest_of_epoch(self) -> Iterator[Batch]:
        """Learn from what is left of this epoch's batches, unless time is up, and put the epoch on record."""
        order = self._order()
        self._learned_state = [array for _, layer in self.network.walk() for array in layer.state.values()]
        clean = len(self.history) >= self.epochs - self.clean_epochs
        self.workers.augmentation = None if clean else self.augmentation
        cut_short = self.batch > 0 and self._time_is_up() is not None
        while self.batch < self.steps_per_epoch and not cut_short:
            yield self._step(order[self.batch * self.batch_size : (self.batch + 1) * self.batch_size])
            cut_short = self._time_is_up() is not None
        if self.average is not None and (cut_short or len(self.history) + 1 == self.epochs):
            started = time.perf_counter()
            before = self._before_batch()
            try:
                self.average.put_in_place(self.workers, self.train, order, self.batch_size)
            except BaseException:
                self._undo(before)
                raise
            self._seconds += time.perf_counter() - started
        self._end_epoch()

    def _order(self) -> np.ndarray:
        """Return the rows of the training examples in the order of this epoch, the same each time it is asked for."""
        if self.order is not None:
            return self._given_order(self.order)
        self._shuffle.bit_generator.state = self._shuffle_state
        order = np.arange(len(self.train), dtype=np.uint32)
        self._shuffle.shuffle(order)
        return order

    def _given_order(self, order: Callable[[int], np.ndarray]) -> np.ndarray:
        """Return the rows that the user's function gives."""
        rows, count = np.asarray(order(len(self.history) + 1)), len(self.train)
        if rows.shape != (count,) or rows.dtype.kind not in "iu" or rows.min() < 0 or rows.max() >= count:
            raise InputError(f"order must return {count:,} row numbers from 0 to {count - 1:,}, received {rows!r:.100}")
        return rows

    def _step(self, rows: np.ndarray) -> Batch:
        started = time.perf_counter()
        if self.optimizer.attachment is not self._attachment:
            raise InputError("another training has taken this optimizer; give each training an optimizer of its own")
        while self._to_come and self._to_come[0].step <= self.steps:
            self.move(*self._to_come.pop(0)[1:])
        before = self._before_batch()
        try:
            figures = self.workers.gradient(self.train, rows)
        except BaseException:
            self._undo(before)
            raise
        if not math.isfinite(figures.loss):
            self._diverged(f"the loss is {figures.loss}", self.batch + 1)
        rate = self._rate(self.batch)
        self.optimizer.step(rate)
        self.network.constrain()
        if self.average is not None:
            self.average.update(self.network, self.optimizer.steps)
        self._figures.add(figures)
        self.batch += 1
        seconds = time.perf_counter() - started
        self._seconds += seconds
        number = len(self.history) + 1
        return Batch(number, self.batch, self.steps_per_epoch, figures.mean_loss(), rate, seconds)

    def _before_batch(self) -> tuple[list[Any], list[np.ndarray]]:
        """Return what a batch changes before the weights: generators, and learned state such as running averages."""
        states = [generator.bit_generator.state for generator in self.workers.generators]
        return states, [array.copy() for array in self._learned_state]

    def _undo(self, before: tuple[list[Any], list[np.ndarray]]) -> None:
        """Put that back after a batch that has failed, so that the training can go on with the same batch."""
        for generator, state in zip(self.workers.generators, before[0], strict=True):
            generator.bit_generator.state = state
        for array, was in zip(self._learned_state, before[1], strict=True):
            array[...] = was
        self.workers.forget()

    def _rate(self, batch: int) -> float:
        """Return the learning rate of a batch of this epoch."""
        return self.schedule(len(self.history) * self.steps_per_epoch + batch, self.steps_per_epoch, self.epochs)

    def _end_epoch(self) -> None:
        self._check_weights()
        self._keep_finite(f"after epoch {len(self.history) + 1}")
        loss, metrics = self._figures.means()
        validation_loss, validation = (
            (None, None) if self.validation is None else self.workers.evaluate(self.validation).means()
        )
        number, rate = len(self.history) + 1, self._rate(self.batch - 1)
        self.history.append(Epoch(number, loss, metrics, validation_loss, validation, rate, self._seconds))
        if self.stopping is not None and self.stopping.best(self.history) == number:
            self._best = number, self._finite
        self._figures, self._seconds = Figures(), 0.0
        self.batch = 0
        self._shuffle_state = self._shuffle.bit_generator.state

    def _finish(self, reason: str | None) -> Stop | None:
        """Put the best weights back, if that is wanted, and return the event that says so."""
        best = None
        if self._best is not None and self._best[0] < len(self.history):
            best, tensors = self._best
            self.network.restore(tensors)
        if reason is None and best is None:
            return None
        return Stop(reason or f"all {self.epochs} epochs are done", len(self.history), best)

    def _keep_finite(self, whose: str) -> None:
        """Keep the weights as they are now, to return to if the training diverges."""
        self._finite = {name: tensor.copy() for name, tensor in self.network.tensors().items()}
        self._finite_of = whose

    def _check_weights(self) -> None:
        """Make sure that the last update left finite weights; those of all updates before it, the loss has seen."""
        if not self.network.is_finite():
            self._diverged("a weight is no longer a finite number", self.batch)

    def _diverged(self, what: str, batch: int) -> NoReturn:
        """Put the weights back to the last ones that are known to be finite, and say so."""
        self.network.restore(self._finite)
        self.optimizer.attach(self.network.parameters)  # its memory may be as broken as the weights were
        self._attachment = self.optimizer.attachment
        epoch = len(self.history)
        raise TrainingDivergedError(
            f"training diverged in epoch {epoch + 1}, batch {batch} of {self.steps_per_epoch}: {what}; try a "
            f"tenth of the learning rate (the weights are again those {self._finite_of})"
        )

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(state)
        self._attachment = self.optimizer.attachment  # of the copy

    def state(self) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
        """Return all that decides how the training goes on: arrays and plain values that JSON can hold, all copied.

        Raises: `TrainingDivergedError` if the weights are not finite; `InputError` if the optimizer's memory is of a
        kind that no file can hold.
        """
        return resuming.state(self)

    def restore(self, arrays: Mapping[str, np.ndarray], values: Mapping[str, Any]) -> None:
        """Take up the training where `state` was called.

        Raises: `KeyError`, `TypeError` or `ValueError` if it is the state of another training; this one is then as it
        was.
        """
        resuming.restore(self, arrays, values)
