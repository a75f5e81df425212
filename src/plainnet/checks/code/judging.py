"""The judge: compare the gradient that backward claims for each number with its true derivative."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import numpy as np

from plainnet.checks.code.binding import DY
from plainnet.checks.code.claims import Claim, canonical, speaks_of_gradients
from plainnet.checks.code.differences import Differences, Functional, differences, moved, results_of
from plainnet.checks.code.episode import RETURNED, Episode, Names, changes, note, remembered
from plainnet.checks.code.inferred import losses_of
from plainnet.checks.code.matching import Held, Judgment, match
from plainnet.checks.code.per_example import match_sums
from plainnet.checks.code.values import Path, follow, name_of, numbers_in, put

_MOST_KEPT = 20_000  # numbers in an array that is updated
_BUDGET = 1.5  # seconds of forward passes for one episode


def judge(episode: Episode) -> Iterator[Judgment]:
    """Yield one judgment of an episode for every loss that its gradients may belong to.

    Raises: what the author's code raises.
    """
    names = episode.replay()
    results = _results(remembered(episode.names), names) or _rewritten(episode)
    leaves = list(_leaves_that_move(episode, results))
    started = time.perf_counter()
    moved(episode, leaves[0], follow(episode.names, leaves[0])) if leaves else None
    seconds = max(time.perf_counter() - started, 1e-5)
    most = int(np.clip(_BUDGET / (4 * seconds * max(len(leaves), 1)), 12, 200))
    names = episode.replay()
    here = results_of(names, results)
    tangents = {leaf: differences(episode, leaf, results, most) for leaf in leaves}
    for variant, loss in enumerate(losses_of(episode, names, results, here)):
        after = episode.replay()
        before = remembered(episode.names if episode.backward is None else after)
        if episode.backward is not None:
            try:
                returned = episode.run_back(after, None if loss.upstream is None else np.copy(loss.upstream))
            except Exception as error:  # another output may be the right one
                note(error)
                continue
            after[RETURNED] = _as_floats(returned)
            after.pop(DY, None)
        claims = list(_claims(before, after, set(leaves)))
        held = [_hold(leaf, tangents[leaf], loss.value, most) for leaf in leaves]
        held = [
            h
            for h in held
            if not np.isfinite(h.errors).any() or (np.abs(h.truth) > 10 * h.errors)[np.isfinite(h.errors)].any()
        ]
        judgment = Judgment(
            episode, loss.label, held, after, loss.upstream, loss.output, results, loss.value, loss.value(here),
            inferred=loss.inferred, claims=claims, variant=variant,
        )  # fmt: skip
        judgment.single = any(np.asarray(follow(names, path)).dtype == np.float32 for path in results)
        match(judgment)
        match_sums(judgment)
        if not loss.guessed or judgment.right:
            yield judgment


def _results(before: dict[Path, Any], names: Names) -> list[Path]:
    """Return what forward returned, stored or changed; without large arrays that it updates, such as all weights."""
    found = changes(before, names)
    small = [path for path, value in found.items() if path not in before or np.size(value) <= _MOST_KEPT]
    return small or list(found)


def _rewritten(episode: Episode) -> list[Path]:
    """Return what forward writes again although it is the same as before: an object that holds its data knows no other."""
    names = episode.fresh()
    for path, value in list(numbers_in(names, scalars=False)):
        if value.dtype.kind == "f":
            put(names, path, 1.01 * value + 0.01)
    before = remembered(names)
    episode.run(names)
    return _results(before, names)


def _hold(leaf: Path, tangent: Differences, value: Functional, most: int) -> Held:
    slopes, errors = tangent.slopes(value)
    return Held(leaf, slopes, errors, tangent.probes, most)


def _leaves_that_move(episode: Episode, results: list[Path]) -> Iterator[Path]:
    """Yield the numbers that forward depends on; arrays of zeros get random numbers, so that they hide no dependence."""
    for _ in range(3):
        zeros = 0
        leaves = []
        names = episode.replay()
        here = results_of(names, results)
        after_forward = changes(remembered(episode.names), names)
        changed = after_forward if "script" in episode.options else None
        overwritten = _state(episode, after_forward)
        for path, value in list(numbers_in(episode.names)):
            if changed is not None and path not in changed:
                continue
            if path in overwritten:
                continue
            in_a_list = changed is not None and isinstance(path[-1][1], int)  # weights in plain Python
            if not isinstance(value, np.ndarray) and not in_a_list and not _is_a_parameter(path):
                continue
            rng = np.random.default_rng([3, np.size(value)])
            old = np.copy(value)
            step = rng.standard_normal(np.shape(value)) if isinstance(value, np.ndarray) else 1.0
            try:
                other = results_of(moved(episode, path, old + 1e-3 * step), results)
            except Exception:
                continue
            if any(not np.array_equal(here[r], other[r], equal_nan=True) for r in results if r != path):
                leaves.append(path)
                if not old.any() or (np.size(old) > 1 and np.ptp(old) == 0):  # zeros hide inputs, ones a factor
                    zeros += 1
                    put(
                        episode.names,
                        path,
                        old + 0.3 * (rng.standard_normal(np.shape(value)) if np.ndim(value) else 1.0),
                    )
                    here = results_of(episode.replay(), results)  # otherwise the next leaf would seem to change them
        if not zeros:
            break
    yield from leaves


def _state(episode: Episode, after_forward: dict[Path, Any]) -> set[Path]:
    """Return the arrays of an object into which forward itself writes: they hold its results and are not learned."""
    if episode.backward is None or "script" in episode.options:
        return set()
    return {path for path in after_forward if path[0][1] not in episode.given}


def _is_a_parameter(path: Path) -> bool:
    name = canonical(name_of(path))
    return name.rstrip("0123456789") in ("w", "b", "theta", "m", "slope", "intercept", "gamma", "beta") or name[:2] in (
        "w_",
        "b_",
    )


def _as_floats(returned: Any) -> Any:
    """Return what backward returned, with integer and boolean arrays converted to floats."""
    if isinstance(returned, dict):
        return {key: _as_floats(value) for key, value in returned.items()}
    if isinstance(returned, list | tuple):
        return [_as_floats(value) for value in returned]
    is_whole = isinstance(returned, np.ndarray) and returned.dtype.kind in "iub"
    return returned.astype(float) if is_whole else returned


def _claims(before: dict[Path, Any], after: Names, leaves: set[Path]) -> Iterator[Claim]:
    for path, value in changes(before, after).items():
        if path in leaves and path in before and np.shape(before[path]) == np.shape(value):
            yield Claim(path, before[path] - np.asarray(value), step=True)
        else:
            yield Claim(path, np.copy(value))
    changed = changes(before, after)
    for path, value in numbers_in(after, scalars=False):  # a gradient that happens to be unchanged
        if path not in changed and path not in leaves and speaks_of_gradients(path) and np.any(value):
            yield Claim(path, np.copy(value))
