"""The training loop, the only one: whoever trains a network iterates over the epochs it yields."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple, NoReturn

import numpy as np

from plainnet.averaging import WeightAverage
from plainnet.config import whole_number
from plainnet.data.dataset import DataSet
from plainnet.errors import InputError, TrainingDivergedError
from plainnet.layers import Ensemble
from plainnet.losses import Loss
from plainnet.network import Network
from plainnet.optimizers import Optimizer
from plainnet.randomness import stream
from plainnet.schedules import Schedule, constant
from plainnet.team import Team

if TYPE_CHECKING:
    from plainnet.data.augmentation import Augmentation


class Epoch(NamedTuple):
    """What one pass over the training images came to.

    The training figures are means over the epoch's batches, taken while the weights still change; the
    validation figures belong to the weights at the epoch's end. Losses are in nats, accuracies between 0
    and 1; `learning_rate` is that of the last batch, `seconds` the time spent training, without the validation.
    """

    number: int
    train_loss: float
    train_accuracy: float
    validation_loss: float | None
    validation_accuracy: float | None
    learning_rate: float
    seconds: float

    def __str__(self) -> str:
        validation = "" if self.validation_accuracy is None else f"  validation {self.validation_accuracy:7.2%}"
        return (
            f"epoch {self.number:3d}  loss {self.train_loss:.4f}  train {self.train_accuracy:7.2%}{validation}"
            f"  learning rate {self.learning_rate:<8.3g}  {self.seconds:.1f} s"
        )


class Training:
    """A training that can be left after any batch and gone on with later, to the same weights to the last bit.

    The arguments are those of `epochs`. Iterating gives None after each batch and an `Epoch` after each epoch;
    between them, `state()` tells all that decides how the training goes on, and `restore` takes it up.

    Attributes: `history`, the records of the epochs that are complete; `batch`, how many batches of the next one are.
    """

    def __init__(
        self,
        network: Network,
        loss: Loss,
        optimizer: Optimizer,
        train: DataSet,
        validation: DataSet | None = None,
        *,
        batch_size: int,
        epochs: int,
        learning_rate: float | Schedule,
        workers: int = 1,
        augmentation: Augmentation | None = None,
        clean_epochs: int = 0,
        averaging: float | None = None,
        rng: int | np.random.Generator = 0,
    ) -> None:
        network.expect_built()
        if any(isinstance(layer, Ensemble) for layer in network.layers):
            raise InputError("an Ensemble is put together from trained networks; train its members one by one")
        self.network, self.optimizer, self.train, self.validation = network, optimizer, train, validation
        self.batch_size, self.epochs = whole_number(batch_size, "batch_size"), whole_number(epochs, "epochs")
        self.augmentation, self.clean_epochs = augmentation, whole_number(clean_epochs, "clean_epochs", least=0)
        self.average = None if averaging is None else WeightAverage(network, averaging)
        self.steps_per_epoch = math.ceil(len(train) / batch_size)
        self.schedule = learning_rate if callable(learning_rate) else constant(learning_rate)
        self.history: list[Epoch] = []
        self.batch = 0
        self._sums = dict.fromkeys(("loss", "right", "seconds"), 0.0)  # of the batches of the epoch under way
        self._team = Team(network, loss, workers, rng=rng)
        self._shuffle = stream(rng, "shuffle")
        self._shuffle_state = self._shuffle.bit_generator.state  # before it gave the order of this epoch
        self._keep_finite("it began with")

    def __iter__(self) -> Iterator[Epoch | None]:
        with self._team:
            while len(self.history) < self.epochs:
                yield from self._epoch()
                self._end_epoch()
                yield self.history[-1]

    def _epoch(self) -> Iterator[None]:
        """Learn from what is left of this epoch's batches; after the last epoch, put averaged weights in place."""
        order = self._order()
        clean = len(self.history) >= self.epochs - self.clean_epochs
        self._team.augmentation = None if clean else self.augmentation
        while self.batch < self.steps_per_epoch:
            started = time.perf_counter()
            self._step(order[self.batch * self.batch_size : (self.batch + 1) * self.batch_size])
            self._sums["seconds"] += time.perf_counter() - started
            yield None
        if self.average is not None and len(self.history) + 1 == self.epochs:
            started = time.perf_counter()
            self.average.put_in_place(self._team, self.train, order, self.batch_size)
            self._sums["seconds"] += time.perf_counter() - started

    def _order(self) -> np.ndarray:
        """Return the rows of the training images in the order of this epoch, the same each time it is asked for."""
        self._shuffle.bit_generator.state = self._shuffle_state
        order = np.arange(len(self.train), dtype=np.uint32)
        self._shuffle.shuffle(order)
        return order

    def _step(self, rows: np.ndarray) -> None:
        value, right = self._team.gradient(self.train, rows)
        if not math.isfinite(value):
            self._diverged(f"the loss is {value}", self.batch + 1)
        self.optimizer.step(self.network.vectors, self._rate(self.batch), decayed=self.network.decayed)
        self.network.constrain()
        if self.average is not None:
            self.average.update(self.network, self.optimizer.steps)
        self._sums["loss"] += value if self._team.summed else value * len(rows)
        self._sums["right"] += right
        self.batch += 1

    def _rate(self, batch: int) -> float:
        """Return the learning rate of a batch of this epoch."""
        return self.schedule(len(self.history) * self.steps_per_epoch + batch, self.steps_per_epoch, self.epochs)

    def _end_epoch(self) -> None:
        self._check_weights()
        self._keep_finite(f"after epoch {len(self.history) + 1}")
        loss, right, seconds = self._sums.values()
        loss, accuracy = loss / len(self.train), right / len(self.train)
        validation_loss, validation_accuracy = self._team.evaluate(self.validation) if self.validation else (None, None)
        number, rate = len(self.history) + 1, self._rate(self.batch - 1)
        self.history.append(Epoch(number, loss, accuracy, validation_loss, validation_accuracy, rate, seconds))
        self._sums = dict.fromkeys(self._sums, 0.0)
        self.batch = 0
        self._shuffle_state = self._shuffle.bit_generator.state

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
        self._put(self._finite)
        epoch = len(self.history)
        raise TrainingDivergedError(
            f"training diverged in epoch {epoch + 1}, batch {batch} of {self.steps_per_epoch}: {what}; try a "
            f"tenth of the learning rate (the weights are again those {self._finite_of})"
        )

    def _put(self, tensors: Mapping[str, np.ndarray]) -> None:
        """Make these the parameters and the layers' state, of the replicas too."""
        for member in self._team.members:
            member.restore(tensors)

    def state(self) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
        """Return all that decides how the training goes on: arrays, borrowed, and plain values that JSON can hold.

        Raises: `TrainingDivergedError` if the weights are not finite.
        """
        self._check_weights()
        vectors = self.network.vectors
        arrays = self.network.tensors() | {"optimizer.0": vectors[0], "optimizer.3": vectors[3]}
        if self.average is not None:
            arrays["average"] = self.average.values
        return arrays, {
            "history": [list(epoch) for epoch in self.history],
            "batch": self.batch,
            "sums": self._sums,
            "optimizer_steps": self.optimizer.steps,
            "shuffle": self._shuffle_state,
            "generators": [generator.bit_generator.state for generator in self._team.generators],
        }

    def restore(self, arrays: Mapping[str, np.ndarray], values: Mapping[str, Any]) -> None:
        """Take up the training where `state` was called.

        Raises: `KeyError`, `TypeError` or `ValueError` if it is the state of another training.
        """
        mine, _ = self.state()
        for name, array in mine.items():
            if arrays[name].shape != array.shape:
                raise ValueError(f"{name} has the shape {arrays[name].shape}, here it has {array.shape}")
        self.history = [Epoch(*epoch) for epoch in values["history"]]
        self.batch, self._sums = int(values["batch"]), dict(values["sums"])
        self._shuffle.bit_generator.state = self._shuffle_state = values["shuffle"]
        for generator, state in zip(self._team.generators, values["generators"], strict=True):
            generator.bit_generator.state = state
        self.optimizer.begin(self.network.vectors, int(values["optimizer_steps"]))
        self.network.vectors[0], self.network.vectors[3] = arrays["optimizer.0"], arrays["optimizer.3"]
        self._put(arrays)
        if self.average is not None:
            self.average.values[:] = arrays["average"]
        self._keep_finite("of the checkpoint")


