"""The conditions that must hold before a gradient is called wrong."""

from __future__ import annotations

import inspect
import re
from typing import Any

import numpy as np

from plainnet.checks.code.binding import DY
from plainnet.checks.code.claims import fits
from plainnet.checks.code.factors import plain_factors
from plainnet.checks.code.implied import IMPLIED
from plainnet.checks.code.looks import passes_of
from plainnet.checks.code.matching import MISSING, RIGHT, WRONG, Held, Judgment
from plainnet.checks.code.roles import role_of
from plainnet.checks.code.values import name_of


def may_accuse(judgment: Judgment) -> bool:
    """Return whether all conditions hold for a verdict "wrong".

    Another claim of the same call is right, or forward and backward belong together by name and every number has a claim. An inferred loss
    explains at least half of the gradients. A gradient may be called missing only if others are right.
    """
    if judgment.count(MISSING) and (judgment.count(MISSING) > 1 or judgment.count(WRONG) or not judgment.count(RIGHT)):
        return False
    if any(is_no_call(judgment, h) for h in judgment.held if h.verdict == WRONG):
        return False
    if judgment.count(MISSING) and _has_another_pass(judgment):
        return False
    if judgment.count(MISSING) and any(_is_from_above(judgment, claim.value) for claim in judgment.claims):
        return False  # the stored gradients are summed elsewhere
    if judgment.count(MISSING) and judgment.inferred and judgment.count(RIGHT) < 2:  # the bias gradient is dz itself
        return False
    wrong = [h.claim for h in judgment.held if h.claim is not None and h.verdict == WRONG]
    if any(claim.step or judgment.inferred for claim in wrong) and _adds_more(judgment):
        return False
    if _is_implied(judgment) and not any(h.verdict == RIGHT and name_of(h.path) in ("W1", "b1") for h in judgment.held):
        return False
    if not judgment.episode.options.get("sure", True):
        return False
    if _is_stretched(judgment) or (not judgment.count(RIGHT) and _speaks_of_no_gradient(judgment)):
        return False
    if judgment.inferred and sum(np.size(h.truth) for h in judgment.held if h.verdict == RIGHT) == 1:
        return False  # one number may fit by chance
    if judgment.count(RIGHT):
        return not judgment.inferred or judgment.count(RIGHT) >= judgment.count(WRONG, MISSING) or _is_plain(judgment)
    if judgment.inferred or judgment.count(MISSING) or not judgment.episode.belongs:
        return False
    return all(h.claim is not None and not h.claim.step and fits(h.claim, h.probes.shape) for h in judgment.held)


def is_no_call(judgment: Judgment, h: Held) -> bool:
    """Return whether the shape of a claim shows that the call made no sense: a broadcast or an unknown shape."""
    if h.claim is None or fits(h.claim, h.probes.shape) or np.size(h.claim.value) == 1:
        return False
    if not h.probes.shape:  # a number in place of an array until the first step
        return True
    shape = np.shape(h.claim.value)
    broadcast = len(shape) == len(h.probes.shape) and all(
        n in (1, m) for n, m in zip(h.probes.shape, shape, strict=True)
    )
    return (broadcast and h.path[0][1] in judgment.episode.inputs) or len(judgment.held) == 1


def _is_stretched(judgment: Judgment) -> bool:
    """Return whether a loss of two arrays got them in different shapes, one of which was broadcast."""
    episode = judgment.episode
    shapes = [
        value.shape for key in episode.given if isinstance(value := episode.names.get(key), np.ndarray) and value.ndim
    ]
    alone = all(h.path[0][1] in episode.given for h in judgment.held)
    return alone and len({len(shape) for shape in shapes}) == 1 and len(set(shapes)) > 1 and 1 in np.ravel(shapes)


def _speaks_of_no_gradient(judgment: Judgment) -> bool:
    """Return whether what a pass gets as upstream gradient has the name of something else, such as `a` or `x`."""
    way = [pair for pair in judgment.episode.way if isinstance(pair, tuple) and len(pair) == 2 and pair[1] == DY]
    return judgment.upstream is not None and any(role_of(parameter) in ("input", "output") for parameter, _ in way)


def _has_another_pass(judgment: Judgment) -> bool:
    """Return whether the class has a second backward pass, which may give the gradients missing here."""
    subject = judgment.episode.names.get("self")
    return subject is not None and len(passes_of(type(subject))) > 1


def _adds_more(judgment: Judgment) -> bool:
    """Return whether a step, or the gradient of a supposed loss, may be more than it seems: the object uses momentum or a penalty."""
    kept = getattr(judgment.episode.names.get("self"), "__dict__", {})
    return any(
        (role_of(name) in ("momentum", "penalty") or re.search(r"penalty|regulari[sz]", name.lower()))
        and (isinstance(value, np.ndarray) or bool(value))
        for name, value in kept.items()
    )


def _is_from_above(judgment: Judgment, value: Any) -> bool:
    return judgment.upstream is not None and np.array_equal(value, judgment.upstream)


def _is_plain(judgment: Judgment) -> bool:
    """Return whether the last array alone proves an inferred loss: its factor is 1 or the learning rate, perhaps divided by the batch size.

    The wrong gradients must then not be multiples of the true ones, which a separate learning rate for a layer would cause.
    """
    wrong = [h for h in judgment.held if h.verdict == WRONG]
    if judgment.count(MISSING) or not any(np.isclose(judgment.factor, k, rtol=1e-6) for k in plain_factors(judgment)):
        return False
    return all(h.claim is not None and fits(h.claim, h.probes.shape) and not _is_multiple(h) for h in wrong)


def _is_multiple(h: Held) -> bool:
    sure = np.isfinite(h.errors)
    norm = float(h.truth[sure] @ h.truth[sure])
    return norm > 0 and h.is_times(float(h.given[sure] @ h.truth[sure]) / norm)


def _is_implied(judgment: Judgment) -> bool:
    """Return whether the forward pass was reconstructed from the names in backward."""
    code = getattr(judgment.episode.functions.get("forward"), "__code__", None)
    return code is not None and code.co_filename.startswith(IMPLIED)


def is_unfinished(judgment: Judgment, h: Held) -> bool:
    """Return whether a claim is all zeros and the author has left the code unfinished."""
    if h.claim is None or np.any(h.claim.value):
        return False
    return re.search(r"(?m)^\s*pass\b|TODO|YOUR CODE|NotImplemented", text_of_backward(judgment)) is not None


def text_of_backward(judgment: Judgment) -> str:
    """Return the text of a backward pass with its comments; an empty string if it cannot be read."""
    try:
        return inspect.getsource(judgment.episode.functions["backward"])
    except (OSError, TypeError, KeyError):
        return ""


def clips(judgment: Judgment) -> bool:
    """Return whether backward limits gradients to 1 or less, as in np.clip(dh, -1, 1): intended, but no derivative."""
    return re.search(r"clip\(\s*(self\.)?(d|grad|delta)\w*\s*,\s*-(1\b|0?\.\d)", text_of_backward(judgment)) is not None
