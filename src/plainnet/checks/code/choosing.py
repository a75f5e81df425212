"""Choose among the many ways to run a backward pass: the best is the one in which most arrays have their own claim."""

from __future__ import annotations

import inspect
import itertools
import re
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from plainnet.checks.code.claims import Claim, affinity, fits
from plainnet.checks.code.episode import (
    RETURNED,
    TROUBLE,
    Deadline,
    Episode,
    Names,
    OutOfTime,
    changes,
    note,
    remembered,
    settle,
)
from plainnet.checks.code.judging import judge
from plainnet.checks.code.matching import MISSING, RIGHT, WRONG, Judgment
from plainnet.checks.code.presuming import is_no_call
from plainnet.checks.code.values import Path, numbers_in

_HUGE = 1e8  # gradients as large as this come from dividing by a clipped probability
_MOST_TRIED, _MOST_JUDGED, _MOST_SETTINGS = 1000, 24, 6
_MOST_HELD = 20_000_000  # numbers in the tables of all ways; each is there twice


@dataclass
class Search:
    """The result of a search: the judgments of every way to call the code, how many ran, and what the others raised."""

    groups: list[list[Judgment]] = field(default_factory=list)
    ran: int = 0
    tried: int = 0
    raised: dict[str, int] = field(default_factory=lambda: TROUBLE)
    ranks: set[int] = field(default_factory=set)  # of the inputs that forward took

    @property
    def trouble(self) -> str:
        """The most frequent error."""
        return max(self.raised, key=lambda said: self.raised[said]) if self.raised else "no way to call it was found"

    @property
    def best(self) -> list[Judgment]:
        """The judgments of the best way, one for each setting, those with something wrong first."""
        return self.groups[0] if self.groups else []


def search(episodes: Iterable[Episode], seconds: float = 50.0) -> Search:
    """Try the ways to run a backward pass, and judge the most promising; a way that is right is judged in all settings."""
    TROUBLE.clear()
    found = Search()
    started = time.monotonic()
    ranked = _ranked(episodes, found, started + seconds / 2)
    Deadline.at = started + seconds
    try:
        groups = [group for group in _grouped(_judged_first(ranked)) if _counts(group, found.ranks)]
        found.groups = _with_other_objects(groups)
    finally:
        Deadline.at = float("inf")
    return found


def _with_other_objects(groups: list[list[Judgment]]) -> list[list[Judgment]]:
    """Add to a right group the objects for which nothing is right, such as one activation among several of a class."""
    if not groups or not all(judgment.right for judgment in groups[0]):
        return groups
    same = [j for group in groups for j in group if j.episode.way == groups[0][0].episode.way]
    right = {_object(j.episode) for j in same if j.right}
    wrong = [
        j
        for j in same
        if _object(j.episode) not in right and j.count(WRONG) and not j.variant and not _is_left_to_the_loss(j)
    ]
    return [[*wrong, *groups[0]], *groups[1:]] if wrong else groups


def _is_left_to_the_loss(judgment: Judgment) -> bool:
    """Return whether the derivative is the number 1: of a softmax, whose derivative is then part of that of the loss."""
    claims = [h.claim.value for h in judgment.held if h.claim is not None]
    return bool(claims) and all(np.ndim(value) == 0 and value == 1 for value in claims)


def _object(episode: Episode) -> str:
    """Return how the object was made, from the label of an episode."""
    return episode.label.rpartition(", x ")[0]


def _counts(group: list[Judgment], ranks: set[int]) -> bool:
    """Return whether a way to call counts: if it also accepts a matrix, a wrong result for a vector proves no fault."""
    vector = all(np.ndim(judgment.episode.names.get("x", 0.0)) == 1 for judgment in group)
    return not vector or 2 not in ranks or any(judgment.right for judgment in group)


