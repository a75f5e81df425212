"""Exchanged height and width: find a gradient that is right for square images but wrong for others."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from plainnet.checks.code.cases import Case
from plainnet.checks.code.judging import judge
from plainnet.checks.code.values import Path


def with_square_images(case: Case) -> frozenset[Path]:
    """Return the wrong leaves if all of them are right with square images; otherwise none."""
    judgment = case.judgment
    episode = judgment.episode
    key = next((key for key in episode.inputs if np.ndim(episode.names.get(key, 0.0)) > 2), None)
    if key is None or "t" in episode.names:
        return frozenset()
    x = episode.names[key]
    for rows, columns in [(x.ndim - 2, x.ndim - 1), (x.ndim - 3, x.ndim - 2)]:
        side = min(x.shape[rows], x.shape[columns])
        if x.shape[rows] == x.shape[columns] or rows < 0:
            continue
        square = np.take(np.take(x, range(side), rows), range(side), columns)
        try:
            again = list(judge(replace(episode, names=episode.names | {key: square})))
        except Exception:  # these two axes are not height and width
            continue
        if any(other.right and other.loss == judgment.loss for other in again):
            return frozenset(h.path for h in case.wrong)
    return frozenset()
