"""Faults of state: changed arguments, stale caches, gradients that add up from call to call."""

from __future__ import annotations

import ast
import copy
import inspect
import re
from typing import Any, NamedTuple

import numpy as np

from plainnet.checks.code.binding import DY, IN_PLACE
from plainnet.checks.code.claims import Claim
from plainnet.checks.code.episode import RETURNED, Episode, Names, required
from plainnet.checks.code.looks import own_classes
from plainnet.checks.code.matching import RIGHT, Judgment
from plainnet.checks.code.recurrent_starts import HIDDEN
from plainnet.checks.code.roles import tree_of
from plainnet.checks.code.values import Path, follow

_CLEARS = re.compile(r"zero|clear|reset", re.I)


class Found(NamedTuple):
    """A fault of state: the leaf with the affected gradient, the fault's name in the catalogue, and the evidence."""

    leaf: Path | None
    slug: str
    evidence: str
    remark: bool = False


def faults_of_state(judgment: Judgment) -> list[Found]:
    """Return the faults of state of a pass, faults before remarks; checks that cannot run again are skipped."""
    found = []
    for look in (_edits, _adds_up, _stale, _ties):
        try:
            found += look(judgment)
        except Exception:
            continue
    return sorted(found, key=lambda one: one.remark)


def _edits(judgment: Judgment) -> list[Found]:
    """Find arguments that a call has changed."""
    episode = judgment.episode
    names = episode.replay()
    edited = _edited(episode, names)
    if edited:
        evidence = f"forward changes {edited}"
        remark = IN_PLACE in names or _is_shifted(episode.names[edited], names[edited])
        return [Found((("item", edited),), "input-edited-in-place", evidence, remark)]
    if episode.backward is None:
        return []
    dy = None if judgment.upstream is None else np.copy(judgment.upstream)
    episode.run_back(names, dy)
    edited = _edited(episode, names)
    if edited:
        return [Found((("item", edited),), "input-edited-in-place", f"backward changes {edited}", True)]
    if dy is not None and not np.array_equal(dy, judgment.upstream):
        slug = "input-edited-in-place"
        return [Found(None, slug, "backward changes the gradient that it is given", True)]
    return []


def _is_shifted(before: np.ndarray, after: np.ndarray) -> bool:
    """Return whether a number was subtracted from all elements, or from each row or column, as in a softmax: z -= max(z)."""
    shift = after - before
    return any(np.allclose(shift, np.mean(shift, axis=axis, keepdims=True)) for axis in (None, *range(shift.ndim)))


def _own(judgment: Judgment) -> dict[Path, Claim]:
    """Return the claims by their leaves; none if one of them is an update step."""
    if judgment.episode.backward is None or any(h.claim is not None and h.claim.step for h in judgment.held):
        return {}
    return {h.path: h.claim for h in judgment.held if h.claim is not None}


def _adds_up(judgment: Judgment) -> list[Found]:
    """Find gradients that grow from call to call and that nothing clears; those of a cell add up over a sequence."""
    episode, own = judgment.episode, _own(judgment)
    if any(map(HIDDEN.search, required(episode.functions["forward"]))):
        return []
    names = episode.fresh()
    learned = [h.path for h in judgment.held if h.path[0][1] not in episode.inputs]
    before = [np.copy(follow(names, path)) for path in learned]
    first, second, third = (_pass(episode, names, judgment, own) for _ in range(3))
    if any(not np.array_equal(old, follow(names, path)) for old, path in zip(before, learned, strict=True)):
        return []  # it updates the parameters, which changes the gradients
    for leaf in own:
        growth = second[leaf] - first[leaf]
        if not _same(second[leaf], first[leaf]) and _same(third[leaf] - second[leaf], growth):
            kept = own[leaf].spelled.partition("[")[0].rpartition(".")[2]
            if clears(episode, names, kept) is not None:
                return []
            evidence = "each further forward and backward pass with the same batch adds the same amount to it"
            return [Found(leaf, "gradient-accumulated", evidence)]
    return []


