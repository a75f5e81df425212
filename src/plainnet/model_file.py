"""Model files: a network's architecture and parameters in one safetensors file, with what is needed to use it.

Version 2 holds, as JSON texts beside the tensors: input_shape, layers (see `Layer.config`), own_layers (names of layers
that are not plainnet's), kind, class_names, column_names, preparation, test_shifts, temperature, thresholds, certain,
sets, splits, about.
What is not there has its default (see `Model`). Version 1 had neither names of columns nor what follows them.
"""

from __future__ import annotations

import copy
import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from plainnet import models, promises, safetensors
from plainnet.config import expect_name, number, whole_number
from plainnet.data.columns import Columns, column
from plainnet.errors import InputError
from plainnet.foreign.checking import listed, problem, real, table, text, whole
from plainnet.foreign.opening import parse_json
from plainnet.layers import LAYERS, Layer, layers_from_config
from plainnet.network import Network
from plainnet.shifted_views import probabilities
from plainnet.softmax import expect_finite, sigmoid

PIXELS = {"type": "pixels", "about": "bytes are divided by 255; a 28x28 image holds a light digit on a dark ground"}
_MOST_SHIFTS = 5  # 121 views: more would keep a computer busy for hours
_FORMAT, _FORMAT_1 = "plainnet model 2", "plainnet model 1"
_NAMES = listed(text(10_000))  # whose length `Model` judges
_METADATA = {
    "format": text(), "layers": listed(table, least=1), "input_shape": listed(whole(1, 10**8), least=1), "about": table,
    "class_names": _NAMES, "column_names?": _NAMES, "own_layers?": _NAMES, "preparation?": table, "splits?": table,
    "thresholds?": listed(real()), "kind?": text(), "certain?": table, "sets?": table,
}  # fmt: skip


