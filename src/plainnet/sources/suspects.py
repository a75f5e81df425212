"""Suspected label errors: examples whose label a network that has not seen them finds very unlikely.

The examples are split in parts, and each part is judged by a small network that has learned from the others; so no
example is judged by what has learned it by heart. Those come first whose own label got the least probability beside the
likeliest.

Source: Northcutt, Jiang, Chuang 2021, "Confident learning: estimating uncertainty in dataset labels", for the idea.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from plainnet.data.dataset import DataSet
from plainnet.layers import Dense, Flatten, Layer, ReLU, Standardize
from plainnet.losses import SoftmaxCrossEntropy
from plainnet.network import Network
from plainnet.optimizers import Adam
from plainnet.training import Training

_PARTS, _EPOCHS, _MOST = 3, 8, 12_000
_STEPS = 400  # at least, of small data
_SURE = 0.8  # of the probability, that another class must get


@dataclass(frozen=True)
class Suspect:
    """An example: its row, the names of its label and of the class that it looks like, and their probabilities."""

    row: int
    label: str
    looks_like: str
    of_label: float
    of_other: float


def suspects(data: DataSet, most: int = 20) -> list[Suspect]:
    """Return up to `most` examples that are probably labeled wrongly, the likeliest first; of large data, a sample."""
    if data.kind != "classes" or len(data) < 10 * _PARTS:
        return []
    rows = np.arange(len(data))
    if len(data) > _MOST:
        rows = np.sort(np.random.default_rng(0).choice(rows, _MOST, replace=False))
    parts = np.random.default_rng(0).permutation(len(rows)) % _PARTS
    shares = np.zeros((len(rows), len(data.class_names)))
    for part in range(_PARTS):
        learned, judged = data[rows[parts != part]], data[rows[parts == part]]
        shares[parts == part] = _quick(learned).probabilities(judged.inputs)
    labels = np.asarray(data.targets)[rows]
    of_label, best = shares[np.arange(len(rows)), labels], shares.argmax(axis=1)
    found = np.flatnonzero((best != labels) & (shares.max(axis=1) > _SURE))
    first = found[np.argsort(of_label[found] - shares[found, best[found]], kind="stable")][:most]
    names = data.class_names
    return [
        Suspect(int(rows[i]), names[labels[i]], names[best[i]], float(of_label[i]), float(shares[i, best[i]]))
        for i in first
    ]


def _quick(data: DataSet) -> Network:
    layers: list[Layer] = [Flatten()] if data.inputs.ndim > 2 else [Standardize()]
    network = Network(*layers, Dense(128), ReLU(), Dense(len(data.class_names))).build(data.inputs.shape[1:])
    training = Training(
        network, SoftmaxCrossEntropy(label_smoothing=0.05), Adam(weight_decay=0.01), data,
        batch_size=min(64, len(data)), epochs=max(_EPOCHS, -(-_STEPS * 64 // len(data))), learning_rate=0.002,
    )  # fmt: skip
    for _ in training:
        pass
    return network
