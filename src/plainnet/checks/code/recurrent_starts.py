"""Starting values of recurrent cells and sequences: x, the state before, weights for both."""

from __future__ import annotations

import ast
import itertools
import re
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from plainnet.checks.code.episode import Names, required
from plainnet.checks.code.roles import D, K, M, N, random, role_of, tree_of
from plainnet.checks.code.values import numbers_in

HIDDEN = re.compile(
    r"(?i)^(h|c|s)?_?prev(_h|_c)?(_?t)?$|^[hc]_?(prev|0|init)$|^prev_?[hcs]$|hprev|h_?state|hidden_?state"
)  # the initial state of a recurrent cell
_OF_X = re.compile(r"(?i)w_?(x|i|ih|xh|hx|in|input)(t?)")
_OF_STATE = re.compile(r"(?i)(?:w|u)_?(h|hh|hidden|rec)(t?)")
_STEPS = 4
_GATES = (1, 4, 3, 2)  # how many gates share one product: none, as in an LSTM, as in a GRU, without its candidate


def recurrent_starts(wanted: list[str]) -> Iterator[Names]:
    """Yield values for the arguments of a cell, or of a loop over a sequence (N, T, D); none for other functions."""
    states = [p for p in wanted if HIDDEN.search(p)]
    inputs = [p for p in wanted if role_of(p) == "input" and p not in states]
    weights = {p: _OF_X.fullmatch(p) or _OF_STATE.fullmatch(p) for p in wanted if role_of(p) == "weight"}
    biases = [p for p in wanted if role_of(p) == "bias"]
    if not states or len(inputs) != 1 or len(weights) < 2 or not all(weights.values()):
        return
    if len(states) + 1 + len(weights) + len(biases) != len(wanted):
        return
    for gates, shape in itertools.product(_GATES, ((N, D), (N, _STEPS, D))):
        names: Names = {inputs[0]: random(*shape), **{p: random(N, M, seed=i) for i, p in enumerate(states, 5)}}
        for i, (p, found) in enumerate(weights.items()):
            assert found is not None
            rows = D if _OF_X.fullmatch(p) else M
            names[p] = 0.5 * random(rows, M if found[2] else gates * M, seed=20 + i)
        for i, p in enumerate(biases):
            names[p] = random(M if p.endswith("t") else gates * M, seed=30 + i)
        yield names


def is_a_sequence(function: Callable[..., Any], parameter: str) -> bool:
    """Return whether a function steps through an argument, as in for t in range(len(inputs)) and inputs[t]."""
    tree = tree_of(function)
    text = ast.unparse(tree) if tree else ""
    steps = re.search(rf"\[{parameter}\[\w+\]\]|\[{parameter}\[\w+\], ?\d\]", text)
    if role_of(parameter) == "target":  # classes of a batch are indexed in this way too, unless the input is a sequence
        return steps is not None and any(
            is_a_sequence(function, p) for p in required(function) if role_of(p) == "input"
        )
    return steps is not None


def masked_starts(wanted: list[str]) -> Iterator[Names]:
    """Yield scores (N, T, K), classes and a mask, for a loss over the steps that the mask keeps."""
    roles = {role_of(p): p for p in wanted if p != "mask"}
    if "mask" not in wanted or len(wanted) != 3 or "target" not in roles or not {"input", "output"} & set(roles):
        return
    rng = np.random.default_rng(4)
    scores = roles.get("input", roles.get("output", ""))
    yield {
        scores: random(N, _STEPS, K),
        roles["target"]: rng.integers(0, K, (N, _STEPS)),
        "mask": rng.random((N, _STEPS)) > 0.3,
    }


def indexing_starts(function: Callable[..., Any], wanted: list[str]) -> Iterator[Names]:
    """Yield class numbers and a matrix, for an embedding: a function of two arguments, one of which is an index of the other."""
    tree = tree_of(function)
    text = ast.unparse(tree) if tree else ""
    for matrix, index in itertools.permutations(wanted) if len(wanted) == 2 else ():
        if re.search(rf"\b{matrix}\[{index}[\[\],:]", text):
            rng = np.random.default_rng(4)
            for shape in ((N, _STEPS), (N,)):
                yield {index: rng.integers(0, D, shape), matrix: random(D, M, seed=1)}


def cell_parameter(name: str, wanted: list[str]) -> list[np.ndarray]:
    """Return a parameter of a cell that is made from its arrays, Wx, Wh and maybe b; none for other constructors."""
    if not (any(map(_OF_X.fullmatch, wanted)) and any(map(_OF_STATE.fullmatch, wanted))):
        return []
    found: list[np.ndarray] = []
    for size, gates in itertools.product((M, D), _GATES):  # with D, code that takes the wrong matrix runs as well
        if role_of(name) == "bias":
            found.append(random(gates * size, seed=30))
        elif _OF_X.fullmatch(name) or _OF_STATE.fullmatch(name):
            rows = D if _OF_X.fullmatch(name) else size
            found.append(0.5 * random(rows, gates * size, seed=20 + bool(_OF_STATE.fullmatch(name))))
    return found


def states_for(wanted: list[str], made: Any, shape: tuple[int, ...]) -> Iterator[Names]:
    """Yield the states before, for the arguments of a cell's forward pass that ask for them; one empty table for others.

    A state has the shape of the input, with the size of the state in place of the number of features.
    """
    states = [p for p in wanted if HIDDEN.search(p)]
    if not states:
        yield {}
        return
    matrices = [value for _, value in numbers_in({"self": made}, scalars=False) if value.ndim == 2]
    sizes = {m.shape[0] for m in matrices if m.shape[1] % m.shape[0] == 0} | {
        m.shape[1] for m in matrices if m.shape[0] % m.shape[1] == 0
    }
    features = 0 if len(shape) == 1 or shape[-1] == 1 or (shape[-1] == N and shape[0] != N) else len(shape) - 1
    for size in sorted(sizes):
        of_state = (*shape[:features], size, *shape[features + 1 :])
        yield {p: random(*of_state, seed=i) for i, p in enumerate(states, 5)}