@dataclass(frozen=True)
class Model:
    """A trained network with what is needed to use it, and what its file says about it.

    `kind` of answers: "classes", "labels" (several an example, or none) or "numbers"; if left out, classes where there
    are names. `class_names` are those of the outputs, two for a single logit, none for numbers. `about` may hold the
    recipe it was trained by and the metrics it reached. `preparation`: how inputs are made of data. `column_names`: of
    the inputs of a table. `test_shifts`: answers are means over the image moved by up to so many pixels. `temperature`:
    logits are divided by it for calibrated probabilities. `thresholds`: one a class, below which an answer is "not
    sure". `splits`: which rows of the data were learned from. `certain` and `sets`: see `promises`.

    Raises: `InputError` for names that are no texts or do not fit the outputs, or a number out of range.
    """

    network: Network
    class_names: tuple[str, ...]
    about: Mapping[str, Any] = field(default_factory=dict, repr=False)
    preparation: Mapping[str, Any] = field(default_factory=lambda: dict(PIXELS))
    column_names: tuple[str, ...] = ()
    test_shifts: int = 0
    temperature: float = 1.0
    thresholds: tuple[float, ...] = field(default=(), repr=False)
    splits: Mapping[str, Any] = field(default_factory=dict)
    kind: str = ""
    certain: Mapping[str, float] = field(default_factory=dict, repr=False)
    sets: Mapping[str, float] = field(default_factory=dict, repr=False)

    def __post_init__(self) -> None:
        self.network.expect_built()
        names, outputs = self.class_names, self.network.out_shapes[-1]
        object.__setattr__(self, "kind", self.kind or ("classes" if names else "numbers"))
        if self.kind not in ("classes", "labels", "numbers") or (self.kind == "numbers") == bool(names):
            raise InputError(f"kind must be classes or labels, which have names, or numbers, received {self.kind!r}")
        if isinstance(names, str) or not all(isinstance(name, str) for name in (*names, *self.column_names)):
            raise InputError(f"class names must be texts, received {names!r}; write them in quotes")
        one = len(names) == 2 and outputs == (1,) and self.kind == "classes"
        if (names and outputs != (1 if one else len(names),)) or (len(names) == 1 and self.kind == "classes"):
            raise InputError(f"it has {len(names)} class names for outputs of shape {outputs}")
        if len(set(names)) < len(names):
            raise InputError(f"each class needs a name of its own, received {', '.join(names)}")
        for name in (*names, *self.column_names):
            expect_name(name, "a name of a class or a column")
        if len(self.thresholds) not in (0, len(names)):
            raise InputError(f"thresholds must hold a number for each of {len(names)} classes, or none")
        whole_number(self.test_shifts, "test_shifts", least=0, most=_MOST_SHIFTS)
        if not 0.0 < number(self.temperature, "temperature") < float("inf"):
            raise InputError(f"temperature must be a positive number, received {self.temperature}")
        for threshold in (*self.thresholds, *self.certain.values(), *self.sets.values()):
            number(threshold, "a threshold")

    def expect_known_preparation(self) -> None:
        """Raise `InputError` unless its inputs are prepared in a way that this program knows."""
        if self.preparation.get("type") not in (PIXELS["type"], "columns"):
            raise InputError(
                f"the model takes inputs that are prepared in another way, {self.preparation.get('type')!r:.50}, which "
                "this version does not know; use the version that saved it"
            )

    @property
    def calibrated(self) -> bool:
        """Whether probabilities have been fitted to held-out examples, and it is known when an answer is not sure."""
        return bool(self.thresholds)

    @property
    def reads_a_pen(self) -> bool:
        """Whether it knows signs as MNIST shows them, light on dark in the middle of 28x28."""
        if math.prod(self.network.in_shape) != 784 or self.preparation.get("type") != PIXELS["type"]:
            return False
        signs = bool(self.class_names) and all(len(name) == 1 and name.isalnum() for name in self.class_names)
        return self.preparation.get("pictures", "pen" if signs else "stored") == "pen"

    def inputs(self, given: Any) -> np.ndarray:
        """Return what users bring as the network takes it: the columns of a frame by their names, images as they are.

        Raises: `InputError` for a column that is missing, or images far outside the range that was learned from.
        """
        names = tuple(map(str, getattr(given, "columns", ())))
        if names and self.preparation.get("type") == "columns":
            table = {
                name: column(np.asarray(given[original])) for name, original in zip(names, given.columns, strict=True)
            }
            return Columns.from_table(self.preparation).encoded(table, "the frame")
        if names and self.column_names and set(self.column_names) <= set(names):
            given = given[list(self.column_names)]
        array = np.asarray(given)
        most = self.preparation.get("largest")
        if (
            array.dtype.kind == "f"
            and array.size
            and isinstance(most, int | float)
            and 0 < most <= 1 < array.max() / 1.5
        ):
            raise InputError(
                f"the inputs go up to {array.max():g}, those that the model learned from to {most:g}; divide pixels "
                "from 0 "
                "to 255 by 255, or give them as whole numbers of type uint8"
            )
        return array

    def probabilities(self, given: Any) -> np.ndarray:
        """Return the probability of each class, or of each label by itself, (N, K), by the model's temperature.

        Raises: `InputError` as `inputs`, or if the network does not give classes.
        """
        return self.shares(self.inputs(given), self.test_shifts)

    def shares(self, inputs: np.ndarray, shifts: int = 0) -> np.ndarray:
        """Return the probabilities of inputs that are prepared, the mean over `shifts`; see `probabilities`."""
        if self.kind == "labels":
            return sigmoid(expect_finite(self.network.logits(inputs)) / self.temperature)
        return probabilities(self.network.logits, inputs, shifts, self.temperature)

    def sure_of(self, share: float) -> float:
        """Return the probability from which on an answer is certain, as promised for a share such as 0.999.

        Raises: `InputError` if the model promises no such share.
        """
        return _promised(self.certain, share, "the surest answers are right")

    def of_sets(self, share: float) -> float:
        """Return the probability from which on a class belongs to a set that holds the truth in such a share of cases.

        Raises: `InputError` if the model promises no such share.
        """
        return _promised(self.sets, share, "a set holds the truth")

    def predict(self, given: Any) -> np.ndarray:
        """Return the name of the most probable class of each example, its labels (N, K) of 0 and 1, or its numbers.

        Raises: as `inputs`.
        """
        if not self.class_names:
            return self.network.logits(self.inputs(given))
        if self.kind == "labels":
            return (self.probabilities(given) > 0.5).astype(int)
        return np.array(self.class_names)[self.probabilities(given).argmax(axis=1)]


def _promised(thresholds: Mapping[str, float], share: float, what: str) -> float:
    if not 0 < share < 1:
        raise InputError(f"a share that is promised lies between 0 and 1, such as 0.999, received {share:g}")
    name = promises.named(share)
    if name not in thresholds:
        most = max(thresholds, key=float, default="")
        can = (
            f"the most that it promises is {most}" if most else "it has not been calibrated by enough held-out examples"
        )
        raise InputError(f"the model cannot promise that {what} in {share:g} of all cases; {can}")
    return float(thresholds[name])


def save_model(path: str | Path, model: Model) -> None:
    """Write the model to a safetensors file, whole or not at all.

    The new file is loaded again before it takes the name, and must give the same answers.

    Raises: `InputError` if the model could not be loaded again, or the file cannot be written.
    """
    network = copy.deepcopy(model.network)  # others may be training it
    if not network.is_finite():
        raise InputError("cannot save a network with weights that are not finite; it could not be loaded again")
    own = {type(layer) for _, layer in network.walk()} - set(LAYERS.values())
    metadata = {
        "format": _FORMAT,
        "input_shape": list(network.in_shape),
        "dtype": str(network.theta.dtype),
        "layers": [layer.config() for layer in network.layers],
        "own_layers": sorted(kind.__name__ for kind in own),
        "kind": model.kind,
        "class_names": list(model.class_names),
        "column_names": list(model.column_names),
        "preparation": dict(model.preparation),
        "test_shifts": model.test_shifts,
        "temperature": model.temperature,
        "thresholds": list(model.thresholds),
        "certain": dict(model.certain),
        "sets": dict(model.sets),
        "splits": dict(model.splits),
        "about": dict(model.about),
    }
    try:
        texts = {key: json.dumps(value) for key, value in metadata.items()}
    except (TypeError, ValueError) as error:
        raise InputError(
            f"cannot save what the model says about itself: {error}; give plain numbers and texts"
        ) from error
    safetensors.write(path, network.tensors(), texts, check=partial(_check_answers, network=network, own=own))


