"""Suspected label errors: examples whose label is very unlikely to a network that was not trained on them.

The examples are split into parts. Each part is judged by a small network trained on the others, so no network judges
examples that it has memorized. For a test part, two networks are trained on the training examples instead, and their
probabilities are averaged. The first suspects are those with the least probability for their label compared with the
most likely class.

Source: Northcutt, Jiang, Chuang 2021, "Confident learning: estimating uncertainty in dataset labels", for the idea.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from plainnet.data.augmentation import Augmentation
from plainnet.data.dataset import DataSet
from plainnet.layers import Conv2D, Dense, Dropout, Flatten, Layer, MaxPool, ReLU, Standardize
from plainnet.losses import SoftmaxCrossEntropy
from plainnet.network import Network
from plainnet.optimizers import Adam
from plainnet.schedules import one_cycle
from plainnet.training import Training

_PARTS, _MOST, _LEARNERS, _MORE = 3, 12_000, 2, 60_000
_STEPS = 400  # the fewest, for small data
_SURE = 0.5  # probability that another class must reach
_SMALLEST = 12  # pixels: smaller images get no convolutions


@dataclass(frozen=True)
class Suspect:
    """A suspected example: its row, its label, the class that it looks like, and the probabilities of both."""

    row: int
    label: str
    looks_like: str
    of_label: float
    of_other: float


def suspects(data: DataSet, most: int = 20, more: DataSet | None = None) -> list[Suspect]:
    """Return up to `most` examples with probably wrong labels, the most likely first; large data are sampled.

    `more` are other examples of the same classes, to train on.
    """
    if data.kind != "classes" or len(data) < 10 * _PARTS:
        return []
    rows, shares = judged(data, more)
    labels = np.asarray(data.targets)[rows]
    of_label, best = shares[np.arange(len(rows)), labels], shares.argmax(axis=1)
    found = np.flatnonzero((best != labels) & (shares.max(axis=1) > _SURE))
    first = found[np.argsort(of_label[found] - shares[found, best[found]], kind="stable")][:most]
    names = data.class_names
    return [
        Suspect(int(rows[i]), names[labels[i]], names[best[i]], float(of_label[i]), float(shares[i, best[i]]))
        for i in first
    ]


def judged(data: DataSet, more: DataSet | None = None) -> tuple[np.ndarray, np.ndarray]:
    """Return rows (M,), and their probabilities (M, K) by networks that were not trained on them."""
    rows = _some(len(data), _MOST, 0)
    shares = np.zeros((len(rows), len(data.class_names)))
    if more is not None:
        for seed in range(_LEARNERS):
            network = _quick(more[_some(len(more), _MORE, seed)], seed)
            shares += network.probabilities(data.inputs[rows]) / _LEARNERS
        return rows, shares
    parts = np.random.default_rng(0).permutation(len(rows)) % _PARTS
    for part in range(_PARTS):
        inputs = data.inputs[rows[parts == part]]
        shares[parts == part] = _quick(data[rows[parts != part]], part).probabilities(inputs)
    return rows, shares


def _some(count: int, most: int, seed: int) -> np.ndarray:
    """Return the rows of all examples, or of a sample of `most` examples, in ascending order."""
    if count <= most:
        return np.arange(count)
    return np.sort(np.random.default_rng(seed).choice(count, most, replace=False))


def _quick(data: DataSet, seed: int) -> Network:
    """Return a small network, trained on all examples for a few epochs."""
    shape, classes = data.inputs.shape[1:], len(data.class_names)
    images = len(shape) > 1
    filters = images and min(shape[:2]) >= _SMALLEST
    layers: list[Layer] = [Flatten()] if images else [Standardize()]
    if filters:
        seen = [Conv2D(16, 5, stride=2), ReLU(), Conv2D(32, 3), MaxPool(2), ReLU(), Flatten(), Dropout(0.2)]
        layers = [*seen, Dense(128), ReLU(), Dense(classes)]
    else:
        layers += [Dense(128), ReLU(), Dense(classes)]
    network = Network(*layers).build(shape, rng=seed)
    side = min(shape[:2])
    changed = Augmentation(rotation=8, shift=side / 28, scale=0.1, around="edge" if len(shape) == 3 else "dark")
    training = Training(
        network, SoftmaxCrossEntropy(label_smoothing=0.05),
        Adam(beta1=0.7, beta2=0.9) if filters else Adam(weight_decay=0.01),  # as in recipe fast99
        data, batch_size=min(128 if filters else 64, len(data)),
        epochs=max(4 if filters else 8, -(-_STEPS * 64 // len(data))),
        learning_rate=one_cycle(0.008 if filters else 0.004), augmentation=changed if filters and side <= 64 else None,
        rng=seed,
    )  # fmt: skip
    for _ in training:
        pass
    return network
