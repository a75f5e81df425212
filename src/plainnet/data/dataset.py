"""Labelled images in memory, and the split that sets some of them aside without upsetting the class balance."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from plainnet.errors import InputError


class DataSet:
    """Images with their labels; pixels stay bytes and are scaled batch by batch when they are used.

    Shapes: images (N, H, W) uint8, labels (N,) uint8 with values below len(class_names).
    A slice or an array of row numbers gives a smaller data set: `data.train[:1000]`.

    Raises: `InputError` if the counts differ, the set is empty, a label names no class, or two classes have one name.
    """

    def __init__(self, images: np.ndarray, labels: np.ndarray, class_names: Sequence[str]) -> None:
        self.images = images = np.asarray(images)
        self.labels = labels = np.asarray(labels)
        self.class_names = tuple(class_names)
        if len(set(self.class_names)) < len(self.class_names):
            raise InputError(f"each class needs a name of its own, received {', '.join(self.class_names)}")
        if len(images) != len(labels):
            raise InputError(f"{len(images):,} images but {len(labels):,} labels; each image needs exactly one label")
        if len(labels) == 0:
            raise InputError("the data set holds no images; give at least one")
        if not np.issubdtype(labels.dtype, np.integer) or labels.ndim != 1:
            raise InputError(
                f"labels must be whole numbers in one dimension, received {labels.dtype} of shape {labels.shape}"
            )
        if labels.min() < 0 or labels.max() >= len(self.class_names):
            worst = labels.max() if labels.max() >= len(self.class_names) else labels.min()
            raise InputError(f"label {worst} is out of range: labels go from 0 to {len(self.class_names) - 1}")

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, rows: slice | np.ndarray) -> DataSet:
        if isinstance(rows, int | np.integer):
            raise InputError(f"a data set takes a slice or an array of rows; for one image write .images[{rows}]")
        return DataSet(self.images[rows], self.labels[rows], self.class_names)

    def joined(self, other: DataSet) -> DataSet:
        """Return one data set with the images of both."""
        images, labels = (np.concatenate(pair) for pair in ((self.images, other.images), (self.labels, other.labels)))
        return DataSet(images, labels, self.class_names)

    def __repr__(self) -> str:
        return f"DataSet({len(self):,} images of {'x'.join(map(str, self.images.shape[1:]))})"


class Splits(NamedTuple):
    """The three parts of a data set: to learn from, to choose by, and to judge with, once."""

    train: DataSet
    validation: DataSet
    test: DataSet


def stratified_split(labels: np.ndarray, held_out: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Choose `held_out` rows at random so that every class keeps its share.

    Returns the rows kept and the rows held out, each in ascending order. Classes whose share is not a
    whole number are rounded by the largest remainder, so that exactly `held_out` rows are chosen.
    """
    counts = np.bincount(labels)
    share = counts * held_out / len(labels)
    quota = share.astype(np.int64)
    short = held_out - quota.sum()
    quota[np.argsort(quota - share, kind="stable")[:short]] += 1
    chosen = np.zeros(len(labels), bool)
    for label, size in enumerate(quota):
        chosen[rng.permutation(np.flatnonzero(labels == label))[:size]] = True
    return np.flatnonzero(~chosen), np.flatnonzero(chosen)
