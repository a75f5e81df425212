"""A run: one training of a recipe, from the first weights to the figures, with the test set read once."""

from __future__ import annotations

import copy
import json
import zlib
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import numpy as np

from plainnet.config import whole_number
from plainnet.data.dataset import DataSet
from plainnet.data.splits import Splits
from plainnet.errors import InputError
from plainnet.evaluation import Evaluation
from plainnet.events import Batch, Epoch
from plainnet.layers import Conv2D
from plainnet.model_file import Model
from plainnet.recipes import Recipe
from plainnet.runs.environment import threads as threads_of_blas
from plainnet.runs.environment import versions
from plainnet.runs.threads import MatrixThreads, ThreadChoice
from plainnet.shifted_views import probabilities
from plainnet.stopping import Stop
from plainnet.training import Event, Training
from plainnet.workers import Threads, quickest

_SEEN_AGAIN = 10_000  # training images whose accuracy is taken after the training: more would tell no more
_SMALL = 3_000_000  # parameters times batch: below, a product is done before a second thread has begun


class Run:
    """One training of a recipe: iterate over `events()` or `epochs()` to the end, then ask for the `metrics()`.

    `seed` decides the first weights and the order of the images; `limit` is the number of images to train on, all
    if None; `threads`, those for matrix products, over all workers, chosen by timing if None; `loss` takes the place of
    the recipe's. A recipe that does not validate trains on the validation images
    as well.

    Raises: `InputError` if the recipe does not fit the data, or there are not as many images as `limit`.
    """

    def __init__(
        self,
        recipe: Recipe,
        data: Splits,
        *,
        seed: int = 0,
        limit: int | None = None,
        threads: int | None = None,
        loss: Any = None,
    ) -> None:
        self.recipe = recipe
        self.data = data
        self.train = data.train if recipe.validate else data.train_and_validation
        self.validation = data.validation if recipe.validate else None
        if limit is not None and not 1 <= limit <= len(self.train):
            raise InputError(
                f"--limit must be between 1 and {len(self.train):,}, the training images, received {limit:,}"
            )
        if limit is not None:
            self.train = self.train.sample(limit)
        self.seed, self.limit = whole_number(seed, "seed", least=0, most=10**12), limit
        self.network = recipe.network(rng=seed)
        self.test: Evaluation | None = None
        self.stop: Stop | None = None
        self._metrics: dict[str, Any] = {}
        if self.network.out_shapes[-1] != (len(self.train.class_names),):
            raise InputError(
                f"recipe {recipe.name} ends in {self.network.out_shapes[-1]} outputs, the data has "
                f"{len(self.train.class_names)} classes; set the units of the last Dense layer, "
                "or name the classes in class_names.txt beside the images"
            )
        self.optimizer = recipe.make_optimizer()
        self.loss = loss or recipe.loss_function()
        self.threads = MatrixThreads(threads, recipe.workers)
        self.training = Training(
            self.network,
            self.loss,
            self.optimizer,
            self.train,
            self.validation,
            batch_size=recipe.batch_size,
            epochs=recipe.epochs,
            learning_rate=recipe.learning_rate(),
            workers=quickest(self.network, self.loss, recipe.workers, rng=seed),
            augmentation=recipe.make_augmentation(),
            clean_epochs=recipe.clean_epochs,
            averaging=recipe.averaging,
            stop=recipe.stopping(),
            rng=seed,
        )

    @property
    def history(self) -> list[Epoch]:
        """The records of the epochs so far."""
        return self.training.history

    def settings(self) -> dict[str, Any]:
        """Return what decides the training, as plain values."""
        table = {
            "recipe": self.recipe.to_table(),
            "seed": self.seed,
            "limit": self.limit,
            "data": fingerprint(self.train),
        }
        settings: dict[str, Any] = json.loads(json.dumps(table))
        return settings

    def events(self) -> Iterator[Event | ThreadChoice]:
        """Train, yielding what happens: batches, epochs, a stop, and how many threads were chosen."""
        with self.threads.in_force():
            training = self.training
            choice = self.threads.begin(self.throw_away_step(), len(training.history), training.batch)
            if choice is not None:
                yield choice
            for event in training:
                choice = None
                if isinstance(event, Stop):
                    self.stop = event
                if isinstance(event, Epoch) and event.number < training.epochs:
                    choice = self.threads.after(event, training.steps_per_epoch, self.throw_away_step())
                yield event
                if choice is not None:
                    training.workers.forget()  # processes keep to the threads that they were forked with
                    yield choice

    def epochs(self) -> Iterator[Epoch]:
        """Train, yielding the record of each epoch, and saving nothing."""
        return (event for event in self.events() if isinstance(event, Epoch))

    def throw_away_step(self) -> Callable[[], object] | None:
        """Return what does the work of a batch on a copy of the network; None if its products are small."""
        work = self.network.theta.size * self.recipe.batch_size
        if work < _SMALL and not any(isinstance(layer, Conv2D) for _, layer in self.network.walk()):
            return None
        rows = np.arange(min(len(self.train), 4 * self.recipe.batch_size))

        def batches() -> Iterator[object]:
            network = copy.deepcopy(self.network)
            copied = Training(
                network,
                self.loss,
                self.recipe.make_optimizer(),
                self.train[rows],
                batch_size=self.recipe.batch_size,
                epochs=10**6,
                learning_rate=1e-9,
                workers=quickest(network, self.loss, self.recipe.workers),
                augmentation=self.recipe.make_augmentation(),
            )
            return (event for event in copied if isinstance(event, Batch))

        started: list[Iterator[object]] = []

        def step() -> object:
            if not started:
                started.append(batches())
            return next(started[0])

        return step

    def metrics(self) -> dict[str, Any]:
        """Return the figures of the trained network; the first call reads the test set, none does so again."""
        if not self._metrics:
            workers = self.recipe.workers
            with self.threads.in_force(), Threads(self.network, self.recipe.loss_function(), workers) as threads:
                images = self.data.test.images
                self.test = Evaluation(self.data.test, probabilities(threads.outputs, images, self.recipe.test_shifts))
                seen_again = self.train.sample(min(len(self.train), _SEEN_AGAIN))
                train_accuracy = threads.evaluate(seen_again).means()[1]["accuracy"]
                self._threads_of_blas = threads_of_blas()
            self._metrics = self._table(self.test, train_accuracy)
        return self._metrics

    def _table(self, test: Evaluation, train_accuracy: float) -> dict[str, Any]:
        kept = self.stop.best if self.stop is not None and self.stop.best is not None else len(self.history)
        validation_accuracy = self.history[kept - 1].validation_accuracy
        return {
            "recipe": self.recipe.name,
            "seed": self.seed,
            "parameters": self.network.theta.size,
            "epochs": len(self.history),
            "stopped": None if self.stop is None else str(self.stop),
            "seconds": round(sum(epoch.seconds for epoch in self.history), 3),
            "train_images": len(self.train),
            "limit": self.limit,
            "data": fingerprint(self.train),
            "train_accuracy": train_accuracy,
            "train_accuracy_images": min(len(self.train), _SEEN_AGAIN),
            "validation_accuracy": validation_accuracy,
            "train_validation_gap": None if validation_accuracy is None else train_accuracy - validation_accuracy,
            "test_set_opened": datetime.now(UTC).isoformat(timespec="seconds"),
            **test.to_table(),
            "versions": versions(),
            "threads": self._threads_of_blas,
            "thread_choices": self.threads.choices,
            "methods": self.network.methods(),
            "settings": self.recipe.to_table(),
        }

    def history_table(self) -> list[dict[str, Any]]:
        """Return the history as plain values, one object an epoch."""
        return [epoch.to_table() for epoch in self.history]

    def model(self) -> Model:
        """Return the network with what its file should say about it."""
        figures = {key: value for key, value in self.metrics().items() if key != "settings"}
        about = {"recipe": self.recipe.to_table(), "metrics": figures}
        return Model(self.network, self.train.class_names, about, test_shifts=self.recipe.test_shifts)


def fingerprint(data: DataSet) -> dict[str, Any]:
    """Return what images and labels are like, and a checksum to know them again."""
    images, labels = data.images, data.labels
    return {
        "pixels": "bytes" if images.dtype == np.uint8 else "numbers",
        "largest": float(images.max()),
        "class_counts": np.bincount(labels, minlength=len(data.class_names)).tolist(),
        "crc32": zlib.crc32(labels.tobytes(), zlib.crc32(np.ascontiguousarray(images).data)),
    }