def epochs(
    network: Network,
    loss: Loss,
    optimizer: Optimizer,
    train: DataSet,
    validation: DataSet | None = None,
    *,
    batch_size: int,
    epochs: int,
    learning_rate: float | Schedule,
    workers: int = 1,
    augmentation: Augmentation | None = None,
    clean_epochs: int = 0,
    averaging: float | None = None,
    rng: int | np.random.Generator = 0,
) -> Iterator[Epoch]:
    """Train `network` on `train`, yielding a record after each of the `epochs` passes.

    Every epoch visits every image once, in a new random order, `batch_size` at a time; the last batch may be
    shorter. `learning_rate` is a number or a schedule. With several `workers` each batch is shared among as many
    threads (see `Team`); their number is part of what decides the result, to the last bit. With an
    `augmentation` every image is changed anew each time it is learned from, but for the last `clean_epochs`. With
    `averaging`, a decay such as 0.999, the network has at the end the moving average of its weights (`WeightAverage`).

    Raises: `InputError` for a batch size or a number of epochs or workers below 1, a decay outside [0, 1), a network
    that is not built or is an ensemble; `TrainingDivergedError` if the loss or a weight is no longer a finite number:
    the weights are then again those of the last complete epoch.
    """
    training = Training(
        network, loss, optimizer, train, validation, batch_size=batch_size, epochs=epochs, learning_rate=learning_rate,
        workers=workers, augmentation=augmentation, clean_epochs=clean_epochs, averaging=averaging, rng=rng,
    )  # fmt: skip
    return (epoch for epoch in training if epoch is not None)


def fit(network: Network, *arguments: Any, **options: Any) -> list[Epoch]:
    """Train to the end and return the records of all epochs; the arguments are those of `epochs`."""
    return list(epochs(network, *arguments, **options))


def evaluate(network: Network, loss: Loss, data: DataSet, *, workers: int = 1) -> tuple[float, float]:
    """Return the mean loss and the accuracy on `data`, with the weights as they are."""
    with Team(network, loss, workers) as team:
        return team.evaluate(data)
