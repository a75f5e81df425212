"""Conventions: what looks wrong, but is right if the rest of the program is written to match."""

from __future__ import annotations

import ast
import inspect
import re
from pathlib import Path

import numpy as np

from plainnet.checks.code.choosing import counts_examples
from plainnet.checks.code.claims import fits
from plainnet.checks.code.matching import MISSING, RIGHT, WRONG, Judgment
from plainnet.checks.code.presuming import text_of_backward
from plainnet.checks.code.programs import programs_beside, project_of
from plainnet.checks.code.roles import tree_of
from plainnet.checks.code.texts import code_of
from plainnet.checks.code.values import follow, name_of, number_of


def is_diagonal(judgment: Judgment) -> bool:
    """Return whether dx is dy p (1 - p), with the rows p of a softmax: the diagonal of its Jacobian alone."""
    claims = [h.claim.value for h in judgment.held if h.claim is not None]
    outputs = [np.asarray(follow(judgment.names, path)) for path in judgment.results]
    rows = [p for p in outputs if p.ndim == 2 and p.shape[1] > 1 and np.allclose(p.sum(axis=1), 1)]
    return (
        judgment.upstream is not None
        and len(claims) == 1
        and any(
            np.shape(claims[0]) == p.shape and np.allclose(claims[0], judgment.upstream * p * (1 - p)) for p in rows
        )
    )


def goes_uphill(judgment: Judgment) -> bool:
    """Return whether all that is wrong with a layer is that its steps go uphill, maybe by means over the batch."""
    wrong, n = [h for h in judgment.held if h.verdict != RIGHT], judgment.episode.batch or 1
    steps = all(h.claim is not None and h.claim.step and fits(h.claim, h.probes.shape) for h in wrong)
    learned = [h for h in judgment.held if h.path[0][1] not in judgment.episode.inputs]
    return (
        judgment.upstream is not None
        and steps
        and any(len(wrong) == len(learned) > 0 and all(h.is_times(factor) for h in wrong) for factor in (-1.0, -1 / n))
    )


def may_be_no_gradient(judgment: Judgment) -> bool:
    """Return whether a loss returns an array without a name before itself, such as the errors: output - target, loss."""
    names = [name_of(h.claim.path) for h in judgment.held if h.claim is not None]
    return judgment.episode.backward is None and bool(names) and all(re.fullmatch(r"<\w+ 0>", name) for name in names)


def says_first_layer(judgment: Judgment) -> bool:
    """Return whether only the gradient of the input is missing, and a comment says that this is the first layer."""
    return _lacks_only_dx(judgment) and re.search(r"(?i)#.*first layer", text_of_backward(judgment)) is not None


_LEFT_OUT = ("relu-mask-missing", "sigmoid-derivative-missing", "tanh-derivative-missing")
_DERIVATIVE_CALL = re.compile(
    r"(?i)[\w.]*(relu|sigmoid|tanh|activation|act)\w*(deriv\w*|prime|grad\w*)\(|[\w.]*d_?(relu|sigmoid|tanh)\("
)
_NETWORK = re.compile(r"(?i)net(work)?\d?$|model|coder|mlp|nn$|classif|regress|perceptron")


def is_a_network(judgment: Judgment) -> bool:
    """Return whether only the gradient of the input is missing, and the object is a network: its parameters are in a list, or its name says so."""
    layers = {number_of(h.path)[:1] for h in judgment.held if any(kind == "item" for kind, _ in h.path[:-1])} - {()}
    matrices = [
        h
        for h in judgment.held
        if h.path[0][1] not in judgment.episode.given and len(h.probes.shape) > 1 and 1 not in h.probes.shape
    ]
    named = _NETWORK.search(judgment.episode.subject) is not None and len(matrices) > 1
    return _lacks_only_dx(judgment) and (len(layers) > 1 or named)


def left_to_the_caller(judgment: Judgment, slug: str) -> str | None:
    """Return the call by which other code multiplies by the derivative of an activation that a layer leaves out; None if there is none."""
    if slug not in _LEFT_OUT or judgment.upstream is None or judgment.episode.module is None:
        return None
    path = Path(str(judgment.episode.module.__file__))
    own = text_of_backward(judgment)
    for file in (path, *programs_beside(path, project_of(path))):
        text = code_of(file).replace(own, "") if own else code_of(file)
        for line in text.splitlines():
            if (found := _DERIVATIVE_CALL.search(line)) and not line.lstrip().startswith("def "):
                return f"{found[0]}...) in {file.name}"
    return None


def _lacks_only_dx(judgment: Judgment) -> bool:
    missing = [h for h in judgment.held if h.verdict == MISSING]
    return len(missing) == 1 and missing[0].path[0][1] in judgment.episode.inputs and not judgment.count(WRONG)


def for_one_example(judgment: Judgment) -> bool:
    """Return whether a pass reads only the first example, or whether all that is wrong is that it sums over none."""
    batch = judgment.episode.batch
    if re.search(r"self\.\w+\[0\]\[", text_of_backward(judgment)) and not counts_examples(judgment.episode):
        return True
    rest = [h for h in judgment.held if h.verdict != RIGHT]
    steps = [h.claim.value for h in rest if h.claim is not None and h.claim.path == h.path]  # the parameter itself
    unsummed = len(steps) == len(rest) > 0 and all(np.shape(step)[:1] == (batch,) for step in steps)
    return batch not in (1, None) and unsummed and not counts_examples(judgment.episode)


def of_the_first_layer(judgment: Judgment) -> str | None:
    """Return the author's function that calls a backward pass in which only the gradient of the input is missing."""
    if not _lacks_only_dx(judgment):
        return None
    back = judgment.episode.functions["backward"]
    for name, function in vars(judgment.episode.module).items():
        tree = tree_of(function) if inspect.isfunction(function) and function is not back else None
        called = {ast.unparse(node.func) for node in ast.walk(tree) if isinstance(node, ast.Call)} if tree else set()
        if back.__name__ in called:
            return name
    return None
