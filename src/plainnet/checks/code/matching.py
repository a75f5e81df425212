"""Match claimed gradients with leaves: first by their numbers, then by name, then as the only claim of the right shape."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from plainnet.checks.code.claims import Claim, affinity, fits
from plainnet.checks.code.differences import Functional, Probes
from plainnet.checks.code.episode import RETURNED, Episode, Names
from plainnet.checks.code.factors import TOLERANCE, common_factor, elsewhere, penalty, same
from plainnet.checks.code.held_data import is_held_data
from plainnet.checks.code.looks import LOSS_NAME
from plainnet.checks.code.values import Path, name_of, numbers_in, spelled

_PENALTY = re.compile(r"(?i)l[12]$|reg|lambda|lmbda|decay|penalty")
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
        """The claimed derivative at each probe."""
        assert self.claim is not None
        return self.given_by(self.claim)

    def given_by(self, claim: Claim) -> np.ndarray:
        """Return the derivative that a claim gives at each probe; a single number for an array counts for every place."""
        value = claim.value
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
    factor = common_factor(judgment)
    judgment.factor = factor
    for by_name in (True, False):  # matching names first, so that equal numbers are not exchanged
        for h in judgment.held:
            if h.claim is None:
                _match_by_numbers(judgment, h, factor, taken, by_name=by_name)
    if judgment.inferred or _has_a_penalty(judgment):
        judgment.decay = penalty(judgment, factor, taken)
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
        elif judgment.upstream is not None:  # the sum over all units may have been returned for each of them
            numbers = [
                i for i, c in enumerate(claims) if i not in taken and c.path[0][1] == RETURNED and np.size(c.value) == 1
            ]
            h.claim = claims[numbers[0]] if len(numbers) == 1 else None
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
        if not h.probes.shape and elsewhere(h.path, claim.path):
            continue
        own = factor if judgment.inferred or (claim.step and episode.rate is None) else 1.0
        if same(h.given_by(claim), own * h.truth, h.errors, episode.tolerance):
            h.claim, h.verdict, h.factor = claim, RIGHT, own
            taken.add(i)
            return


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
