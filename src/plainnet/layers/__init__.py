"""The layers, one file each; `layer.py` describes the contract that every layer keeps."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from plainnet.config import construct
from plainnet.errors import InputError
from plainnet.layers.activations import GELU, LeakyReLU, ReLU, Sigmoid, SiLU, Tanh
from plainnet.layers.average_pooling import AveragePool, GlobalAveragePool
from plainnet.layers.convolution import Conv2D
from plainnet.layers.dense import Dense
from plainnet.layers.deskew import Deskew
from plainnet.layers.dropout import Dropout
from plainnet.layers.ensemble import Ensemble
from plainnet.layers.flatten import Flatten
from plainnet.layers.layer import Layer, Parameter
from plainnet.layers.layer_normalization import LayerNorm
from plainnet.layers.noise import GaussianNoise
from plainnet.layers.normalization import BatchNorm
from plainnet.layers.normalize_size import NormalizeSize
from plainnet.layers.pooling import MaxPool
from plainnet.layers.sequential import Residual, Sequential
from plainnet.layers.standardize import Standardize

_KINDS = (
    GELU, AveragePool, BatchNorm, Conv2D, Dense, Deskew, Dropout, Ensemble, Flatten, GaussianNoise,
    GlobalAveragePool, LayerNorm, LeakyReLU, MaxPool, NormalizeSize, ReLU, Residual, Sequential, SiLU, Sigmoid,
    Standardize, Tanh,
)  # fmt: skip
_MOST_LAYERS, _DEEPEST = 1000, 20
OWN_LAYERS = "own_layers_"  # prefix of the module name that a user's file of layers gets
LAYERS: dict[str, type[Layer]] = {kind.__name__: kind for kind in _KINDS}

__all__ = [
    "GELU",
    "LAYERS",
    "OWN_LAYERS",
    "AveragePool",
    "BatchNorm",
    "Conv2D",
    "Dense",
    "Deskew",
    "Dropout",
    "Ensemble",
    "Flatten",
    "GaussianNoise",
    "GlobalAveragePool",
    "Layer",
    "LayerNorm",
    "LeakyReLU",
    "MaxPool",
    "NormalizeSize",
    "Parameter",
    "ReLU",
    "Residual",
    "Sequential",
    "SiLU",
    "Sigmoid",
    "Standardize",
    "Tanh",
    "layer_from_config",
    "layers_from_config",
]


def layers_from_config(tables: Iterable[Mapping[str, Any]], own: Iterable[type[Layer]] = ()) -> list[Layer]:
    """Make a list of layers from their configs; see `layer_from_config`.

    Raises: `InputError` as `layer_from_config` does, and for more than 1,000 layers or layers nested more than 20 deep.

    Example:
        >>> from plainnet.layers import layers_from_config
        >>> layers_from_config([{"type": "Dense", "units": 10}, {"type": "ReLU"}])
        [Dense(units=10), ReLU()]
    """
    if not isinstance(tables, list | tuple):
        raise InputError(
            f'layers must be a list of tables such as [{{type = "Dense", units = 10}}], received {tables!r:.100}'
        )
    level, count = list(tables), 0
    for _ in range(_DEEPEST):
        count += sum(isinstance(part, Mapping) and "type" in part for part in level)
        holding = [part for part in level if isinstance(part, Mapping | list | tuple)]
        level = [item for part in holding for item in (part.values() if isinstance(part, Mapping) else part)]
    if level or count > _MOST_LAYERS:
        raise InputError(f"a network has at most {_MOST_LAYERS:,} layers, nested at most {_DEEPEST} deep")
    return [layer_from_config(table, own) for table in tables]


def layer_from_config(config: Mapping[str, Any], own: Iterable[type[Layer]] = ()) -> Layer:
    """Make the layer that `config` describes, as `Layer.config` returned it.

    `own` are your own layer classes that it may name; a config never causes an import.

    Raises: `InputError` for an unknown type or invalid arguments, or if a class in `own` is not a layer or has the name
    of one of plainnet's layers.

    Example:
        >>> from plainnet.layers import layer_from_config
        >>> layer_from_config({"type": "Dense", "units": 10})
        Dense(units=10)
    """
    kinds = LAYERS | {kind.__name__: kind for kind in _checked(own)}
    if isinstance(config, Mapping):
        kind = config.get("type")
        if isinstance(kind, str) and kind not in kinds:
            raise InputError(
                f"unknown layer type {kind!r}; choose one of {', '.join(sorted(kinds))}, or give the file that defines "
                "it: --layers FILE.py"
            )
        config = {key: _with_layers(value, own) for key, value in config.items()}
    return construct(kinds, config, "layer")


def _with_layers(value: Any, own: Iterable[type[Layer]]) -> Any:
    """Return an argument, with all layer configs in it replaced by layers."""
    if isinstance(value, Mapping) and "type" in value:
        return layer_from_config(value, own)
    if isinstance(value, list | tuple):
        return [_with_layers(part, own) for part in value]
    return value


def _checked(own: Iterable[type[Layer]]) -> Iterable[type[Layer]]:
    for kind in own:
        if not (isinstance(kind, type) and issubclass(kind, Layer)):
            raise InputError(f"your own layers must be classes derived from plainnet.Layer, received {kind!r}")
        if LAYERS.get(kind.__name__, kind) is not kind:
            raise InputError(f"{kind.__name__} is the name of a layer in plainnet; rename your class")
    return own
