"""The one training loop of plainnet: iterate over a `Training`, and it trains a network and yields events."""

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
from plainnet.workers.adversarial import checked_distance

if TYPE_CHECKING:
    from plainnet.data.augmentation import Augmentation

Event = Batch | Epoch | Stop


class Training:
    """A training that can be interrupted after any batch and resumed later, with bit-identical weights.

    Iterating yields a `Batch` after each batch, an `Epoch` after each epoch and, if training ends early, a `Stop`.
    In between, `state()` returns everything that decides how training continues; `restore` resumes from it.

    `train` and `validation` are data sets, or pairs (inputs, targets) of arrays or lists. An epoch visits every example
    once, in a new random order, `batch_size` at a time. `order(epoch)`, counting from 1, may return row numbers to
    visit instead. `learning_rate` is a number or a schedule. Several `workers` (threads) share each batch; their number
    affects the result's last bits. `augmentation` changes images differently every time, except in the last
    `clean_epochs`. With `adversarial`, half of the gradient is that of examples moved by this distance. `averaging`, a
    decay such as 0.999, makes an exponential moving average of the weights the final weights. `stop` can end training
    early. `moves` repeats the changes of another run. `metrics` (default: the loss's) maps names to functions.
    Attributes: `history`, the records of complete epochs; `batch`, the batches done in the current epoch.
    Raises: `InputError` if a number is out of range, the network is not built, or data, loss and network do not fit.

    Example:
        >>> from plainnet import SGD, Dense, MeanSquaredError, Network, Training
        >>> options = {"batch_size": 1, "epochs": 1, "learning_rate": 0.1}
        >>> network, data = Network(Dense(1)).build(1), ([[1.0], [2.0]], [3.0, 6.0])
        >>> training = Training(network, MeanSquaredError(), SGD(), data, **options)
        >>> [type(event).__name__ for event in training]
        ['Batch', 'Batch', 'Epoch']
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
        adversarial: float | None = None,
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
            raise InputError(f"the optimizer must be an object such as SGD(momentum=0.9), received {optimizer!r}")
        if stop is not None and stop.needs_validation and (held_out is None or averaging is not None):
            raise InputError(
                "stopping by patience or accuracy needs validation data and cannot be combined with averaging, which "
                "replaces the weights that validation measured; stop by seconds, or change one of the two"
            )
        self.network, self.optimizer, self.train, self.validation = network, optimizer, examples, held_out
        self.batch_size, self.epochs = whole_number(batch_size, "batch_size"), whole_number(epochs, "epochs")
        self.augmentation, self.clean_epochs = augmentation, whole_number(clean_epochs, "clean_epochs", least=0)
        self.average = None if averaging is None else WeightAverage(network, averaging)
        self.stopping, self.order = stop, order
        self.steps_per_epoch = math.ceil(len(examples) / batch_size)
        self.schedule = learning_rate if callable(learning_rate) else constant(learning_rate)
        self.history, self.batch = History(), 0
        self.moves: list[Move] = []  # made so far
        self._to_come = sorted(moves, key=lambda one: one[0])
        self._figures, self._seconds = Figures(), 0.0  # of the current epoch's batches
        if not isinstance(workers, Workers):
            workers = Threads(network, self.loss, workers, metrics=metrics, rng=rng)
        elif workers.network is not network or metrics is not None:
            raise InputError("a Workers object must belong to this network and have its own metrics; leave out metrics")
        self.workers: Workers = workers
        self.workers.adversarial = checked_distance(adversarial)
        if stop is not None:
            stop.check(self.workers.metrics)
        self._shuffle = generator_for(rng, "shuffle")
        self._shuffle_state = self._shuffle.bit_generator.state  # before it drew the order of this epoch
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
        """The number of batches trained on so far, over all epochs."""
        return len(self.history) * self.steps_per_epoch + self.batch

    def move(self, what: str, value: float) -> None:
        """Change "learning_rate", "momentum", "dropout" or "augmentation" from the next batch on; see `moves`.

        Raises: `InputError` if that change is impossible; nothing changes then.
        """
        move(self, what, value)
        self.moves.append(Move(self.steps, what, float(value)))

    def _reason_to_stop(self) -> str | None:
        """Return why training should stop between two epochs, or None."""
        if self.stopping is None:
            return None
        return (self.stopping.after_epoch(self.history) if self.history else None) or self._time_is_up()

    def _time_is_up(self) -> str | None:
        if self.stopping is None or self.stopping.seconds is None:
            return None
        (seconds,) = self.workers.largest(self._seconds + math.fsum(epoch.seconds for epoch in self.history))
        return self.stopping.after_batch(seconds)

    def _rest_of_epoch(self) -> Iterator[Batch]:
        """Train on the rest of this epoch's batches, unless time is up, and record the epoch."""
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
        """Return the row numbers of the training examples in this epoch's order; repeated calls return the same."""
        if self.order is not None:
            return self._given_order(self.order)
        self._shuffle.bit_generator.state = self._shuffle_state
        order = np.arange(len(self.train), dtype=np.uint32)
        self._shuffle.shuffle(order)
        return order

    def _given_order(self, order: Callable[[int], np.ndarray]) -> np.ndarray:
        """Return the row numbers that the user's function gives."""
        rows, count = np.asarray(order(len(self.history) + 1)), len(self.train)
        if rows.shape != (count,) or rows.dtype.kind not in "iu" or rows.min() < 0 or rows.max() >= count:
            raise InputError(f"order must return {count:,} row numbers from 0 to {count - 1:,}, received {rows!r:.100}")
        return rows

    def _step(self, rows: np.ndarray) -> Batch:
        started = time.perf_counter()
        if self.optimizer.attachment is not self._attachment:
            raise InputError("another run has taken over this optimizer; give each run its own optimizer")
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
        """Return what a batch changes before it changes the weights: generators, and state such as running averages."""
        states = [generator.bit_generator.state for generator in self.workers.generators]
        return states, [array.copy() for array in self._learned_state]

    def _undo(self, before: tuple[list[Any], list[np.ndarray]]) -> None:
        """Undo these changes after a batch has failed, so that training can resume with the same batch."""
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
        """Put the best weights back, if that was requested, and return the `Stop` event that says so."""
        best = None
        if self._best is not None and self._best[0] < len(self.history):
            best, tensors = self._best
            self.network.restore(tensors)
        if reason is None and best is None:
            return None
        return Stop(reason or f"all {self.epochs} epochs are done", len(self.history), best)

    def _keep_finite(self, whose: str) -> None:
        """Keep a copy of the current weights, to return to if training diverges."""
        self._finite = {name: tensor.copy() for name, tensor in self.network.tensors().items()}
        self._finite_of = whose

    def _check_weights(self) -> None:
        """Make sure that the last update left finite weights; the loss has already checked all earlier updates."""
        if not self.network.is_finite():
            self._diverged("a weight is no longer a finite number", self.batch)

    def _diverged(self, what: str, batch: int) -> NoReturn:
        """Put back the last weights known to be finite, and raise `TrainingDivergedError`."""
        self.network.restore(self._finite)
        self.optimizer.attach(self.network.parameters)  # its memory may not be finite either
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
        """Return everything that decides how training continues: arrays and JSON-compatible values, all copied.

        Raises: `TrainingDivergedError` if a weight is not finite; `InputError` if no file can hold the optimizer.
        """
        return resuming.state(self)

    def restore(self, arrays: Mapping[str, np.ndarray], values: Mapping[str, Any]) -> None:
        """Resume training from a state that `state` returned.

        Raises: `KeyError`, `TypeError` or `ValueError` if the state belongs to another run; nothing changes then.
        """
        resuming.restore(self, arrays, values)
