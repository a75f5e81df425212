"""The factor of a claim: gradients of a supposed loss, and steps with an unknown rate, are right up to one common factor."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from plainnet.checks.code.claims import affinity, fits
from plainnet.checks.code.roles import RATE
from plainnet.checks.code.values import Path, follow, number_of
from plainnet.checks.gradients.central import RIGHT

if TYPE_CHECKING:
    from plainnet.checks.code.matching import Held, Judgment

_LEAST_SHARE = 1e-3  # of a claim that the gradient itself makes up; the rest is a penalty
TOLERANCE = 1e-6  # relative to the largest derivative of an array


def common_factor(judgment: Judgment) -> float:
    """Return the common factor between claims and true gradients: 1, unless the loss is inferred or the rate is unknown."""
    rate = judgment.episode.rate
    if rate is not None and not judgment.inferred:
        for claim in judgment.claims:
            if claim.step:
                claim.value = claim.value / rate
        return 1.0
    steps = any(claim.step for claim in judgment.claims)
    if not judgment.inferred and not steps:
        return 1.0
    votes: list[float] = []
    sizes: list[int] = []
    for h in judgment.held:
        for claim in judgment.claims:
            near = h.probes.shape or not elsewhere(h.path, claim.path)
            if near and fits(claim, h.probes.shape) and (judgment.inferred or claim.step):
                given = h.given_by(claim)
                sure = np.isfinite(h.errors)
                norm = float(h.truth[sure] @ h.truth[sure])
                k = float(given[sure] @ h.truth[sure]) / norm if norm else 0.0
                if k and same(given, k * h.truth, abs(k) * h.errors, judgment.episode.tolerance):
                    votes.append(k)
                    sizes.append(int(sure.sum()))
    if not votes and judgment.inferred:
        votes = list(_factors_with_decay(judgment))
        sizes = [2] * len(votes)
    if not votes:
        return 1.0
    alike = np.isclose(np.array(votes)[:, None], np.array(votes), rtol=1e-5)
    best = max(range(len(votes)), key=lambda i: (alike[i].sum(), votes[i] > 0))
    proven = alike[best] @ np.array(sizes) > 1  # a single number fits every factor
    return votes[best] if proven or any(np.isclose(votes[best], plain_factors(judgment), rtol=1e-6)) else 1.0


def plain_factors(judgment: Judgment) -> list[float]:
    """Return the usual factors of the gradient of a supposed loss: 1, 2 or 1/2, times the learning rate, divided by the batch size."""
    n, rate = judgment.episode.batch or 1, judgment.episode.rate or RATE
    return list(dict.fromkeys(r * k * m for r in (1.0, rate) for k in (1.0, 2.0, 0.5) for m in (1.0, 1 / n)))


def penalty(judgment: Judgment, factor: float, taken: set[int]) -> float:
    """Accept claims that equal the true gradient plus one multiple of the weights: a penalty that an inferred loss lacks."""
    fitting: list[tuple[Held, int, float]] = []
    for h in judgment.held:
        for i, claim in enumerate(judgment.claims):
            if h.claim is None and i not in taken and fits(claim, h.probes.shape) and affinity(h.path, claim):
                weight = h.probes.project(follow(judgment.episode.names, h.path))
                excess = h.given_by(claim) - factor * h.truth
                strength = float(excess @ weight / max(weight @ weight, 1e-300))
                matters = np.abs(factor * h.truth).max() > _LEAST_SHARE * np.abs(h.given_by(claim)).max()
                if strength / factor > 0 and matters and same(excess, strength * weight, h.errors, 1e-5):
                    fitting.append((h, i, strength / factor))
    strengths = [strength for _, _, strength in fitting]
    if not strengths or not np.allclose(strengths, strengths[0], rtol=1e-4):
        return 0.0
    for h, i, _ in fitting:
        h.claim, h.verdict = judgment.claims[i], RIGHT
        taken.add(i)
    return strengths[0]


def _factors_with_decay(judgment: Judgment) -> Iterator[float]:
    """Yield k if a claim is k times the true gradient plus a multiple of the weights."""
    for h in judgment.held:
        for claim in judgment.claims:
            sure = np.isfinite(h.errors)
            if fits(claim, h.probes.shape) and affinity(h.path, claim) and sure.sum() > 3:
                given = h.given_by(claim)
                columns = np.column_stack([h.truth, h.probes.project(follow(judgment.episode.names, h.path))])
                solution = np.linalg.lstsq(columns[sure], given[sure], rcond=None)[0]
                least = _LEAST_SHARE * np.abs(given[sure]).max()
                matters = np.abs(solution[0] * h.truth[sure]).max() > least
                if matters and same(given, columns @ solution, h.errors, 1e-5):
                    yield float(solution[0])


def elsewhere(leaf: Path, claim: Path) -> bool:
    """Return whether both are numbers in lists, but not in the same place; equal numbers would be confused."""
    one, other = number_of(leaf), number_of(claim)
    return bool(one and other) and one[-1] != other[-1]


def same(given: np.ndarray, truth: np.ndarray, errors: np.ndarray, tolerance: float = TOLERANCE) -> bool:
    """Return whether a claim equals the true gradient at every probe that can be judged, and there is at least one."""
    sure = np.isfinite(errors)
    if not sure.any() or given.shape != truth.shape or not np.isfinite(given).all():
        return False
    scale = max(np.abs(truth[sure]).max(), 1e-12)
    return bool((np.abs(given - truth)[sure] <= tolerance * scale + errors[sure]).all())
