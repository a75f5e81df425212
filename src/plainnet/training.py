"""The training loop, the only one: whoever trains a network iterates over the epochs it yields."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from plainnet.data.dataset import DataSet
from plainnet.errors import InputError, TrainingDivergedError
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
    and 1; `seconds` is the time spent training, without the validation.
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
    rng: int | np.random.Generator = 0,
) -> Iterator[Epoch]:
    """Train `network` on `train`, yielding a record after each of the `epochs` passes.

    Every epoch visits every image once, in a new random order, `batch_size` at a time; the last batch may be
    shorter. `learning_rate` is a number or a schedule. With several `workers` each batch is shared among as many
    threads (see `Team`); their number is part of what decides the result, to the last bit. With an
    `augmentation` every image is changed anew each time it is learned from.

    Raises: `InputError` for a batch size or a number of epochs below 1, `TrainingDivergedError` if the loss is
    no longer a finite number.
    """
    if not isinstance(batch_size, int) or batch_size < 1:
        raise InputError(f"batch_size must be at least 1, received {batch_size}; 128 is common")
    if not isinstance(epochs, int) or epochs < 1:
        raise InputError(f"epochs must be at least 1, received {epochs}")
    schedule = learning_rate if callable(learning_rate) else constant(learning_rate)
    shuffle = stream(rng, "shuffle")
    steps_per_epoch = math.ceil(len(train) / batch_size)
    with Team(network, loss, workers, augmentation=augmentation, rng=rng) as team:
        for epoch in range(epochs):
            started = time.perf_counter()
            order = shuffle.permutation(np.arange(len(train), dtype=np.uint32))
            total_loss = right = 0.0
            for batch in range(steps_per_epoch):
                rows = order[batch * batch_size : (batch + 1) * batch_size]
                value, right_in_batch = team.gradient(train, rows)
                if not math.isfinite(value):
                    raise TrainingDivergedError(
                        f"training diverged in epoch {epoch + 1}, batch {batch + 1} of {steps_per_epoch}: the loss is "
                        f"{value}; try a tenth of the learning rate"
                    )
                rate = schedule(epoch * steps_per_epoch + batch, steps_per_epoch, epochs)
                optimizer.step(network.vectors, rate, decayed=network.decayed)
                total_loss += value * len(rows)
                right += right_in_batch
            seconds = time.perf_counter() - started
            train_loss = total_loss / len(train)
            validation_loss, validation_accuracy = team.evaluate(validation) if validation else (None, None)
            yield Epoch(epoch + 1, train_loss, right / len(train), validation_loss, validation_accuracy, rate, seconds)


def fit(network: Network, *arguments: Any, **options: Any) -> list[Epoch]:
    """Train to the end and return the records of all epochs; the arguments are those of `epochs`."""
    return list(epochs(network, *arguments, **options))


def evaluate(network: Network, loss: Loss, data: DataSet, *, workers: int = 1) -> tuple[float, float]:
    """Return the mean loss and the accuracy on `data`, with the weights as they are."""
    with Team(network, loss, workers) as team:
        return team.evaluate(data)
