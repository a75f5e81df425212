"""A trial: one training run in the lab, batch by batch, with the curves to show and states to go back to."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np

from plainnet import moves
from plainnet.checks.histories.curves import curves_of
from plainnet.data.splits import Splits
from plainnet.diagnosis import Case, findings
from plainnet.errors import InputError
from plainnet.events import Batch, Epoch
from plainnet.lab import watching
from plainnet.lab.stories import Start
from plainnet.model import PIXELS, Model
from plainnet.recipes import read
from plainnet.runs.run import Run

MOST_PARAMETERS, MOST_EPOCHS = 5_000_000, 1000
_MOST_STATES, _MOST_NUMBERS = 20, 50_000_000  # limits of the states that are kept to go back to
_POINTS = 800  # the most points in the curve of the batches


class Trial:
    """A training run that processes one batch at each `step`.

    Raises: `InputError` if it cannot be made, or is too large for the lab.
    """

    def __init__(self, start: Start, data: Splits) -> None:
        self.start = start
        recipe = read(start.recipe, {"workers": 1} | start.overrides)
        if recipe.epochs > MOST_EPOCHS or recipe.batch_size > 10_000:
            raise InputError(
                f"the lab trains at most {MOST_EPOCHS:,} epochs with batches of 10,000; for more, use plainnet train"
            )
        self.run = Run(recipe, data, limit=start.limit, threads=1)
        self.training = self.run.training
        if self.run.network.theta.size > MOST_PARAMETERS:
            raise InputError(
                f"the lab trains at most {MOST_PARAMETERS:,} parameters, received {self.run.network.theta.size:,}; "
                "for more, use plainnet train"
            )
        if start.in_order:
            rows = np.argsort(self.run.train.labels, kind="stable")
            self.training.order = lambda epoch: rows
        self.losses: list[tuple[int, float]] = []  # each is the mean of `_stride` batches
        self._stride, self._sum = 1, 0.0
        self.states: list[tuple[int, Any]] = []
        self.found: list[dict[str, Any]] = []
        self.examined: int | None = None  # the batch after which the full diagnosis ran
        self.ended = ""
        self.measured: dict[str, Any] = {}
        self.knobs = moves.settings(self.training)
        self.temperature = 1.0
        self.thresholds: tuple[float, ...] = ()
        self.rate: float | None = None
        with self.run.threads.in_force():
            self.run.threads.begin(None)
        self._keep()
        self._events = iter(self.training)
        self.measure(None)

    @property
    def done(self) -> bool:
        """Whether the training has ended."""
        return bool(self.ended)

    def step(self, *, measure: bool) -> None:
        """Process one batch; with `measure`, also measure the update and the inside of the network."""
        before = {p.name: p.value.copy() for p in self.run.network.parameters if p.decay} if measure else None
        with self.run.threads.in_force():
            event = next(self._events, None)
            while event is not None and not isinstance(event, Batch):
                if isinstance(event, Epoch):
                    self._after_epoch()
                event = next(self._events, None)
        if event is None:
            self.end("all epochs are done")
            return
        self.rate = event.learning_rate
        self._plot(event.loss)
        if before is not None:
            self.measure({p.name: p.value - before[p.name] for p in self.run.network.parameters if p.decay})

    def _plot(self, loss: float) -> None:
        """Add a batch to the curve. The longer the curve, the more batches each of its points stands for."""
        self._sum += loss
        if self.training.steps % self._stride:
            return
        self.losses.append((self.training.steps, self._sum / self._stride))
        self._sum = 0.0
        if len(self.losses) > _POINTS:
            pairs = zip(self.losses[::2], self.losses[1::2], strict=False)
            self.losses = [(late, (first + second) / 2) for (_, first), (late, second) in pairs]
            self._stride *= 2

    def measure(self, moved: dict[str, np.ndarray] | None) -> None:
        """Measure the inside of the network as it is now; `moved` is the last update."""
        network = self.run.network
        clip = getattr(self.training.optimizer, "clip", None)
        self.measured = {
            "measured_at": self.training.steps,
            "weights": watching.first_weights(network),
            "inside": watching.inside(network, self.run.train.inputs),
            "gradients": watching.gradients(network, moved, clip),
        }

    def end(self, why: str) -> None:
        """End the training, and calibrate the probabilities on the validation images."""
        self.ended = why
        if self.run.network.is_finite():
            with self.run.threads.in_force():
                self.run.calibrate(self.run.network.logits)
            known = self.run.calibration
            self.temperature = known.temperature
            names = len(self.run.train.class_names)
            self.thresholds = () if known.threshold is None else (known.threshold,) * names
            self.measure(None)

    def move(self, what: str, value: float) -> None:
        """Change a setting from the next batch on."""
        self.training.move(what, value)

    def back(self, steps: int) -> None:
        """Go back to the newest kept state at or before this many steps, or to the first one."""
        kept = [one for one in self.states if one[0] <= steps] or self.states[:1]
        self.training.restore(*kept[-1][1])
        self.states = self.states[: len(kept)]
        self.losses, self._sum = [one for one in self.losses if one[0] <= kept[-1][0]], 0.0
        self.ended, self.thresholds, self.temperature = "", (), 1.0
        self._events = iter(self.training)
        self._diagnose()
        self.measure(None)

    def follow(self, number: int) -> Start:
        """Return how to start again with the change that a finding suggests, and everything else unchanged.

        Raises: `InputError` if there is no such finding, or if it suggests no change of the recipe.
        """
        if not 0 <= number < len(self.found) or not self.found[number]["change"]:
            raise InputError("the lab cannot make this change for you; follow the suggestion yourself")
        return replace(self.start, overrides=self.start.overrides | self.found[number]["change"])

    def model(self) -> Model:
        """Return the current network as a model that answers."""
        kind = PIXELS | {"pictures": "pen" if self.run.reads_a_pen else "stored"}
        return Model(
            self.run.network, self.run.train.class_names, {}, self.run.data.preparation or kind,
            test_shifts=self.run.recipe.test_shifts if self.done else 0,
            temperature=self.temperature, thresholds=self.thresholds,
        )  # fmt: skip

    def to_table(self, drawing: np.ndarray | None) -> dict[str, Any]:
        """Return the state of the training as plain values."""
        training = self.training
        shares = None
        if drawing is not None and drawing.size == math.prod(self.run.network.in_shape):
            x = drawing.reshape(1, *self.run.network.in_shape)
            found = self.model().shares(x) if self.run.network.is_finite() else None
            shares = None if found is None else found[0].tolist()
        return {
            "name": self.start.name,
            "recipe": self.start.recipe,
            "summary": self.run.network.summary(),
            "classes": list(self.run.train.class_names),
            "epoch": min(len(training.history) + (not self.done), training.epochs),
            "epochs": training.epochs,
            "batch": training.batch,
            "of": training.steps_per_epoch,
            "steps": training.steps,
            "losses": [list(one) for one in self.losses],
            "history": [epoch.to_table() for epoch in training.history],
            "rate": self.rate,
            "knobs": {"began": self.knobs, "now": moves.settings(training)},
            "moves": [list(one) for one in training.moves],
            "states": [steps for steps, _ in self.states],
            "ended": self.ended,
            "findings": self.found,
            "examined": self.examined,
            "answers": shares,
            **self.measured,
        }

    def examine(self) -> None:
        """Run the full diagnosis: curves, network, data and first steps."""
        training, run = self.training, self.run
        if not training.history:
            raise InputError("the first epoch has not ended yet; wait for it")
        curves = curves_of([epoch.to_table() for epoch in training.history])
        case = Case(curves, run.recipe, run.network, seed=run.seed, limit=run.limit)
        vars(case)["data"] = run.data  # already loaded
        self.found, self.examined = [finding.to_table() for finding in findings(case)], training.steps

    def _after_epoch(self) -> None:
        self._keep()
        self._diagnose()

    def _keep(self) -> None:
        if len(self.states) >= min(_MOST_STATES, max(2, _MOST_NUMBERS // (3 * self.run.network.theta.size))):
            del self.states[1]
        self.states.append((self.training.steps, self.training.state()))

    def _diagnose(self) -> None:
        """Run the part of the diagnosis that needs only the curves."""
        history = [epoch.to_table() for epoch in self.training.history]
        self.found, self.examined = [], None
        if not history:
            return
        case = Case(curves_of(history), self.run.recipe, classes=len(self.run.train.class_names))
        vars(case)["steps"] = vars(case)["examples"] = None  # these take a while; `examine` looks at them
        self.found = [finding.to_table() for finding in findings(case)]
