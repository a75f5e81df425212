"""The layers, one file each; `layer.py` holds the contract they keep."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from plainnet.config import construct
from plainnet.layers.activations import ReLU, Sigmoid, Tanh
from plainnet.layers.average_pooling import AveragePool, GlobalAveragePool
from plainnet.layers.convolution import Conv2D
from plainnet.layers.dense import Dense
from plainnet.layers.dropout import Dropout
from plainnet.layers.ensemble import Ensemble
from plainnet.layers.flatten import Flatten
from plainnet.layers.layer import Layer, Parameter
from plainnet.layers.noise import GaussianNoise
from plainnet.layers.normalization import BatchNorm
from plainnet.layers.pooling import MaxPool

_KINDS = (
    AveragePool, BatchNorm, Conv2D, Dense, Dropout, Ensemble, Flatten, GaussianNoise, GlobalAveragePool, MaxPool, ReLU,
    Sigmoid, Tanh,
)  # fmt: skip
LAYERS: dict[str, type[Layer]] = {kind.__name__: kind for kind in _KINDS}

__all__ = [
    "LAYERS",
    "AveragePool",
    "BatchNorm",
    "Conv2D",
    "Dense",
    "Dropout",
    "Ensemble",
    "Flatten",
    "GaussianNoise",
    "GlobalAveragePool",
    "Layer",
    "MaxPool",
    "Parameter",
    "ReLU",
    "Sigmoid",
    "Tanh",
    "layer_from_config",
]


def layer_from_config(config: Mapping[str, Any]) -> Layer:
    """Make the layer that `config` describes: {"type": "Dense", "units": 10} gives Dense(10)."""
    return construct(LAYERS, config, "layer")
