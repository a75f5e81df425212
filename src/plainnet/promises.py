"""Promises: thresholds with which a promised share of the answers is right.

One kind makes a promised share of the "certain" answers right; the other makes a promised share of the answer sets
hold the true class. Both are chosen on held-out examples, and hold for new examples from the same source.
"""

from __future__ import annotations

import math

import numpy as np

SHARES = (0.9, 0.95, 0.98, 0.99, 0.995, 0.998, 0.999, 0.9995)  # the shares that can be promised
_RISK = 0.05  # probability that a promise of certain answers does not hold
_MOST_ERRORS = 1000


def as_few(errors: int, trials: int, rate: float) -> float:
    """Return the probability of at most this many errors in this many trials, each failing with probability `rate`."""
    logs = np.concatenate([[0.0], np.cumsum(np.log(np.arange(1, trials + 1)))])  # of the factorials
    k = np.arange(errors + 1)
    chosen = logs[trials] - logs[k] - logs[trials - k]
    return float(np.exp(chosen + k * math.log(rate) + (trials - k) * math.log1p(-rate)).sum())


def certain(confidences: np.ndarray, right: np.ndarray) -> dict[str, float]:
    """Return, for each share (as text), the lowest confidence that keeps its promise; impossible shares are left out.

    It is the lowest confidence with this property: if answers of at least this confidence were wrong more often than
    1 - share, so few errors among them would be observed with a probability of at most 5 %.

    Shapes: confidences (N,), right (N,) bools, of held-out examples.
    Source: Clopper, Pearson 1934, "The use of confidence or fiducial limits illustrated in the case of the binomial".
    """
    order = np.argsort(-confidences, kind="stable")
    ends = np.append(np.flatnonzero(~right[order]), len(order))[: _MOST_ERRORS + 1]  # answers with 0, 1, 2, ... errors
    found: dict[str, float] = {}
    for share in SHARES:
        few = ((errors, int(end)) for errors, end in enumerate(ends) if errors < (1 - share) * end)
        kept = [end for errors, end in few if as_few(errors, end, 1 - share) <= _RISK]
        if kept:
            found[f"{share:g}"] = float(confidences[order[max(kept) - 1]])
    return found


def sets(of_truth: np.ndarray) -> dict[str, float]:
    """Return, for each share, the least probability of a class in an answer set, so that this share holds the truth.

    With n held-out examples, all but floor((n + 1) (1 - share)) - 1 of them give their own class at least this
    probability. The promise then holds on average over all held-out sets that could have been drawn.

    Shapes: of_truth (N,), the probability of each held-out example's own class.
    Source: Vovk, Gammerman, Shafer 2005, "Algorithmic learning in a random world", section 4.2.
    """
    ordered = np.sort(of_truth)
    found = {}
    for share in SHARES:
        outside = math.floor((len(ordered) + 1) * (1 - share) + 1e-9)
        if outside >= 1:
            found[f"{share:g}"] = float(ordered[outside - 1])
    return found


def named(share: float) -> str:
    """Return the name of the least of `SHARES` that is at least `share`, as in `certain` and `sets`; "" if none is."""
    return next((f"{known:g}" for known in SHARES if known >= share - 1e-12), "")
