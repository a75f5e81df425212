"""A change: what is different in a training that is spoiled, and the training itself."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from plainnet import TrainingDivergedError
from plainnet.data.splits import Splits
from plainnet.recipes import Recipe, override
from plainnet.runs import results, saving
from plainnet.runs.run import Run
from spoiling.subjects import KINDS, Layers, splits

Rows = list[dict[str, Any]]


@dataclass(frozen=True)
class Change:
    """What is done to a training: to its recipe, its data, the run itself, or what is written down of it.

    `rate` multiplies the learning rate that suits the network. `history` changes what a program of one's own wrote: of
    such a training nothing but its history is there to be judged. `settings` are as for `--set`.
    """

    rate: float = 1.0
    settings: Mapping[str, Any] = field(default_factory=dict)
    layers: Callable[[Layers], Layers] = lambda layers: layers
    data: Callable[[Splits, np.random.Generator], Splits] = lambda data, rng: data
    run: Callable[[Run], None] = lambda run: None
    history: Callable[[Rows, np.random.Generator], Rows] | None = None
    count: int | None = None  # images to learn from


@dataclass(frozen=True)
class Subject:
    """One training: of which kind of network on which images, changed how, with which seed."""

    kind: str
    data: str
    change: Change
    seed: int

    def splits(self) -> Splits:
        """Return the images as the training has them."""
        return self.change.data(splits(self.data, self.change.count), np.random.default_rng(self.seed))

    def recipe(self) -> Recipe:
        """Return the recipe as it is changed."""
        kind = KINDS[self.kind]
        table = {
            "name": "spoiled", "title": "a training to be judged", "batch_size": 32, "epochs": 12,
            "layers": self.change.layers([dict(layer) for layer in kind.layers]),
            "optimizer": {"type": "SGD", "momentum": 0.9, "weight_decay": 1e-4},
            "schedule": {"type": "constant", "learning_rate": kind.learning_rate * self.change.rate},
        }  # fmt: skip
        return Recipe.from_table(override(table, self.change.settings))

    def train(self, folder: Path) -> None:
        """Train, and leave in the folder what a training leaves, or nothing but the history."""
        run = Run(self.recipe(), self.splits(), seed=self.seed)
        self.change.run(run)
        try:
            with np.errstate(all="ignore"):
                for _ in saving.events(run, folder):
                    pass
                results.write_results(run, folder, pictures=False)
        except TrainingDivergedError:
            pass
        if self.change.history is not None:
            rows = self.change.history(run.history_table(), np.random.default_rng(self.seed))
            for path in folder.iterdir():
                path.unlink()
            (folder / "training_history.json").write_text(json.dumps(rows))  # with NaN, as Python programs write it


def plain(rows: Rows) -> Rows:
    """Return a copy of the rows of a history."""
    copied: Rows = json.loads(json.dumps(rows))
    return copied
