"""Targets for an output: classes, one-hot rows and columns, real numbers, zeros and ones."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np


def targets_like(shape: tuple[int, ...]) -> Iterator[np.ndarray]:
    """Yield targets for an output of this shape: one-hot rows or columns, classes, real numbers, zeros and ones."""
    if 0 in shape:
        return
    rng = np.random.default_rng(4)

    def classes(count: int, of: int) -> np.ndarray:
        found = rng.integers(0, of, count)
        found[0] = of - 1  # the highest class occurs, so that code that counts classes from labels finds all of them
        return found

    if len(shape) == 2 and shape[1] > 1:
        yield np.eye(shape[1])[classes(shape[0], shape[1])]
        yield classes(shape[0], shape[1])
    if len(shape) == 2 and shape[0] > 1:
        yield np.eye(shape[0])[classes(shape[1], shape[0])].T
        yield classes(shape[1], shape[0])
    yield rng.random(shape)
    if len(shape) == 1 and shape[0]:
        yield np.eye(shape[0])[rng.integers(0, shape[0])]
        yield np.array(shape[0] - 1)
        yield rng.integers(0, 2, shape[0])
    if len(shape) == 2:
        yield (rng.random(shape) > 0.5) * 1.0
        if 1 in shape:
            yield rng.random(shape).reshape(-1)
            yield (rng.random(shape) > 0.5).reshape(-1) * 1
    if len(shape) == 2 and shape[0] != shape[1]:  # the other layout, for code that transposes it itself
        yield np.eye(shape[0])[classes(shape[1], shape[0])]
        yield rng.random(shape[::-1])
    if not shape:
        yield np.array(1.0)
