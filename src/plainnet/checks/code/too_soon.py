"""Weights updated too early: find a gradient computed with weights that the same step has already changed."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np

from plainnet.checks.code.cases import Case
from plainnet.checks.code.episode import Episode
from plainnet.checks.code.judging import judge
from plainnet.checks.code.matching import Held, Judgment
from plainnet.checks.code.roles import role_of
from plainnet.checks.code.values import Path, name_of, numbers_in, put

_SMALLER = 1e-3  # times the rate
_SHRINKS = 0.02  # times the error


def with_a_tiny_step(case: Case) -> frozenset[Path]:
    """Return the wrong leaves if all their gradients are right with a tiny step; otherwise none."""
    judgment = case.judgment
    rates = list(_rates(judgment.episode))
    if not rates or not any(claim.step for claim in judgment.claims):
        return frozenset()
    names = copy.deepcopy(judgment.episode.names)
    for path, value in rates:
        put(names, path, value * _SMALLER)
    known = judgment.episode.rate
    episode = replace(judgment.episode, names=names, rate=None if known is None else known * _SMALLER)
    again = next((j for j in judge(episode) if (j.loss, j.output) == (judgment.loss, judgment.output)), None)
    if again is None:
        return frozenset()
    after = {h.path: _error(again, h) for h in again.held}
    wrong = {h.path: _error(judgment, h) for h in case.wrong}
    shrink = wrong and all(after.get(path, np.inf) < _SHRINKS * error for path, error in wrong.items())
    return frozenset(wrong) if shrink else frozenset()


def _rates(episode: Episode) -> Iterator[tuple[Path, float]]:
    """Yield the learning rates in a table."""
    for path, value in numbers_in(episode.names):
        if not isinstance(value, np.ndarray) and role_of(name_of(path)) == "rate":
            yield path, float(value)


def _error(judgment: Judgment, h: Held) -> Any:
    """Return the error of a claim, relative to the largest derivative."""
    if h.claim is None or np.size(h.claim.value) != int(np.prod(h.probes.shape)):
        return np.inf
    sure = np.isfinite(h.errors)
    truth = (1.0 if h.claim.step and judgment.episode.rate is not None else judgment.factor) * h.truth[sure]
    return np.abs(h.given[sure] - truth).max(initial=0.0) / max(np.abs(truth).max(initial=0.0), 1e-300)