def _check_answers(path: Path, network: Network, own: Iterable[type[Layer]]) -> None:
    """Raise `InputError` if the model in the file does not answer as `network` does."""
    again = load_model(path, layers=own).network
    images = np.linspace(-3, 3, 8 * math.prod(network.in_shape)).astype(network.theta.dtype)  # in steps of 8 a feature
    images = images.reshape(-1, 8).T.reshape(8, *network.in_shape)
    with np.errstate(all="ignore"):
        same = np.array_equal(network.logits(images), again.logits(images), equal_nan=True)
    for (_, layer), (_, loaded) in zip(network.walk(), again.walk(), strict=True):
        for name in {*layer.arguments()} & {*vars(layer)} & {*vars(loaded)}:
            mine, theirs = getattr(layer, name), getattr(loaded, name)
            same = same and (isinstance(mine, Layer) or callable(mine) or np.array_equal(mine, theirs))
    if not same:
        names = ", ".join(sorted(kind.__name__ for kind in own)) or "its layers"
        raise InputError(
            f"cannot save this network: loaded again, it gives other answers; config() of {names} must tell all "
            "arguments, and what training changes besides parameters belongs in self.state"
        )


def load_model(path: str | Path, *, layers: Iterable[type[Layer]] = ()) -> Model:
    """Read a model that `save_model` wrote, or one that comes with plainnet, by its name: `load_model("cnn")`.

    `layers` are the classes of layers of one's own that it uses.

    Raises: `InputError` if the file is damaged, holds no plainnet model, needs a layer that is not given, or its
    weights do not fit its layers.
    """
    own, path = tuple(layers), models.find(path)
    tensors, texts = safetensors.read(path, formats=[json.dumps(name) for name in (_FORMAT, _FORMAT_1)])
    try:
        metadata = {key: parse_json(text) for key, text in texts.items() if key != "sha256"}
        if (what := problem(metadata, _METADATA)) is not None:
            raise InputError(what)
        if missing := set(metadata.get("own_layers", ())) - {kind.__name__ for kind in own}:
            raise InputError(
                f"it needs layers of its author, {', '.join(sorted(missing))}: give the file that defines them, "
                "--layers FILE.py, or in Python the classes, load_model(path, layers=[...])"
            )
        network = Network(*layers_from_config(metadata["layers"], own))
        kinds = [tensor.dtype for tensor in tensors.values() if tensor.dtype.kind == "f"]
        dtype = metadata.get("dtype") or (np.result_type(*kinds) if kinds else np.float32)
        network.build(metadata["input_shape"], values=tensors, dtype=dtype)
        for name, tensor in network.tensors().items():
            if tensor.dtype.kind == "f" != tensors[name].dtype.kind:
                raise InputError(f"{name} holds {tensors[name].dtype}, where floating-point numbers belong")
        if not network.is_finite():
            raise InputError("its weights are not all finite numbers")
        about = dict(metadata["about"])
        names = tuple(metadata["class_names"])
        if metadata["format"] == _FORMAT_1:
            return Model(network, names, about, test_shifts=_test_shifts_of_version_1(about))
        return Model(
            network, names, about, dict(metadata["preparation"]), tuple(metadata["column_names"]),
            metadata["test_shifts"], metadata["temperature"], tuple(metadata["thresholds"]), dict(metadata["splits"]),
            metadata.get("kind", ""), dict(metadata.get("certain", {})), dict(metadata.get("sets", {})),
        )  # fmt: skip
    except (KeyError, TypeError, AttributeError, ValueError, ArithmeticError, RecursionError, MemoryError) as error:
        reason = f"the key {error} is missing" if isinstance(error, KeyError) else str(error)
        cannot = "cannot be used" if reason.startswith("it needs") else "does not hold a plainnet model"
        raise InputError(f"{path} {cannot}: {reason}") from error


def _test_shifts_of_version_1(about: Mapping[str, Any]) -> int:
    """Return the test views that the recipe of a model, or of an ensemble's first member, asks for."""
    source = about["members"][0] if about.get("members") else about
    recipe = source.get("recipe") if isinstance(source, Mapping) else None
    shifts = recipe.get("test_shifts") if isinstance(recipe, Mapping) else None
    return shifts if type(shifts) is int and 0 <= shifts <= _MOST_SHIFTS else 0
