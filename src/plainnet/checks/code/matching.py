"""Match claimed gradients with leaves: first by their numbers, then by name, then as the only claim of the right shape."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from plainnet.checks.code.claims import Claim, affinity, fits
from plainnet.checks.code.differences import Functional, Probes
from plainnet.checks.code.episode import RETURNED, Episode, Names
from plainnet.checks.code.held_data import is_held_data
from plainnet.checks.code.looks import LOSS_NAME
from plainnet.checks.code.values import Path, follow, name_of, number_of, numbers_in, spelled

_PENALTY = re.compile(r"(?i)l[12]$|reg|lambda|lmbda|decay|penalty")
TOLERANCE = 1e-6  # relative to the largest derivative of an array
RIGHT, WRONG, MISSING, KINKS = "right", "wrong", "missing", "kinks"


@dataclass
class Held:
    """One leaf: its true derivatives, its claimed gradient if there is one, and the verdict."""

    path: Path
    truth: np.ndarray
    errors: np.ndarray
    probes: Probes
    most: int
    claim: Claim | None = None
    verdict: str = MISSING
    factor: float = 1.0

    def is_times(self, factor: float) -> bool:
        """Return whether the claim is this multiple of the true gradient."""
        sure = np.isfinite(self.errors)
        scale = np.abs(self.truth[sure]).max(initial=1e-12) * max(abs(factor), 1.0)
        return bool(sure.any() and (np.abs(self.given - factor * self.truth)[sure] <= TOLERANCE * scale).all())

    @property
    def given(self) -> np.ndarray:
        """The claimed derivative at each probe; a single number for an array counts for every place."""
        assert self.claim is not None
        value = self.claim.value
        if np.size(value) == int(np.prod(self.probes.shape)):
            return self.probes.project(value)
        return self.probes.project(np.full(self.probes.shape, float(np.ravel(value)[0])))


@dataclass
class Judgment:
    """The judgment of one episode with one loss: each leaf with its verdict."""

    episode: Episode
    loss: str
    held: list[Held]
    names: Names  # after forward and backward
    upstream: Any
    output: Path | None
    results: list[Path]
    functional: Functional
    value: float
    inferred: bool = False
    variant: int = 0  # number of the loss among the possible ones
    factor: float = 1.0
    single: bool = False  # something is computed in float32
    per_example: bool = False  # right by a convention: there is one gradient for each example, to be summed
    means: bool = False  # right by a convention: gradients of parameters are means over the batch
    decay: float = 0.0  # strength of a penalty that an inferred loss lacks
    claims: list[Claim] = field(default_factory=list)
    trouble: str | None = None

    def count(self, *verdicts: str) -> int:
        """Return how many leaves have one of these verdicts."""
        return sum(held.verdict in verdicts for held in self.held)

    @property
    def right(self) -> bool:
        """Whether every leaf was judged and is right."""
        return bool(self.held) and self.count(RIGHT) > 0 and self.count(WRONG, MISSING) == 0

    @property
    def share_right(self) -> float:
        """The share of leaves with a right claim, not counting those at kinks."""
        judged = len(self.held) - self.count(KINKS)
        return self.count(RIGHT) / judged if judged else 0.0

    @property
    def says_all(self) -> bool:
        """Whether every leaf has a claim of the right shape."""
        return bool(self.held) and all(h.claim is not None and fits(h.claim, h.probes.shape) for h in self.held)

    @property
    def rank(self) -> tuple[Any, ...]:
        """How well the episode was understood: right or not, leaves explained, leaves with a claim of the right shape."""
        own = sum(held.claim is not None and fits(held.claim, held.probes.shape) for held in self.held)
        return (self.right, self.count(RIGHT), own - len(self.held), self.episode.batch != 1)


def match(judgment: Judgment) -> None:
    """Assign a claim to every leaf: first by numbers, then by name, then as the only claim of its shape."""
    claims = judgment.claims
    upstream = judgment.episode.upstream
    judgment.held = [h for h in judgment.held if _needs_a_gradient(judgment, h)]
    taken: set[int] = set()
    factor = _common_factor(judgment)
    judgment.factor = factor
    for by_name in (True, False):  # matching names first, so that equal numbers are not exchanged
        for h in judgment.held:
            if h.claim is None:
                _match_by_numbers(judgment, h, factor, taken, by_name=by_name)
    if judgment.inferred or _has_a_penalty(judgment):
        judgment.decay = _decay(judgment, factor, taken)
    for h in sorted(judgment.held, key=lambda h: h.verdict):
        if h.claim is not None:
            continue
        named = [(affinity(h.path, c, upstream), i) for i, c in enumerate(claims) if i not in taken and _could_be(h, c)]
        named = [(score, i) for score, i in named if score > 0]
        own_shape = [i for i, c in enumerate(claims) if i not in taken and fits(c, h.probes.shape) and not c.step]
        if named:
            best = max(score for score, _ in named)
            h.claim = claims[next(i for score, i in named if score == best)]
        elif len(own_shape) == 1 and _only_leaf_of_shape(judgment, h):
            h.claim = claims[own_shape[0]]
        elif h.path[0][1] in judgment.episode.inputs:  # its gradient may have been returned with a wrong shape
            rest = [
                i
                for i, c in enumerate(claims)
                if i not in taken
                and c.path[0][1] == RETURNED
                and np.ndim(c.value)
                and not LOSS_NAME.match(name_of(c.path))
            ]
            h.claim = claims[rest[0]] if len(rest) == 1 else None
        if h.claim is not None:
            taken.add(next(i for i, c in enumerate(claims) if c is h.claim))
            h.verdict = WRONG
    for h in judgment.held:
        if not np.isfinite(h.errors).any():
            h.verdict = KINKS
    if _are_means(judgment):
        judgment.means = True
        for h in judgment.held:
            h.verdict = RIGHT


def _match_by_numbers(judgment: Judgment, h: Held, factor: float, taken: set[int], *, by_name: bool) -> None:
    """Assign to a leaf the first claim that equals its true gradient."""
    episode = judgment.episode
    for i, claim in enumerate(judgment.claims):
        fitting = fits(claim, h.probes.shape) or np.size(claim.value) == 1
        if i in taken or not fitting or (by_name and not affinity(h.path, claim, episode.upstream)):
            continue
        if not h.probes.shape and _elsewhere(h.path, claim.path):
            continue
        own = factor if judgment.inferred or (claim.step and episode.rate is None) else 1.0
        if same(_given(h, claim), own * h.truth, h.errors, episode.tolerance):
            h.claim, h.verdict, h.factor = claim, RIGHT, own
            taken.add(i)
            return


def _elsewhere(leaf: Path, claim: Path) -> bool:
    """Return whether both are numbers in lists, but not in the same place; equal numbers would be confused."""
    one, other = number_of(leaf), number_of(claim)
    return bool(one and other) and one[-1] != other[-1]


def _are_means(judgment: Judgment) -> bool:
    """Return whether gradients of parameters are means over the batch, but the gradient of the input is not: a convention.

    If the loss itself is a mean, gradients of parameters are then right, and the gradient of the input is N times as large.
    """
    n, inputs = judgment.episode.batch, judgment.episode.inputs
    if not n or judgment.count(MISSING, KINKS) or not judgment.count(WRONG):
        return False
    learned = [h for h in judgment.held if h.path[0][1] not in inputs]
    given = [h for h in judgment.held if h.path[0][1] in inputs]
    if not learned or any(h.claim is None or not fits(h.claim, h.probes.shape) for h in judgment.held):
        return False
    sizes = {n, *(size for key in inputs for size in np.shape(judgment.episode.names.get(key, 0.0)))} - {1}
    for size in sizes:
        below, beside = (float(size), 1.0) if judgment.upstream is None and not judgment.inferred else (1.0, 1 / size)
        if all(h.is_times(below) for h in given) and all(h.is_times(beside) for h in learned):
            return True
    return False


def _has_a_penalty(judgment: Judgment) -> bool:
    """Return whether a layer holds the strength of a penalty; it then adds the gradient of the penalty itself."""
    if judgment.upstream is None:
        return False
    numbers = numbers_in(judgment.episode.names.get("self"))
    return any(np.size(value) == 1 and np.all(value) and _PENALTY.search(name_of(path)) for path, value in numbers)


def _decay(judgment: Judgment, factor: float, taken: set[int]) -> float:
    """Accept claims that equal the true gradient plus one multiple of the weights: a penalty that an inferred loss lacks."""
    fitting: list[tuple[Held, int, float]] = []
    for h in judgment.held:
        for i, claim in enumerate(judgment.claims):
            if h.claim is None and i not in taken and fits(claim, h.probes.shape) and affinity(h.path, claim):
                weight = h.probes.project(follow(judgment.episode.names, h.path))
                excess = _given(h, claim) - factor * h.truth
                strength = float(excess @ weight / max(weight @ weight, 1e-300))
                if strength / factor > 0 and same(excess, strength * weight, h.errors, 1e-5):
                    fitting.append((h, i, strength / factor))
    strengths = [strength for _, _, strength in fitting]
    if not strengths or not np.allclose(strengths, strengths[0], rtol=1e-4):
        return 0.0
    for h, i, _ in fitting:
        h.claim, h.verdict = judgment.claims[i], RIGHT
        taken.add(i)
    return strengths[0]


def _needs_a_gradient(judgment: Judgment, h: Held) -> bool:
    """Return whether a leaf needs a gradient: a parameter, an input that lower layers may need, or an array with a claim."""
    key, given = h.path[0][1], judgment.episode.given
    if judgment.episode.wrt is not None:
        return (
            key in judgment.episode.wrt
            or spelled(h.path) in judgment.episode.wrt
            or name_of(h.path) in judgment.episode.wrt
        )
    if key not in given:
        return not is_held_data(judgment.episode, h.path)
    if judgment.episode.upstream or all(other.path[0][1] in given for other in judgment.held):
        return key in judgment.episode.inputs
    return any(affinity(h.path, claim) and fits(claim, h.probes.shape) for claim in judgment.claims)


def _could_be(h: Held, claim: Claim) -> bool:
    if LOSS_NAME.match(name_of(claim.path)):
        return False
    size = int(np.prod(h.probes.shape))
    return np.size(claim.value) in (1, size) or np.ndim(claim.value) >= len(h.probes.shape)


def _only_leaf_of_shape(judgment: Judgment, h: Held) -> bool:
    return sum(o.probes.shape == h.probes.shape and o.claim is None for o in judgment.held) == 1


def _given(h: Held, claim: Claim) -> np.ndarray:
    return Held(h.path, h.truth, h.errors, h.probes, h.most, claim).given


def _common_factor(judgment: Judgment) -> float:
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
    for h in judgment.held:
        for claim in judgment.claims:
            near = h.probes.shape or not _elsewhere(h.path, claim.path)
            if near and fits(claim, h.probes.shape) and (judgment.inferred or claim.step):
                given = _given(h, claim)
                sure = np.isfinite(h.errors)
                norm = float(h.truth[sure] @ h.truth[sure])
                k = float(given[sure] @ h.truth[sure]) / norm if norm else 0.0
                if k and same(given, k * h.truth, abs(k) * h.errors, judgment.episode.tolerance):
                    votes.append(k)
    if not votes and judgment.inferred:
        votes = list(_factors_with_decay(judgment))
    if not votes:
        return 1.0
    alike = np.isclose(np.array(votes)[:, None], np.array(votes), rtol=1e-5).sum(axis=1)
    return votes[max(range(len(votes)), key=lambda i: (alike[i], votes[i] > 0))]


def _factors_with_decay(judgment: Judgment) -> Iterator[float]:
    """Yield k if a claim is k times the true gradient plus a multiple of the weights."""
    for h in judgment.held:
        for claim in judgment.claims:
            sure = np.isfinite(h.errors)
            if fits(claim, h.probes.shape) and affinity(h.path, claim) and sure.sum() > 3:
                given = _given(h, claim)
                columns = np.column_stack([h.truth, h.probes.project(follow(judgment.episode.names, h.path))])
                solution = np.linalg.lstsq(columns[sure], given[sure], rcond=None)[0]
                if solution[0] and same(given, columns @ solution, h.errors, 1e-5):
                    yield float(solution[0])


def same(given: np.ndarray, truth: np.ndarray, errors: np.ndarray, tolerance: float = TOLERANCE) -> bool:
    """Return whether a claim equals the true gradient at every probe that can be judged, and there is at least one."""
    sure = np.isfinite(errors)
    if not sure.any() or given.shape != truth.shape or not np.isfinite(given).all():
        return False
    scale = max(np.abs(truth[sure]).max(), 1e-12)
    return bool((np.abs(given - truth)[sure] <= tolerance * scale + errors[sure]).all())
