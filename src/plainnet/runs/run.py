"""A run: training a recipe once, from the initial weights to the figures; it uses the test set once, at the end."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import numpy as np

from plainnet import calibration
from plainnet.calibration import Calibration
from plainnet.config import whole_number
from plainnet.data.dataset import DataSet
from plainnet.data.fingerprint import fingerprint
from plainnet.data.splits import Splits
from plainnet.errors import InputError
from plainnet.evaluation import DIGITS, AnyEvaluation, evaluation_of, examples
from plainnet.events import Batch, Epoch
from plainnet.familiarity import Familiarity
from plainnet.layers import Conv2D
from plainnet.model import PIXELS, Model
from plainnet.recipes import Recipe
from plainnet.runs.environment import threads as threads_of_blas
from plainnet.runs.environment import versions
from plainnet.runs.threads import MatrixThreads, ThreadChoice
from plainnet.shifted_views import probabilities
from plainnet.sources.pen.likeness import confidence
from plainnet.stopping import Stop
from plainnet.training import Event, Training
from plainnet.workers import Threads, Workers, quickest

_SEEN_AGAIN = 10_000  # training images to measure the accuracy on after training; more would not change it
_CALIBRATED_BY, _LOOKED_AT_TWICE = 5000, 1500  # validation images for calibration, without and with shifted views
_SMALL = 3_000_000  # parameters times batch size; below, a product is done before a second thread has started


class Run:
    """One training run of a recipe: iterate over `events()` or `epochs()` to the end, then call `metrics()`.

    `seed` decides the initial weights and the order of the images. `limit` is the number of images to train on (None:
    all). `threads` is the number of threads for matrix products, over all workers (None: chosen by timing). `loss`
    replaces the recipe's loss. `team` makes the workers. A recipe that does not validate also trains on the validation
    images.

    Raises: `InputError` if the recipe does not fit the data, or there are fewer images than `limit`.
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
        team: Callable[..., Workers] = quickest,
    ) -> None:
        self.recipe = recipe = recipe.fitted(data.examples)
        self.data = data
        self.train = data.train if recipe.validate else data.train_and_validation
        self.validation = data.validation if recipe.validate else None
        if limit is not None and not 1 <= limit <= len(self.train):
            raise InputError(
                f"--limit must be between 1 and {len(self.train):,}, the training {examples(self.train)}, received "
                f"{limit:,}"
            )
        if limit is not None:
            self.train = self.train.sample(limit)
        self.seed, self.limit = whole_number(seed, "seed", least=0, most=10**12), limit
        self.network = recipe.network(rng=seed)
        self.test: AnyEvaluation | None = None
        self.stop: Stop | None = None
        self.calibration = Calibration()
        self.reads_a_pen = is_written(self.train)
        self._metrics: dict[str, Any] = {}
        self.optimizer = recipe.make_optimizer()
        self.loss = loss or recipe.loss_function()
        self.threads = MatrixThreads(threads, recipe.workers)
        self.training = Training(
            self.network,
            self.loss,
            self.optimizer,
            self.train,
            self.validation,
            workers=team(self.network, self.loss, recipe.workers, rng=seed),
            rng=seed,
            **recipe.training_options(),
        )

    @property
    def history(self) -> list[Epoch]:
        """The records of the epochs so far."""
        return self.training.history

    def settings(self) -> dict[str, Any]:
        """Return everything that decides the training, as plain values."""
        table = {
            "recipe": self.recipe.to_table(),
            "seed": self.seed,
            "limit": self.limit,
            "data": fingerprint(self.train),
        }
        settings: dict[str, Any] = json.loads(json.dumps(table))
        return settings

    def events(self) -> Iterator[Event | ThreadChoice]:
        """Train, yielding events: batches, epochs, a stop, and choices of the number of threads."""
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
                    training.workers.forget()  # forked processes would keep their number of threads
                    yield choice

    def epochs(self) -> Iterator[Epoch]:
        """Train, yielding the record of each epoch, without saving anything."""
        return (event for event in self.events() if isinstance(event, Epoch))

    def throw_away_step(self) -> Callable[[], object] | None:
        """Return a function that trains a copy of the network on a batch, for timing; None if that is little work."""
        work = self.network.theta.size * self.recipe.batch_size
        if work < _SMALL and not any(isinstance(layer, Conv2D) for _, layer in self.network.walk()):
            return None
        rows = np.arange(min(len(self.train), 4 * self.recipe.batch_size))
        endless = {"epochs": 10**6, "learning_rate": 1e-9, "clean_epochs": 0, "averaging": None, "stop": None}

        def batches() -> Iterator[object]:
            network = copy.deepcopy(self.network)
            copied = Training(
                network,
                self.loss,
                self.recipe.make_optimizer(),
                self.train[rows],
                workers=quickest(network, self.loss, self.recipe.workers),
                **self.recipe.training_options() | endless,
            )
            return (event for event in copied if isinstance(event, Batch))

        started: list[Iterator[object]] = []

        def step() -> object:
            if not started:
                started.append(batches())
            return next(started[0])

        return step

    def metrics(self) -> dict[str, Any]:
        """Return the figures of the trained network; only the first call uses the test set."""
        if not self._metrics:
            workers = self.recipe.workers
            with self.threads.in_force(), Threads(self.network, self.recipe.loss_function(), workers) as threads:
                self.calibrate(threads.outputs)
                known = self.calibration
                self.test = evaluation_of(
                    threads.outputs, self.data.test, shifts=self.recipe.test_shifts,
                    temperature=known.temperature, certain=known.certain,
                )  # fmt: skip
                seen_again = self.train.sample(min(len(self.train), _SEEN_AGAIN))
                trained = threads.evaluate(seen_again).means()[1]
                self._threads_of_blas = threads_of_blas()
            self._metrics = self._table(self.test, trained)
        return self._metrics

    def calibrate_as(self, given: Calibration | None) -> None:
        """Use the calibration of runs with other seeds that validated, if this run does not validate."""
        if given is not None and self.validation is None:
            self.calibration = given

    def calibrate(self, outputs: Callable[[np.ndarray], np.ndarray]) -> None:
        """Learn from the validation examples how far the answers can be trusted."""
        held_out = self.validation
        if held_out is None or held_out.kind != "classes" or not calibration.enough(len(held_out)):
            return
        some = held_out.sample(min(len(held_out), _CALIBRATED_BY))
        temperature = calibration.temperature(outputs(some.inputs), some.targets)
        shifts = max(self.recipe.test_shifts, int(self.reads_a_pen))  # as `answers` does for pictures
        some = held_out.sample(min(len(held_out), _LOOKED_AT_TWICE)) if shifts else held_out
        shares = probabilities(outputs, some.inputs, shifts, temperature)
        digits = self.reads_a_pen and some.class_names == DIGITS
        confidences = confidence(shares, some.inputs) if digits else shares.max(axis=1)
        whole = probabilities(outputs, held_out.inputs, self.recipe.test_shifts, temperature)
        self.calibration = Calibration.found(temperature, confidences, whole, held_out.targets)

    def _table(self, test: AnyEvaluation, trained: dict[str, float]) -> dict[str, Any]:
        kept = self.stop.best if self.stop is not None and self.stop.best is not None else len(self.history)
        validated = self.history[kept - 1].validation or dict.fromkeys(trained)
        what = examples(self.train)
        figures: dict[str, Any] = {f"train_{name}": value for name, value in trained.items()}
        figures[f"train_accuracy_{what}"] = min(len(self.train), _SEEN_AGAIN)
        figures |= {f"validation_{name}": value for name, value in validated.items()}
        if "accuracy" in trained:
            before = validated["accuracy"]
            figures["train_validation_gap"] = None if before is None else trained["accuracy"] - before
        return {
            "recipe": self.recipe.name,
            "seed": self.seed,
            "parameters": self.network.theta.size,
            "epochs": len(self.history),
            "stopped": None if self.stop is None else str(self.stop),
            "seconds": round(sum(epoch.seconds for epoch in self.history), 3),
            f"train_{what}": len(self.train),
            "limit": self.limit,
            "data": fingerprint(self.train),
            **figures,
            "test_set_opened": datetime.now(UTC).isoformat(timespec="seconds"),
            **test.to_table(),
            **self.calibration.to_table(),
            "versions": versions(),
            "threads": self._threads_of_blas,
            "thread_choices": self.threads.choices,
            "methods": self.network.methods(),
            "settings": self.recipe.to_table(),
        }

    def history_table(self) -> list[dict[str, Any]]:
        """Return the history as plain values, one table per epoch."""
        return [epoch.to_table() for epoch in self.history]

    def model(self) -> Model:
        """Return the network as a model, with everything that its file should say about it."""
        figures = {key: value for key, value in self.metrics().items() if key != "settings"}
        about = {"recipe": self.recipe.to_table(), "metrics": figures}
        outputs, known, held_out = len(self.train.class_names), self.calibration, self.validation
        pixels = PIXELS | {
            "pictures": "pen" if self.reads_a_pen else "stored",
            "largest": float(self.train.inputs.max()),
        }
        return Model(
            self.network, self.train.class_names, about, self.data.preparation or pixels, self.train.column_names,
            self.recipe.test_shifts, known.temperature, () if known.threshold is None else (known.threshold,) * outputs,
            self.data.made, "classes" if self.train.kind == "probabilities" else self.train.kind, known.certain,
            known.sets, Familiarity.learned(self.train.inputs, None if held_out is None else held_out.inputs),
        )  # fmt: skip


def is_written(data: DataSet) -> bool:
    """Return whether images show handwritten characters like MNIST's: one character per class, with a dark border."""
    images = data.inputs
    if images.shape[1:] != (28, 28) or not all(len(name) == 1 and name.isalnum() for name in data.class_names or ("",)):
        return False
    some = images[:: max(1, len(images) // 500)].astype(float)
    border = np.concatenate([some[:, 0], some[:, -1], some[:, :, 0], some[:, :, -1]], axis=1)
    return bool(border.mean() < 0.05 * some.max())
