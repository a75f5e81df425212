"""Promises: answers that are withheld unless they keep a share of right ones, and sets that hold the truth as often.

Both are chosen on held-out examples, and hold for examples that come from where those came from.
"""

from __future__ import annotations

import math

import numpy as np

SHARES = (0.9, 0.95, 0.98, 0.99, 0.995, 0.998, 0.999, 0.9995)  # that can be promised
_RISK = 0.05  # that a promise of certain answers is broken
_MOST_ERRORS = 1000


def as_few(errors: int, trials: int, rate: float) -> float:
    """Return the probability of at most so many errors in so many trials, each being one with this `rate`."""
    logs = np.concatenate([[0.0], np.cumsum(np.log(np.arange(1, trials + 1)))])  # of the factorials
    k = np.arange(errors + 1)
    chosen = logs[trials] - logs[k] - logs[trials - k]
    return float(np.exp(chosen + k * math.log(rate) + (trials - k) * math.log1p(-rate)).sum())


def certain(confidences: np.ndarray, right: np.ndarray) -> dict[str, float]:
    """Return for each share the confidence from which on answers keep it, as text and number; none that cannot be kept.

    Of all confidences it is the least of which this holds: if errors were more frequent than one less the share, as few
    as there are among the answers from it on would be found in one case of twenty at most.

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
    """Return for each share the least probability of a class that belongs to a set which holds the truth as often.

    With n held-out examples it is the probability that all but floor((n + 1) (1 - share)) - 1 of them give their own
    class; the share is then kept on the mean over all that could have been held out.

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
    """Return the least share of `SHARES` that is at least `share`, as `certain` and `sets` name it; "" beyond all."""
    return next((f"{known:g}" for known in SHARES if known >= share - 1e-12), "")
