"""Standardizing: `Standardize` layers learn means and deviations from the training data before the first step."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from plainnet.data.dataset import DataSet
from plainnet.layers import Standardize
from plainnet.network import Network

_BLOCK = 1000  # examples at a time


def learn_scales(network: Network, train: DataSet) -> None:
    """Let a first `Standardize` layer learn from the inputs, and a last, inverse one from the targets."""
    first, last = network.layers[0], network.layers[-1]
    if isinstance(first, Standardize) and not first.inverse:
        with network.context(training=False):
            first.learn(network.as_input(block) for block in _blocks(train.inputs))
    if isinstance(last, Standardize) and last.inverse:
        last.learn(block.reshape(len(block), -1) for block in _blocks(train.targets))


def _blocks(values: np.ndarray) -> Iterator[np.ndarray]:
    return (values[start : start + _BLOCK] for start in range(0, len(values), _BLOCK))
