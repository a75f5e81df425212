"""Stratified splits: choose rows at random so that every class keeps its share."""

from __future__ import annotations

import numpy as np


def stratified_split(labels: np.ndarray, held_out: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Choose `held_out` rows at random so that every class keeps its share.

    Returns the rows kept and the rows held out, each in ascending order. If a class's share is not a whole
    number, it is rounded by the largest-remainder method, so that exactly `held_out` rows are chosen.
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
