"""Model files: a network's architecture, parameters and everything needed to use it, in one safetensors file.

Version 2 holds, as JSON strings beside the tensors: input_shape, layers (see `Layer.config`), own_layers (names of
layers that are not plainnet's), kind, class_names, column_names, preparation, test_shifts, temperature, thresholds,
certain, sets, familiar, splits, about. A missing entry has its default (see `Model`). Version 1 had neither
column_names nor the entries after it in this list.
"""

from __future__ import annotations

import copy
import json
import math
from collections.abc import Iterable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from plainnet import models, safetensors
from plainnet.errors import InputError
from plainnet.familiarity import Familiarity
from plainnet.foreign.checking import either, listed, nothing, problem, real, table, text, whole
from plainnet.foreign.opening import parse_json
from plainnet.layers import LAYERS, Layer, layers_from_config
from plainnet.model import MOST_SHIFTS, Model
from plainnet.network import Network

_FORMAT, _FORMAT_1 = "plainnet model 2", "plainnet model 1"
_NAMES = listed(text(10_000))  # `Model` checks their length
_METADATA = {
    "format": text(), "layers": listed(table, least=1), "input_shape": listed(whole(1, 10**8), least=1), "about": table,
    "class_names": _NAMES, "column_names?": _NAMES, "own_layers?": _NAMES, "preparation?": table, "splits?": table,
    "thresholds?": listed(real()), "kind?": text(), "certain?": table, "sets?": table,
    "familiar?": either(nothing, table),
}  # fmt: skip


def save_model(path: str | Path, model: Model) -> None:
    """Write the model to a safetensors file, completely or not at all.

    Before the new file takes its name, it is loaded again and must give the same answers.

    Raises: `InputError` if the model could not be loaded again, or the file cannot be written.

    Example:
        >>> import tempfile
        >>> from plainnet import Dense, Model, Network, load_model, save_model
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     save_model(f"{folder}/mine.safetensors", Model(Network(Dense(2)).build(3), ("no", "yes")))
        ...     load_model(f"{folder}/mine.safetensors").network
        Network(Dense; 8 parameters)
    """
    network = copy.deepcopy(model.network)  # others may be training it
    if not network.is_finite():
        raise InputError("cannot save a network with weights that are not finite; such a file could not be loaded")
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
        "familiar": None if model.familiar is None else model.familiar.to_table(),
        "splits": dict(model.splits),
        "about": dict(model.about),
    }
    try:
        texts = {key: json.dumps(value) for key, value in metadata.items()}
    except (TypeError, ValueError) as error:
        raise InputError(
            f"cannot save what the model says about itself: {error}; give plain numbers and strings"
        ) from error
    safetensors.write(path, network.tensors(), texts, check=partial(_check_answers, network=network, own=own))


def _check_answers(path: Path, network: Network, own: Iterable[type[Layer]]) -> None:
    """Raise `InputError` if the model in the file does not answer as `network` does."""
    again = load_model(path, layers=own).network
    images = np.linspace(-3, 3, 8 * math.prod(network.in_shape)).astype(network.theta.dtype)  # 8 values per feature
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
            f"cannot save this network: loaded again, it gives different answers; config() of {names} must return all "
            "arguments, and whatever training changes besides parameters belongs in self.state"
        )


def load_model(path: str | Path, *, layers: Iterable[type[Layer]] = ()) -> Model:
    """Read a model: a file that `save_model` wrote, a results folder, or the name of a model, such as "cnn".

    `layers` are your own layer classes that the model uses.

    Raises: `InputError` if the file is damaged, is not a plainnet model, needs a layer that is not given, or its
    weights do not fit its layers.

    Example:
        >>> from plainnet import load_model, mnist
        >>> digits = mnist.load().test.inputs[:3]
        >>> load_model("cnn").predict(digits).tolist()  # a trained network that comes with plainnet
        ['7', '2', '1']
    """
    own, path = tuple(layers), models.find(path)
    tensors, texts = safetensors.read(path, formats=[json.dumps(name) for name in (_FORMAT, _FORMAT_1)])
    try:
        metadata = {key: parse_json(text) for key, text in texts.items() if key != "sha256"}
        if (what := problem(metadata, _METADATA)) is not None:
            raise InputError(what)
        if missing := set(metadata.get("own_layers", ())) - {kind.__name__ for kind in own}:
            raise InputError(
                f"it needs its author's layers {', '.join(sorted(missing))}: give the file that defines them with "
                "--layers FILE.py, or in Python their classes with load_model(path, layers=[...])"
            )
        network = Network(*layers_from_config(metadata["layers"], own))
        kinds = [tensor.dtype for tensor in tensors.values() if tensor.dtype.kind == "f"]
        dtype = metadata.get("dtype") or (np.result_type(*kinds) if kinds else np.float32)
        network.build(metadata["input_shape"], values=tensors, dtype=dtype)
        for name, tensor in network.tensors().items():
            if tensor.dtype.kind == "f" != tensors[name].dtype.kind:
                raise InputError(f"{name} must hold floating-point numbers, received {tensors[name].dtype}")
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
            None if metadata.get("familiar") is None else Familiarity.from_table(metadata["familiar"]),
        )  # fmt: skip
    except (KeyError, TypeError, AttributeError, ValueError, ArithmeticError, RecursionError, MemoryError) as error:
        reason = f"the key {error} is missing" if isinstance(error, KeyError) else str(error)
        cannot = "cannot be used" if reason.startswith("it needs") else "does not hold a plainnet model"
        raise InputError(f"{path} {cannot}: {reason}") from error


def _test_shifts_of_version_1(about: Mapping[str, Any]) -> int:
    """Return the test shifts in the recipe of a model, or of an ensemble's first member."""
    source = about["members"][0] if about.get("members") else about
    recipe = source.get("recipe") if isinstance(source, Mapping) else None
    shifts = recipe.get("test_shifts") if isinstance(recipe, Mapping) else None
    return shifts if type(shifts) is int and 0 <= shifts <= MOST_SHIFTS else 0
