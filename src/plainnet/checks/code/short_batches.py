"""Short last batches: find a network that divides by a stored batch size even if a batch has fewer examples."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from plainnet.checks.code.episode import MODULE
from plainnet.checks.code.judging import judge
from plainnet.checks.code.matching import RIGHT, Judgment
from plainnet.checks.code.roles import role_of

_FEWER = 2


def kept_batch_size(judgment: Judgment) -> str | None:
    """Return the name of the stored number by which the gradients of a short batch are divided, or None."""
    episode = judgment.episode
    n = episode.batch or 1
    kept = getattr(episode.names.get("self"), "__dict__", {}) | episode.names.get(MODULE, {})
    names = [k for k, v in kept.items() if role_of(k) == "batch" and not isinstance(v, np.ndarray) and v == n]
    if not names or n <= _FEWER:
        return None
    short = {
        key: np.take(value, range(n - _FEWER), value.shape.index(n))
        for key, value in episode.names.items()
        if key in episode.given and isinstance(value, np.ndarray) and n in value.shape
    }
    try:
        judged = list(judge(replace(episode, names=episode.names | short, batch=n - _FEWER)))
    except Exception:  # it does not accept a short batch
        return None
    for again in judged:
        wrong = [h for h in again.held if h.verdict != RIGHT]
        if again.loss == judgment.loss and wrong and all(h.claim and h.is_times((n - _FEWER) / n) for h in wrong):
            return names[0]
    return None
