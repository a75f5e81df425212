"""Rows of a memory-mapped file: read only when needed, so that the data may be larger than memory."""

from __future__ import annotations

import math
import mmap
from collections.abc import Iterator
from typing import Any

import numpy as np

LARGE = 256_000_000  # bytes; less is copied, which makes training faster, and safe if the file changes
_BLOCK = 16_000_000  # bytes to read at a time


class Rows:
    """Some rows of an array, in some order, with the parts of numpy.ndarray's interface that a data set needs.

    `take` returns an array. Indexing returns an array if the part is small, and `Rows` again if it is large.
    """

    def __init__(self, array: np.ndarray, rows: np.ndarray) -> None:
        self.array, self.rows = array, rows
        self.shape, self.dtype, self.ndim = (len(rows), *array.shape[1:]), array.dtype, array.ndim
        self.size = math.prod(self.shape)
        self.nbytes = self.size * array.dtype.itemsize

    def __len__(self) -> int:
        return len(self.rows)

    def take(self, rows: np.ndarray, axis: int = 0, mode: Any = "raise") -> np.ndarray:
        """Return these rows, as `numpy.take` does along the first axis."""
        if axis != 0:
            raise ValueError(f"rows are taken along the first axis, received axis {axis}")
        return self.array.take(self.rows.take(rows, mode=mode), axis=0)

    def __getitem__(self, part: Any) -> Any:
        first, *rest = part if isinstance(part, tuple) else (part,)
        chosen = self.rows[first]
        if rest and np.ndim(chosen):
            return np.concatenate([block[(slice(None), *rest)] for block in Rows(self.array, chosen).blocks()])
        if rest:
            return self.array[chosen][tuple(rest)]
        return some_rows(self.array, chosen) if np.ndim(chosen) else self.array[chosen]

    def blocks(self) -> Iterator[np.ndarray]:
        """Yield all rows, in blocks."""
        count = max(1, _BLOCK * len(self) // max(1, self.nbytes))
        return (self.array[self.rows[start : start + count]] for start in range(0, len(self), count))

    def min(self) -> Any:
        """Return the smallest number."""
        return np.min([block.min() for block in self.blocks()])

    def max(self) -> Any:
        """Return the largest number."""
        return np.max([block.max() for block in self.blocks()])

    def __array__(self, dtype: np.typing.DTypeLike | None = None, copy: bool | None = None) -> np.ndarray:
        found = self.array[self.rows]
        return found if dtype is None else found.astype(dtype, copy=False)


def some_rows(array: Any, rows: slice | np.ndarray) -> Any:
    """Return rows of an array: a view or a copy, as in NumPy, but `Rows` for a large part of a mapped file."""
    if isinstance(array, Rows):
        return array[rows]
    if isinstance(rows, slice) or not _is_mapped(array):
        return array[rows]
    places = np.flatnonzero(rows) if rows.dtype == bool else rows
    large = len(places) * array[:1].nbytes > LARGE
    return Rows(array, places % len(array)) if large else array[places]


def _is_mapped(array: np.ndarray) -> bool:
    """Return whether an array is mapped from a file."""
    base: Any = array
    while isinstance(base, np.ndarray):
        base = base.base
    return isinstance(base, mmap.mmap) and not array.flags.writeable
