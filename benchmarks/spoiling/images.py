"""Mistakes in the data: other labels, other numbers, fewer of some."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from plainnet import DataSet
from plainnet.data.splits import Splits

Mistake = Callable[[Splits, np.random.Generator], Splits]
Labels = Callable[[np.ndarray, int, np.random.Generator], np.ndarray]
Part = Callable[[DataSet, np.random.Generator], DataSet]


def _numbers(part: DataSet, scale: float = 1.0, mean: float = 0.0) -> DataSet:
    return DataSet(
        (part.images.astype(np.float32) / 255 * scale + mean).astype(np.float32), part.labels, part.class_names
    )


def numbers(scale: float, mean: float = 0.0) -> Mistake:
    """Return what makes pixels numbers from `mean` to `mean + scale`."""
    return lambda data, rng: Splits.of(*(_numbers(part, scale, mean) for part in data))


def times(scale: float) -> Part:
    """Return what multiplies the pixels of a part, which go from 0 to 1."""
    return lambda part, rng: _numbers(part, scale)


def inverted(part: DataSet, rng: np.random.Generator) -> DataSet:
    """Exchange dark and light."""
    return _numbers(part, -1.0, 1.0)


def validation(change: Part) -> Mistake:
    """Return what changes the images to validate with, and nothing else."""

    def mistake(data: Splits, rng: np.random.Generator) -> Splits:
        train, held_out, test = data
        held_out = change(held_out, rng)
        if held_out.images.dtype != train.images.dtype:
            train, test = _numbers(train), _numbers(test)
        return Splits.of(train, held_out, test)

    return mistake


def permuted(labels: np.ndarray, classes: int, rng: np.random.Generator) -> np.ndarray:
    """Shuffle the labels and forget the images."""
    return rng.permutation(labels)


def one_further(labels: np.ndarray, classes: int, rng: np.random.Generator) -> np.ndarray:
    """Give every image the label of the one after it."""
    return np.roll(labels, 1)


def plus(shift: int) -> Labels:
    """Return what counts the classes from another place."""
    return lambda labels, classes, rng: (labels.astype(int) + shift) % classes


def noisy(share: float) -> Labels:
    """Return what gives a share of the images a class at random."""
    return lambda labels, classes, rng: np.where(
        rng.random(len(labels)) < share, rng.integers(0, classes, len(labels)), labels
    )


def relabeled(change: Labels, *, train: bool = True, validation: bool = True, settled: bool = True) -> Mistake:
    """Return what changes the labels of the parts named; not `settled`, those of the test images as well."""

    def mistake(data: Splits, rng: np.random.Generator) -> Splits:
        chosen = (train, validation, not settled)
        return Splits.of(*(
            DataSet(part.images, change(part.labels, len(part.class_names), rng), part.class_names) if wanted else part
            for part, wanted in zip(data, chosen, strict=True)
        ))  # fmt: skip

    return mistake


def mostly_one(share: float) -> Mistake:
    """Return what leaves so few training images of other classes that one has this share."""

    def mistake(data: Splits, rng: np.random.Generator) -> Splits:
        train, rest = data.train, (data.validation, data.test)
        ours, others = np.flatnonzero(train.labels == 1), np.flatnonzero(train.labels != 1)
        kept = others[: round(len(ours) * (1 - share) / share)]
        rows = np.resize(np.concatenate([ours, kept]), 600)
        return Splits.of(train[rng.permutation(rows)], *rest)

    return mistake


def without_classes(count: int) -> Mistake:
    """Return what loses all training images of some classes."""

    def mistake(data: Splits, rng: np.random.Generator) -> Splits:
        lost = rng.choice(len(data.train.class_names), count, replace=False)
        return Splits.of(data.train[np.flatnonzero(~np.isin(data.train.labels, lost))], data.validation, data.test)

    return mistake
