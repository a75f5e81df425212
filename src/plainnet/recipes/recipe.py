"""A recipe: the network, loss, optimizer, schedule, batch size and epochs of a training run, read from TOML."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import MISSING, dataclass, field, fields, replace
from pathlib import Path
from typing import Any, NoReturn

import numpy as np

from plainnet.config import LONGEST_NAME, LONGEST_TITLE, construct, expect_name
from plainnet.data.augmentation import Augmentation
from plainnet.data.dataset import DataSet
from plainnet.errors import InputError
from plainnet.foreign.opening import parse_toml, read_text
from plainnet.layers import Layer, layers_from_config
from plainnet.losses import LOSSES, Loss
from plainnet.network import Network
from plainnet.optimizers import OPTIMIZERS, Optimizer
from plainnet.recipes import data
from plainnet.recipes.form import LOSS_OF, MNIST, OUTPUTS, Form, expects_images, last_dense
from plainnet.recipes.overrides import override
from plainnet.schedules import SCHEDULES, Schedule
from plainnet.stopping import Stopping
from plainnet.workers.adversarial import checked_distance

_FOLDER = Path(__file__).parent

Table = Mapping[str, Any]


class ReadOnly(dict[str, Any]):
    """A dict that cannot be changed."""

    def _refuse(self, *_: object, **__: object) -> NoReturn:
        raise TypeError("a recipe cannot be changed; make a new one with dataclasses.replace or Recipe.from_table")

    __setitem__ = __delitem__ = __ior__ = clear = pop = popitem = setdefault = update = _refuse

    def __reduce__(self) -> tuple[type[ReadOnly], tuple[dict[str, Any]]]:
        return ReadOnly, (dict(self),)


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """A training described by plain values; `network()`, `loss_function()` and similar methods make the objects.

    It may leave open `input_shape`, the `loss`, and the units of the last `Dense` layer; `fitted` takes these from the
    data.
    """

    name: str
    title: str
    batch_size: int
    epochs: int
    layers: tuple[Table, ...]
    optimizer: Table
    schedule: Table
    input_shape: tuple[int, ...] | None = None
    loss: Table | None = None
    data: Table | None = None  # where the examples come from, see `sources.load`; default: the embedded MNIST
    workers: int = 1
    augmentation: Table | None = None
    clean_epochs: int = 0  # the number of epochs without augmentation at the end
    adversarial: float | None = None  # also train on each example moved this far in the direction of a higher loss
    averaging: float | None = None  # decay of an exponential moving average of the weights, used as the final weights
    test_shifts: int = 0  # average answers over the image shifted by up to this many pixels in every direction
    stop: Table | None = None  # early stopping: when to end before the last epoch
    validate: bool = True  # if not, train on the validation images as well: for a recipe with fixed settings
    own_layers: tuple[type[Layer], ...] = field(default=(), repr=False, compare=False)  # which `layers` may name

    def __post_init__(self) -> None:
        for name, value in vars(self).items():
            object.__setattr__(self, name, _read_only(value))

    @classmethod
    def completed(cls, table: Table) -> dict[str, Any]:
        """Return a recipe's table with the defaults of its missing keys; it does not check values.

        Raises: `InputError` if a key is unknown, or one without a default is missing.
        """
        known = {field.name for field in fields(cls)} - {"own_layers"}
        defaults = {field.name: field.default for field in fields(cls) if field.name in known}
        if unknown := set(table) - known:
            raise InputError(f"unknown key {min(map(repr, unknown)):.100}; a recipe has {', '.join(sorted(known))}")
        complete = {name: value for name, value in defaults.items() if value is not MISSING} | dict(table)
        if missing := known - set(complete):
            raise InputError(f"the key {min(missing)!r} is missing; a recipe has {', '.join(sorted(known))}")
        return complete

    @classmethod
    def from_table(cls, table: Table, own_layers: Iterable[type[Layer]] = ()) -> Recipe:
        """Make a recipe from a table, as in a TOML or JSON file, after checking every key and value.

        `own_layers` are your own layer classes that it may name.

        Raises: `InputError` if a key is unknown or missing, or a value is of the wrong kind or out of range.
        """
        table = cls.completed(table)
        for key, most in (("name", LONGEST_NAME), ("title", LONGEST_TITLE)):
            _expect(isinstance(table[key], str), key, "a string", table[key])
            expect_name(table[key], key, most)
        _expect(isinstance(table["validate"], bool), "validate", "true or false", table["validate"])
        for key in ("batch_size", "epochs", "workers"):
            _expect(_is_count(table[key]), key, "a whole number of at least 1", table[key])
        _expect(table["workers"] <= 64, "workers", "at most 64", table["workers"])
        clean, shifts = table["clean_epochs"], table["test_shifts"]
        _expect(type(clean) is int and clean >= 0, "clean_epochs", "a whole number of at least 0", clean)
        _expect(type(shifts) is int and 0 <= shifts <= 5, "test_shifts", "a whole number from 0 to 5", shifts)
        decay = table["averaging"]
        share = isinstance(decay, int | float) and not isinstance(decay, bool) and 0 <= decay < 1
        _expect(decay is None or share, "averaging", "a decay of at least 0 and below 1, such as 0.999", decay)
        shape, layers = table["input_shape"], table["layers"]
        numbers = isinstance(shape, list | tuple) and len(shape) > 0 and all(map(_is_count, shape))
        _expect(shape is None or numbers, "input_shape", "a list of sizes such as [28, 28]", shape)
        data.check(table["data"])
        tables = isinstance(layers, list | tuple) and len(layers) > 0 and all(isinstance(i, Mapping) for i in layers)
        _expect(tables, "layers", 'a list of tables such as [{type = "Dense", units = 10}]', layers)
        for key in ("loss", "optimizer", "schedule"):
            given = isinstance(table[key], Mapping) or (key == "loss" and table[key] is None)
            _expect(given, key, 'a table such as {type = "..."}', table[key])
        change = table["augmentation"]
        _expect(change is None or isinstance(change, Mapping), "augmentation", "a table such as {shift = 2.0}", change)
        stop = table["stop"]
        _expect(stop is None or isinstance(stop, Mapping), "stop", "a table such as {patience = 5}", stop)
        values: dict[str, Any] = {"layers": tuple(layers), "own_layers": tuple(own_layers)}
        values["input_shape"] = None if shape is None else tuple(shape)
        recipe = cls(**{**table, **values})
        (
            recipe.loss_function(),
            recipe.make_optimizer(),
            recipe.training_options(),
        )
        layers_from_config(recipe.completed_for(MNIST).layers, recipe.own_layers)
        return recipe

    def completed_for(self, form: Form) -> Recipe:
        """Return the recipe with the settings that it leaves open chosen for data of this form."""
        layers = [dict(layer) for layer in self.layers]
        dense = [place for place, layer in enumerate(layers) if layer.get("type") == "Dense"]
        if dense and "units" not in layers[dense[-1]]:
            layers[dense[-1]]["units"] = form.outputs
        loss = self.loss
        if loss is None:
            loss = {"type": LOSS_OF[form.kind]}
            if form.kind == "numbers" and not layers[-1].get("inverse"):
                layers.append({"type": "Standardize", "inverse": True})  # from about -1 to 1 to the targets' range
        return replace(self, input_shape=self.input_shape or form.in_shape, layers=tuple(layers), loss=loss)

    def fitted(self, data: DataSet) -> Recipe:
        """Return the recipe completed for these data; the settings that it states stay unchanged.

        Raises: `InputError` if a stated setting does not fit the data; the message says which value would.
        """
        form = Form.of(data)
        whole = self.completed_for(form)
        assert whole.input_shape is not None
        assert whole.loss is not None
        if math.prod(whole.input_shape) != math.prod(form.in_shape):
            raise InputError(
                f"recipe {self.name} takes inputs of shape {_written(whole.input_shape)}, but the data has "
                f"{_written(form.in_shape)}; make them agree with --set input_shape={_written(form.in_shape)}"
            )
        if len(whole.input_shape) == 1 and expects_images(whole.layers):
            raise InputError(f"recipe {self.name} is for images, but an example is a row of numbers; use recipe table")
        place = last_dense(whole.layers)
        if place is not None:
            units = whole.layers[place]["units"]
            two = units == 1 and form.outputs == 2 and whole.loss.get("type") == "BinaryCrossEntropy"
            if units != form.outputs and not two:
                what = OUTPUTS[form.kind]
                raise InputError(
                    f"recipe {self.name} ends in {units} outputs, but the data has {form.outputs} {what}; make them "
                    f"agree with --set layers.{place}.units={form.outputs}"
                )
        loss = whole.loss_function()
        if data.kind not in loss.takes:
            raise InputError(
                f"recipe {self.name} has the loss {type(loss).__name__}, which takes {' or '.join(loss.takes)}, but "
                f"the data has {data.kind}; make them agree with --set loss.type={LOSS_OF[data.kind]}, or use the "
                "recipe table or pictures, which choose the loss by the data"
            )
        return whole

    def to_table(self) -> dict[str, Any]:
        """Return the recipe as plain values, which you may change; `from_table` reads it back."""
        left_out = {"own_layers"} | {name for name in ("adversarial", "stop", "data") if getattr(self, name) is None}
        return {name: _plain(value) for name, value in vars(self).items() if name not in left_out}

    def network(self, *, rng: int | np.random.Generator = 0) -> Network:
        """Return the network, built and initialized; settings that the recipe leaves open fit MNIST."""
        whole = self.completed_for(MNIST)
        assert whole.input_shape is not None
        return Network(*layers_from_config(whole.layers, self.own_layers)).build(whole.input_shape, rng=rng)

    def loss_function(self) -> Loss:
        """Return the loss; if the recipe leaves it open, the one for classes."""
        return construct(LOSSES, {"type": LOSS_OF["classes"]} if self.loss is None else self.loss, "loss")

    def make_optimizer(self) -> Optimizer:
        """Return a new optimizer."""
        return construct(OPTIMIZERS, self.optimizer, "optimizer")

    def learning_rate(self) -> Schedule:
        """Return the learning-rate schedule."""
        return construct(SCHEDULES, self.schedule, "schedule")

    def training_options(self) -> dict[str, Any]:
        """Return the arguments of a `Training` that depend only on the recipe."""
        return {
            "batch_size": self.batch_size, "epochs": self.epochs, "learning_rate": self.learning_rate(),
            "augmentation": self.make_augmentation(), "clean_epochs": self.clean_epochs,
            "adversarial": checked_distance(self.adversarial), "averaging": self.averaging, "stop": self.stopping(),
        }  # fmt: skip

    def stopping(self) -> Stopping | None:
        """Return the rule for early stopping, or None."""
        return (
            None
            if self.stop is None
            else construct({"Stopping": Stopping}, {"type": "Stopping"} | dict(self.stop), "table")
        )

    def make_augmentation(self) -> Augmentation | None:
        """Return the augmentation, or None if training uses the images unchanged."""
        if self.augmentation is None:
            return None
        return construct({"Augmentation": Augmentation}, {"type": "Augmentation"} | dict(self.augmentation), "table")


def available() -> list[str]:
    """Return the names of the recipes in the package."""
    return sorted(path.stem for path in _FOLDER.glob("*.toml"))


def source(name: str) -> str:
    """Return a recipe's TOML text with its comments; `name` is a recipe in the package or the path of a .toml file.

    Raises: `InputError` if there is no such recipe.
    """
    path = Path(name) if name.endswith(".toml") else _FOLDER / f"{name}.toml"
    if not name.endswith(".toml") and name not in available():
        raise InputError(f"unknown recipe {name!r}; choose one of {', '.join(available())}, or give a .toml file")
    return read_text(path, "recipe")


def recipe_for(examples: DataSet) -> str:
    """Return the name of the recipe that suits data: classic for gray 28x28 images, pictures for others, else table."""
    if examples.inputs.ndim == 2:
        return "table"
    return "classic" if examples.inputs.shape[1:] == (28, 28) and examples.kind == "classes" else "pictures"


def read(name: str, overrides: Mapping[str, Any] | None = None, *, own_layers: Iterable[type[Layer]] = ()) -> Recipe:
    """Return the recipe named `name`, or in the file `name`, with some of its values replaced (see `override`).

    Raises: `InputError` if there is no such recipe, or it is invalid.
    """
    text = source(name)
    try:
        table = parse_toml(text)
    except ValueError as error:
        raise InputError(f"the recipe {name} cannot be read as TOML: {error}; see docs/recipes.md") from error
    table["name"] = Path(name).stem
    try:
        if "data" in table:
            table["data"] = data.described(table["data"], Path(name).parent if name.endswith(".toml") else Path())
        return Recipe.from_table(override(table, overrides or {}), own_layers)
    except InputError as error:
        raise InputError(f"recipe {table['name']}: {error}") from error


def _read_only(value: Any) -> Any:
    """Return a copy of plain values that cannot be changed."""
    if isinstance(value, Mapping):
        return ReadOnly({key: _read_only(item) for key, item in value.items()})
    return tuple(map(_read_only, value)) if isinstance(value, list | tuple) else value


def _plain(value: Any) -> Any:
    """Return a copy of read-only values as dicts and lists."""
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    return list(map(_plain, value)) if isinstance(value, tuple) else value


def _written(shape: Iterable[int]) -> str:
    return f"[{','.join(map(str, shape))}]"


def _is_count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= 10**9


def _expect(condition: bool, key: str, expected: str, received: object) -> None:
    if not condition:
        raise InputError(f"{key} must be {expected}, received {received!r:.200}")