def _ranked(episodes: Iterable[Episode], found: Search, until: float) -> list[Episode]:
    """Return the ways that run, the most promising first, as far as time allows."""
    ranked: list[tuple[tuple[float, ...], int, Episode]] = []
    held = 0
    Deadline.at = until
    try:
        for episode in itertools.islice(episodes, _MOST_TRIED):
            found.tried += 1
            try:
                with np.errstate(all="ignore"):
                    settle(episode)
                    found.ranks.add(np.ndim(episode.names.get("x", 0.0)))
                    ranked.append((_promise(episode), -found.tried, episode))
                held += episode.size
                if held > _MOST_HELD:  # of large networks, only the more promising half is kept
                    ranked.sort(key=lambda entry: entry[:2], reverse=True)
                    del ranked[(len(ranked) + 1) // 2 :]
                    held = sum(one.size for _, _, one in ranked)
            except Exception as error:
                note(error, 1000)
    except OutOfTime:
        pass
    except Exception as error:  # what made the next way
        note(error)
    finally:
        Deadline.at = float("inf")
    found.ran = len(ranked)
    ranked.sort(key=lambda entry: entry[:2], reverse=True)
    ways = [episode for _, _, episode in ranked]
    if any(episode.batch != 1 for episode in ways):  # one row is for layers that fail for several
        ways = [episode for episode in ways if set(np.shape(episode.names.get("x", 0.0))[:-1]) != {1}]
    return _by_turns(ways)


def _by_turns(ranked: list[Episode]) -> list[Episode]:
    """Order the ways so that forward passes alternate, those that belong to backward first, then by their best way."""
    queues: dict[object, list[Episode]] = {}
    for episode in sorted(ranked, key=lambda e: not e.belongs):
        queues.setdefault(episode.functions.get("forward"), []).append(episode)
    return _turns(queues.values())


def _judged_first(queue: list[Episode]) -> list[Judgment]:
    """Judge the most promising ways; if one is right, judge it in all its settings and return only that one."""
    judged: list[Judgment] = []
    for number, episode in enumerate(queue[:_MOST_JUDGED]):
        new = _judged([episode])
        judged += new
        right = next((j for j in new if j.right), None)
        rest = queue if counts_examples(episode) else queue[number + 1 :]
        if right is not None and not (right.episode.batch == 1 and _larger(rest)):
            same = _of_all_objects([other for other in queue if other.way == episode.way and other is not episode])
            return _judged(same[:_MOST_SETTINGS]) + new
    return judged


def _of_all_objects(same: list[Episode]) -> list[Episode]:
    """Order the settings so that the ways to make the object alternate: each stride, each activation."""
    queues: dict[str, list[Episode]] = {}
    for episode in same:
        queues.setdefault(_object(episode), []).append(episode)
    return _turns(queues.values())


def _turns(queues: Iterable[list[Episode]]) -> list[Episode]:
    return [episode for turn in itertools.zip_longest(*queues) for episode in turn if episode is not None]


def counts_examples(episode: Episode) -> bool:
    """Return whether the text of a backward pass mentions a batch, such as the length of its argument."""
    try:
        text = inspect.getsource(episode.functions["backward"])
    except (OSError, TypeError, KeyError):
        return False
    return re.search(r"shape\[-?\d\]|\blen\(|batch", text) is not None


def _of_a_vector(group: list[Judgment]) -> bool:
    """Return whether a loss is right for one example given as a vector, which may be its purpose."""
    first = group[0]
    alone = all(h.path[0][1] in first.episode.given for h in first.held) and not counts_examples(first.episode)
    return alone and first.right and first.upstream is None and np.ndim(first.episode.names.get("x", 0.0)) == 1


def _rank(group: list[Judgment]) -> tuple[object, ...]:
    """Rank a way by how well it was understood: right everywhere, the share of leaves explained, its best setting."""
    explained = sum(judgment.share_right for judgment in group) / len(group)
    last = max((i for i, h in enumerate(group[0].held) if h.verdict == RIGHT), default=-1)  # nearest to the output
    return (
        all(judgment.right for judgment in group),
        any(judgment.held for judgment in group),
        round(explained, 6),
        max(judgment.rank for judgment in group),
        last,
    )


def _larger(queue: list[Episode]) -> bool:
    """Return whether a way with a larger batch is still to be judged."""
    return any(episode.batch != 1 for episode in queue[:_MOST_JUDGED])


def _judged(episodes: list[Episode]) -> list[Judgment]:
    judged = []
    for episode in episodes:
        try:
            with np.errstate(all="ignore"):
                judged += list(judge(episode))
        except Exception as error:
            note(error)
        except OutOfTime:
            break
    return judged


def _grouped(judged: list[Judgment]) -> list[list[Judgment]]:
    """Group the judgments by way and loss, the group that explains most first."""
    right = [np.shape(j.episode.names.get("x", 0.0)) for j in judged if j.right]
    judged = [j for j in judged if j.right or not right or not _is_no_setting(j, right)]
    groups: dict[object, list[Judgment]] = {}
    for judgment in judged:
        groups.setdefault((judgment.episode.way, judgment.loss, judgment.output, judgment.variant), []).append(judgment)
    ordered = sorted(groups.values(), key=_rank, reverse=True)
    if (
        ordered and ordered[0][0].episode.batch == 1 and not _of_a_vector(ordered[0])
    ):  # a batch of one hides every mean: a larger batch counts if it explains as much
        most = len(ordered[0][0].held)
        larger = [
            g
            for g in ordered
            if g[0].episode.batch != 1
            and g[0].says_all
            and len(g[0].held) >= most
            and (g[0].count(RIGHT) or not g[0].inferred)
        ]
        ordered = larger + [group for group in ordered if group not in larger]
    return [sorted(group, key=lambda j: (j.right, not j.count(WRONG, MISSING))) for group in ordered]


def _is_no_setting(judgment: Judgment, right: list[tuple[int, ...]]) -> bool:
    """Return whether an input does not suit the object: it was broadcast, or has other channels, first or last, than images that are right."""
    if any(is_no_call(judgment, h) for h in judgment.held if h.verdict == WRONG):
        return True
    size, known = np.shape(judgment.episode.names.get("x", 0.0)), [image for image in right if len(image) == 4]
    return len(size) == 4 and bool(known) and all(size[1] != i[1] and size[-1] != i[-1] for i in known)


def _run_with_ones(episode: Episode) -> tuple[Names, dict[Path, Any]]:
    """Run forward and backward with an upstream gradient of ones; return the table, and its content before backward.

    Raises: what the author's code raises if no choice of the output works.
    """
    names = episode.replay()
    made = [v for k, v in names.items() if isinstance(v, np.ndarray) and k not in episode.names and k != "<out>"]
    outs = [names.get("<out>", 1.0), *made[:3]] if episode.upstream else [None]
    if episode.upstream and "<out>" not in names and not made:
        outs = [v for p, v in changes(remembered(episode.names), names).items() if np.ndim(v)][:1] or outs
    for number, out in enumerate(outs):
        names = episode.replay()
        before = remembered(episode.names if episode.backward is None else names)
        try:
            if episode.backward is not None:
                names[RETURNED] = episode.run_back(names, None if out is None else np.ones(np.shape(out)))
            return names, before
        except Exception:
            if number == len(outs) - 1:
                raise
    raise AssertionError


def _promise(episode: Episode) -> tuple[float, ...]:
    """Return how promising a way is, without derivatives: how many arrays have a claim of their shape and name."""
    names, before = _run_with_ones(episode)
    held = [
        (path, value)
        for path, value in numbers_in(episode.names)
        if path[0][1] not in episode.given or path[0][1] in episode.inputs
    ]
    claims = [Claim(path, value) for path, value in changes(before, names).items()]
    fitting = loosely = 0
    for path, value in held:
        loosely += any(fits(claim, np.shape(value)) for claim in claims)
        if any(
            fits(claim, np.shape(value)) and (affinity(path, claim, True) or claim.path == path) for claim in claims
        ):
            fitting += 1
    finite = all((np.abs(np.asarray(claim.value, float)) < _HUGE).all() for claim in claims)
    return (finite, fitting, loosely, episode.batch != 1)
