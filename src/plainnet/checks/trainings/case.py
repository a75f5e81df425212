"""A case: everything that is known about one training run, from its results folder or from a history alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from plainnet import checkpoint, sources
from plainnet.checks.histories.curves import Curves, curves_of
from plainnet.checks.histories.event_files import is_folder_of
from plainnet.checks.histories.reading import History, read_history
from plainnet.checks.trainings.examples import Examples, look_at
from plainnet.checks.trainings.measurements import Inside, Steps, first_steps, look_inside
from plainnet.checks.trainings.signs import Signs
from plainnet.data.splits import Splits
from plainnet.errors import InputError
from plainnet.foreign.checking import either, nothing, problem, whole
from plainnet.foreign.opening import read_json
from plainnet.layers import Layer
from plainnet.model_file import load_model
from plainnet.network import Network
from plainnet.recipes import Recipe
from plainnet.runs.metrics_file import FIGURES, FINGERPRINT, figures_go_together, share
from plainnet.runs.results import DONE
from plainnet.runs.saving import read_checkpoint


@dataclass(frozen=True)
class Case:
    """What is known about a training run: always its curves, and with a results folder of plainnet everything else too.

    `metrics` are the figures of a finished run. `fingerprint` describes its training images and labels.
    `diverged` is the message with which a diverged training run ended.
    """

    curves: Curves
    recipe: Recipe | None = None
    network: Network | None = None
    metrics: dict[str, Any] | None = None
    fingerprint: dict[str, Any] | None = None
    diverged: str | None = None
    seed: int = 0
    limit: int | None = None
    where: Mapping[str, Any] | None = None  # the data, unless it is the embedded MNIST
    history: History | None = None  # if the case was read from another program's file
    classes: int | None = None  # if the user gave it

    @cached_property
    def signs(self) -> Signs:
        """What the curves show."""
        return Signs(self.curves, self.network.out_shapes[-1][0] if self.network else self.classes)

    @property
    def made_harder_by(self) -> list[str]:
        """What makes images harder to recognize during training than in evaluation."""
        if self.recipe is None:
            return []
        kinds = dict.fromkeys(layer["type"] for layer in self.recipe.layers)
        changed = ["augmentation"] * (self.recipe.augmentation is not None)
        return changed + [kind for kind in kinds if kind in ("Dropout", "GaussianNoise")]

    @cached_property
    def data(self) -> Splits:
        """The data that the training used, or should have used."""
        return sources.load_described(self.where)

    @cached_property
    def inside(self) -> Inside | None:
        """Measurements inside the trained network."""
        if self.network is None:
            return None
        with np.errstate(all="ignore"):
            fresh = self.recipe.network(rng=self.seed) if self.recipe else None
            return look_inside(self.network, self.data.train, fresh)

    @cached_property
    def examples(self) -> Examples | None:
        """Measurements on the examples and their targets; None if the data is not available."""
        if self.recipe is None:
            return None
        with np.errstate(all="ignore"):
            return look_at(self.data)

    @cached_property
    def steps(self) -> Steps | None:
        """Measurements on the first steps of this training run, repeated from fresh weights."""
        if self.recipe is None:
            return None
        with np.errstate(all="ignore"):
            return first_steps(self.recipe, self.data.train, self.seed)


def read_case(
    path: Path,
    data: Path | None = None,
    own_layers: tuple[type[Layer], ...] = (),
    *,
    run: int | None = None,
    classes: int | None = None,
) -> Case:
    """Read a results folder, finished or not, or a file with a history.

    `own_layers` are the user's layers that the folder may name. `run` is the number of the run to judge if a history
    holds several; None means the last. `classes` is the number of classes, if it is known.

    Raises: `InputError` if the path holds neither.
    """
    if classes is not None and classes < 2:
        raise InputError(f"--classes must be at least 2, received {classes}")
    if not path.is_dir() or is_folder_of(path):
        if data is not None:
            raise InputError(f"{path} is only a history, so --data is not used; leave it out")
        return _bare(path, run, classes)
    if checkpoint.present(path):
        return _unfinished(path, data, own_layers)
    if (path / DONE).exists():
        return _finished(path, data, own_layers)
    ours = path / "training_history.json"
    return _bare(ours if ours.exists() else path, run, classes)


def _bare(path: Path, run: int | None, classes: int | None) -> Case:
    history = read_history(path, run)
    return Case(history.curves, history=history, classes=classes)


def _finished(folder: Path, data: Path | None, own_layers: tuple[type[Layer], ...]) -> Case:
    path = folder / DONE
    metrics = read_json(path, "record")
    classes = isinstance(metrics, dict) and "task" not in metrics
    wanted = {**FIGURES, "data": FINGERPRINT, "limit": either(nothing, whole(1))}
    what = problem(metrics, wanted | ({"train_accuracy": share} if classes else {}))
    if what is not None or not figures_go_together(metrics):
        raise InputError(
            f"{path} does not hold the metrics of a training run: {what or 'its figures contradict each other'}"
        )
    recipe = Recipe.from_table(metrics["settings"], own_layers)
    stored = {"path": metrics["data_dir"]} if metrics.get("data_dir") else recipe.data
    case = {"fingerprint": metrics["data"] if classes else None, "seed": metrics["seed"], "limit": metrics["limit"]}
    network = load_model(folder / "model_final.safetensors", layers=own_layers).network
    made = recipe.network()
    if [layer.config() for layer in network.layers] != [layer.config() for layer in made.layers]:
        raise InputError(
            f"{path} and the model beside it come from different training runs: their layers differ; restore the "
            "model that belongs to it"
        )
    curves = read_history(folder / "training_history.json").curves
    return Case(curves, recipe, network, metrics if classes else None, where=_where(stored, data), **case)


def _unfinished(folder: Path, data: Path | None, own_layers: tuple[type[Layer], ...]) -> Case:
    found = read_checkpoint(folder)
    settings = found.about["run"]
    recipe = Recipe.from_table(settings["recipe"], own_layers)
    network = recipe.network(rng=settings["seed"])
    network.restore(found.arrays)
    if not network.is_finite():
        raise InputError(
            f"{found.path} holds weights that are not finite numbers; start the training again from the beginning"
        )
    return Case(
        curves_of([epoch.to_table() for epoch in found.history()]), recipe, network, fingerprint=settings["data"] if "class_counts" in settings["data"] else None,
        diverged=found.about.get("diverged"), seed=settings["seed"], limit=settings["limit"],
        where=_where(recipe.data, data),
    )  # fmt: skip


def _where(stored: Mapping[str, Any] | None, given: Path | None) -> Mapping[str, Any] | None:
    """Return where the data is, in the form of a recipe's `data`; a given path replaces the stored one."""
    return stored if given is None else {**(stored or {}), "path": str(given)}
