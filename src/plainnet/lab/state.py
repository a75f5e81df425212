"""The state of a lab: the data, the models that answer, and the engine that trains."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from plainnet.data.dataset import DataSet
from plainnet.data.splits import Splits
from plainnet.errors import InputError
from plainnet.evaluation import DIGITS
from plainnet.lab.engine import Engine
from plainnet.lab.errors_of import Mistakes
from plainnet.lab.looking import Looking
from plainnet.model import Model
from plainnet.model_file import load_model

COMES_ALONG = "cnn"  # the model that is part of the package


class Lab:
    """The state that all open pages share.

    `model` answers, if it is given; otherwise the first network in training answers. `beside` are models to compare.
    """

    def __init__(
        self, data: Splits, model: Model | None, name: str, folder: Path | None, beside: dict[str, Model] | None = None
    ) -> None:
        self.data, self.given, self.name = data, model, name
        self.opened = (model, name)
        self.beside = beside or {}
        self.engine, self.looking = Engine(data, folder), Looking(data.train)
        self._mistakes: dict[str, tuple[Any, Mistakes]] = {}

    def train(self, begin: Callable[[], None], name: str) -> None:
        """Start a training run in the engine; from now on its network answers."""
        self.engine.ask(begin)
        self.given, self.name = None, name

    def leave(self) -> None:
        """End all training runs: the model that the lab was opened with answers again.

        Raises: `InputError` if the lab was opened without a model.
        """
        model, name = self.opened
        if model is None:
            raise InputError("the lab was opened without a model, so there is none to go back to")
        self.engine.ask(lambda: self.engine.begin(()))
        self.given, self.name = model, name

    def model(self) -> Model:
        """Return the model that answers: the given one, otherwise the first network in training."""
        if self.given is not None:
            return self.given
        if not self.engine.trials:
            raise InputError("there is no network yet; choose one under Train")
        return self.engine.trials[0].model()

    def others(self) -> tuple[str, ...]:
        """Return the names of the models to compare with: the given ones, the second training, and plainnet's own."""
        digits = tuple(self.data.train.class_names) == DIGITS  # the classes that plainnet's own model knows
        second = [self.engine.trials[1].start.name] if self.given is None and len(self.engine.trials) > 1 else []
        along = [COMES_ALONG] if digits and (self.given is None or self.name != COMES_ALONG) else []
        return tuple(dict.fromkeys([*self.beside, *second, *along]))

    def other(self, name: str) -> Model:
        """Return one of the `others`.

        Raises: `InputError` if there is no model of this name.
        """
        if name not in self.others():
            raise InputError(f"there is no network {name!r:.40} to compare with; there are {', '.join(self.others())}")
        if name in self.beside:
            return self.beside[name]
        if self.given is None and len(self.engine.trials) > 1 and self.engine.trials[1].start.name == name:
            return self.engine.trials[1].model()
        return self.beside.setdefault(name, load_model(name))

    def unseen(self, other: str | None = None) -> tuple[str, DataSet]:
        """Return images that neither the model nor the other one was trained on, and the name of this part of the data.

        If one of the two was also trained on the validation images, these are the test images.
        """
        if self.given is not None:
            validated = self.given.about.get("recipe", {}).get("validate", True)
        else:
            validated = not self.engine.trials or self.engine.trials[0].run.recipe.validate
        if other is not None:
            validated = validated and self.other(other).about.get("recipe", {}).get("validate", True)
        return ("validation", self.data.validation) if validated else ("test", self.data.test)

    def mistakes(self, other: str | None = None) -> tuple[Mistakes, Mistakes | None]:
        """Return the mistakes of the model and of another, on images that neither was trained on."""
        _, data = self.unseen(other)
        return self._counted("", self.model(), data), None if other is None else self._counted(
            other, self.other(other), data
        )

    def _counted(self, name: str, model: Model, data: DataSet) -> Mistakes:
        """Return the mistakes of a model, counted again if it has been trained further."""
        trains = model is not self.given and name not in self.beside
        steps = [(id(trial), trial.training.steps) for trial in self.engine.trials] if trains else []
        key, known = (id(data), steps), self._mistakes.get(name)
        if known is None or known[0] != key:
            known = self._mistakes[name] = key, Mistakes(model, data)
        return known[1]
