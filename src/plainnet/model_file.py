"""Model files: a network's architecture and parameters in one safetensors file, with what is needed to use it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from plainnet import safetensors
from plainnet.errors import InputError
from plainnet.layers import layer_from_config
from plainnet.network import Network

PREPROCESSING = "bytes are divided by 255; a 28x28 image holds a light digit on a dark ground"
_FORMAT = "plainnet model 1"


@dataclass(frozen=True)
class Model:
    """A trained network with the names of its classes, and what its file says about it.

    `about` may hold the recipe it was trained by and the metrics it reached.
    """

    network: Network
    class_names: tuple[str, ...]
    about: Mapping[str, Any]


def save_model(path: str | Path, model: Model) -> None:
    """Write the model to a safetensors file, whole or not at all.

    Raises: `InputError` if the model could not be loaded again, or the file cannot be written.
    """
    network = model.network
    if (len(model.class_names),) != network.out_shapes[-1] or not network.is_finite():
        raise InputError(
            f"cannot save a network with outputs {network.out_shapes[-1]} and {len(model.class_names)} class names, or "
            "with weights that are not finite; it could not be loaded again"
        )
    metadata = {
        "format": _FORMAT,
        "input_shape": list(network.in_shape),
        "layers": [layer.config() for layer in network.layers],
        "preprocessing": PREPROCESSING,
        "class_names": list(model.class_names),
        "about": dict(model.about),
    }
    safetensors.write(path, network.tensors(), {key: json.dumps(value) for key, value in metadata.items()})


def load_model(path: str | Path) -> Model:
    """Read a model that `save_model` wrote.

    Raises: `InputError` if the file is damaged, holds no plainnet model, or its weights do not fit its layers.
    """
    tensors, texts = safetensors.read(path)
    try:
        metadata = {key: json.loads(text) for key, text in texts.items() if key != "sha256"}
        if metadata["format"] != _FORMAT:
            raise InputError(f"its format is {metadata['format']!r}, this program reads {_FORMAT!r}")
        dtype = np.result_type(*tensors.values()) if tensors else np.float32
        layers = map(layer_from_config, metadata["layers"])
        network = Network(*layers).build(metadata["input_shape"], values=tensors, dtype=dtype)
        if not network.is_finite():
            raise InputError("its weights are not all finite numbers")
        names = tuple(metadata["class_names"])
        if (len(names),) != network.out_shapes[-1] or not all(isinstance(name, str) for name in names):
            raise InputError(f"it has {len(names)} class names for outputs of shape {network.out_shapes[-1]}")
        return Model(network, names, dict(metadata["about"]))
    except (KeyError, TypeError, AttributeError, ValueError, ArithmeticError, RecursionError, MemoryError) as error:
        reason = f"the key {error} is missing" if isinstance(error, KeyError) else str(error)
        raise InputError(f"{path} does not hold a plainnet model: {reason}") from error
