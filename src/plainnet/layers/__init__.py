"""The layers, one file each; `layer.py` holds the contract they keep."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from plainnet.config import construct
from plainnet.layers.activations import ReLU, Sigmoid, Tanh
from plainnet.layers.dense import Dense
from plainnet.layers.flatten import Flatten
from plainnet.layers.layer import Layer, Parameter

__all__ = ["LAYERS", "Dense", "Flatten", "Layer", "Parameter", "ReLU", "Sigmoid", "Tanh", "layer_from_config"]

LAYERS: dict[str, type[Layer]] = {kind.__name__: kind for kind in (Dense, Flatten, ReLU, Sigmoid, Tanh)}


def layer_from_config(config: Mapping[str, Any]) -> Layer:
    """Make the layer that `config` describes: {"type": "Dense", "units": 10} gives Dense(10)."""
    return construct(LAYERS, config, "layer")