def _ties(judgment: Judgment) -> list[Found]:
    """Find pooling that gives the whole gradient to every maximum of a tie, which central differences cannot show."""
    episode = judgment.episode
    h = next((h for h in judgment.held if h.path[0][1] in episode.inputs and h.verdict == RIGHT), None)
    x = None if h is None else episode.names.get(h.path[0][1])
    if h is None or not isinstance(x, np.ndarray) or x.ndim < 3 or judgment.upstream is None or len(judgment.held) > 1:
        return []
    names = episode.fresh()
    names[h.path[0][1]][...] = np.sign(x)
    given = np.asarray(_pass(episode, names, judgment, {h.path: h.claim})[h.path]) if h.claim else x
    total, sent = float(np.sum(given)), float(np.sum(judgment.upstream))
    kept = float(np.sum(h.truth[np.isfinite(h.errors)]))
    if not np.isclose(kept, sent, rtol=1e-6) or np.isclose(total, sent, rtol=1e-9):
        return []  # only a selection, such as pooling, preserves the sum of its gradient
    evidence = f"with ties in the windows, the gradients of the inputs sum to {total:.6g}, but those of the outputs to {sent:.6g}"
    return [Found(h.path, "max-pool-gradient-to-every-tie", evidence, True)]


def _stale(judgment: Judgment) -> list[Found]:
    """Find gradients that belong to an earlier batch."""
    episode, own = judgment.episode, _own(judgment)
    here = {key: np.copy(episode.cold[key]) for key in episode.inputs}

    def turn(names: Names, *, other: bool) -> None:
        for key, value in here.items():
            names[key] = value * 0.5 + 0.3 if other else value.copy()

    names = copy.deepcopy(episode.cold)
    first = _pass(episode, names, judgment, own)
    names = copy.deepcopy(episode.cold)
    turn(names, other=True)
    of_other = _pass(episode, names, judgment, own)
    names = copy.deepcopy(episode.cold)
    turn(names, other=True)
    episode.run(names)
    turn(names, other=False)
    later = _pass(episode, names, judgment, own)
    for leaf in own:
        if not _same(later[leaf], first[leaf]) and _same(later[leaf], of_other[leaf]):
            return [
                Found(
                    leaf,
                    "cached-previous-batch",
                    "after a second forward pass it is still the gradient of the first batch",
                )
            ]
    return []


def clears(episode: Episode, names: Names, kept: str = "") -> str | None:
    """Return the method that clears gradients, by its name or because it sets them, or `kept`, to zero; otherwise None."""
    if (subject := names.get("self")) is not None:
        kinds = [type(subject)]
    else:  # functions that work on objects of the module
        kinds = list(own_classes(episode.module).values()) if episode.module is not None else []
    for kind in kinds:
        for name, method in inspect.getmembers(kind, inspect.isfunction):
            if _CLEARS.search(name) and required(method) == ["self"]:
                return name
    return next((cleared for kind in kinds if (cleared := _sets_to_zero(kind, kept)) is not None), None)


def _sets_to_zero(kind: type, kept: str) -> str | None:
    """Return the method that sets to zero an attribute named like a gradient, or `kept`, as many updates do at their end."""
    names = rf"(?i)grad|delta|d[wb]|nabla|error{f'|{re.escape(kept)}' if kept else ''}"
    for name, function in inspect.getmembers(kind, inspect.isfunction):
        tree = tree_of(function) if not re.search(r"__init__|back|forward", name) else None
        for node in ast.walk(tree) if tree else ():
            if not isinstance(node, ast.Assign) or not re.search(r"zeros|= *0(\.0)?$", ast.unparse(node)):
                continue
            if re.search(names, ast.unparse(node.targets[0])):
                return name
    return None


def _pass(episode: Episode, names: Names, judgment: Judgment, own: dict[Path, Claim]) -> dict[Path, Any]:
    """Run forward and backward again on this table, and return the gradients."""
    episode.run(names)
    returned = episode.run_back(names, None if judgment.upstream is None else np.copy(judgment.upstream))
    table = {**names, RETURNED: returned}
    table.pop(DY, None)
    return {leaf: np.copy(follow(table, claim.path)) for leaf, claim in own.items()}


def _edited(episode: Episode, names: Names) -> str | None:
    for key in sorted(episode.given, key=lambda key: key != "x"):
        old, new = episode.names.get(key), names.get(key)
        if re.search(
            r"(?i)running|moving|(^|_)(mean|var|mu|momentum)", key
        ):  # statistics that forward updates on purpose
            continue
        if isinstance(old, np.ndarray) and isinstance(new, np.ndarray) and not np.array_equal(old, new):
            return key
    return None


def _same(a: Any, b: Any) -> bool:
    return np.shape(a) == np.shape(b) and bool(np.allclose(a, b, rtol=1e-9, atol=1e-12))
