"""Gradients for each example, (N, *shape of the parameter): right if their sum over the batch is the gradient."""

from __future__ import annotations

import numpy as np

from plainnet.checks.code.claims import Claim
from plainnet.checks.code.factors import same
from plainnet.checks.code.matching import RIGHT, Held, Judgment


def match_sums(judgment: Judgment) -> None:
    """Accept one gradient for each example if all parameters have them; a bias alone was not summed by mistake."""
    found = {h.path: claim for h in judgment.held if h.verdict != RIGHT and (claim := _summed(judgment, h)) is not None}
    learned = [h for h in judgment.held if h.path[0][1] not in judgment.episode.inputs]
    if not any(len([n for n in h.probes.shape if n > 1]) > 1 and h.path in found for h in learned):
        return
    if any(h.path not in found for h in learned) or any(
        h.verdict != RIGHT and h.path not in found for h in judgment.held
    ):
        return
    for h in judgment.held:
        if h.path in found:
            h.claim, h.verdict = found[h.path], RIGHT
    judgment.per_example = True


def _summed(judgment: Judgment, h: Held) -> Claim | None:
    """Return the sum of the first claim with a right gradient for each example; None if there is none."""
    n = judgment.episode.batch or 1
    for claim in judgment.claims:
        value = np.asarray(claim.value)
        if n == 1 or value.ndim < 2 or value.shape[0] != n or value.size != n * int(np.prod(h.probes.shape)):
            continue
        total = value.sum(axis=0).reshape(h.probes.shape)
        if same(h.probes.project(total), judgment.factor * h.truth, h.errors, judgment.episode.tolerance):
            return Claim(claim.path, total)
    return None
