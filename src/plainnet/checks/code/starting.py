"""What a function needs before it can run: parameters from the author's own initialization, or arrays of likely shapes."""

from __future__ import annotations

import ast
import copy
import itertools
import re
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from plainnet.checks.code.binding import store
from plainnet.checks.code.episode import Names, note, required, seed_everything, within
from plainnet.checks.code.roles import D, K, M, N, number, random, role_of, tree_of, words_for

_INIT = re.compile(
    r"init|create_(params|weights)|make_(params|weights)|random_(params|weights)|get_(params|weights)", re.I
)


HIDDEN = re.compile(
    r"(?i)^(h|c|s)?_?prev(_h|_c)?$|^[hc]_?(prev|0|init)$|^prev_?[hcs]$|hprev|h_?state|hidden_?state"
)  # the state that a cell begins with


def starts(functions: dict[str, Callable[..., Any]], chain: tuple[str, ...], back: str) -> Iterator[Names]:
    """Yield tables with everything that the functions of a chain need and do not make themselves."""
    needed: list[str] = []
    for name in (*chain, back):
        needed += [p for p in required(functions[name]) if p not in needed]
    initialized = list(_initialized(functions))
    useful = [
        held for held in initialized if any(p in held for p in needed) or any(key.startswith("<") for key in held)
    ]
    for held in useful or [{}]:
        first = [p for p in required(functions[chain[0]]) if p not in held and role_of(p) in ("weight", "bias", "")]
        unnamed = [
            value for key, value in held.items() if re.fullmatch(r"<.* \d+>", key) and isinstance(value, np.ndarray)
        ]
        made = {key: value for key, value in held.items() if not key.startswith("<")} | dict(
            zip(first, unnamed, strict=False)
        )
        wanted = [p for p in required(functions[chain[0]]) if p not in made]
        choices = [_values(p, functions[chain[0]], made) for p in wanted]
        inputs = [p for p in wanted if role_of(p) == "input"]
        for values in itertools.product(*choices):
            names: Names = copy.deepcopy(made) | dict(zip(wanted, values, strict=True))
            if inputs:
                names["x"] = names[inputs[0]]
            if "t" not in names and (target := next((p for p in wanted if role_of(p) == "target"), None)):
                names["t"] = names[target]
            yield names


def _initialized(functions: dict[str, Callable[..., Any]]) -> Iterator[Names]:
    """Yield what functions that make parameters return, called with sizes."""
    for name, function in functions.items():
        if not _INIT.search(name):
            continue
        for sizes in ((D, K, M), (D, M, M), (D, K, 1)):
            count = iter((*sizes, M, M))
            arguments: dict[str, Any] = {}
            for parameter in required(function):
                if (
                    re.search(r"dims?|sizes|layers?$|structure|arch|units|nodes", parameter, re.I)
                    and len(required(function)) < 3
                ):
                    arguments[parameter] = list(sizes)
                elif re.fullmatch(r"[xX]\w*", parameter):
                    arguments[parameter] = random(D, N)
                elif re.fullmatch(r"[yY]\w*", parameter):
                    arguments[parameter] = random(1, N)
                else:
                    arguments[parameter] = next(count, M)
            names: Names = {}
            try:
                seed_everything()
                with within(4), np.errstate(all="ignore"):
                    store(names, function, function(**arguments))
            except Exception as error:
                note(error)
                continue
            tables = [value for key, value in names.items() if isinstance(value, dict)]
            if len(tables) == 1:
                names["parameters"] = tables[0]
            yield names
            if not required(function):
                break


def _is_a_sequence(function: Callable[..., Any], parameter: str) -> bool:
    """Tell whether a function goes through an argument step by step: for t in range(len(inputs)), inputs[t]."""
    tree = tree_of(function)
    text = ast.unparse(tree) if tree else ""
    steps = re.search(rf"\[{parameter}\[\w+\]\]|\[{parameter}\[\w+\], ?\d\]", text)
    return steps is not None


def _values(parameter: str, function: Callable[..., Any], made: Names) -> list[Any]:
    """Return the values worth trying for an argument of a forward function."""
    role = role_of(parameter)
    lower = parameter.lower()
    words = words_for(function, parameter)
    if words:
        return list(words)
    if lower in ("conv_param", "convparam"):
        return [{"stride": 1, "pad": 0}, {"stride": 2, "pad": 1}, {"stride": 1, "pad": 1}]
    if lower == "pool_param":
        return [{"pool_height": 2, "pool_width": 2, "stride": 2}]
    if lower in ("bn_param", "ln_param", "gn_param"):
        return [{"mode": "train", "eps": 1e-5, "momentum": 0.9}]
    if lower in ("hparameters", "hparams", "hparam"):
        return [{"stride": 1, "pad": 1, "f": 2}, {"stride": 2, "pad": 1, "f": 2}]
    if lower == "dropout_param":
        return [{"mode": "train", "p": 0.6, "seed": 1}]
    if lower in ("stride", "strides"):
        return [1, 2]
    if lower in ("pad", "padding"):
        return [0, 1]
    if lower in ("gamma", "beta"):
        return [random(D, seed=len(lower)), random(D, 1, seed=len(lower))]
    held = (
        [value for value in made.values() if isinstance(value, np.ndarray)]
        + [value for value in function.__globals__.values() if isinstance(value, np.ndarray) and value.ndim == 2]
        + [
            value
            for inner in made.values()
            if isinstance(inner, dict)
            for value in inner.values()
            if isinstance(value, np.ndarray)
        ]
    )
    if HIDDEN.search(parameter):
        sizes = {value.shape[0] for value in held if value.ndim == 2 and value.shape[0] == value.shape[1]} or {M}
        return [random(size, 1, seed=5) for size in sizes]
    if _is_a_sequence(function, parameter):
        return [[0, 2, 1, 3] if role == "input" else [2, 1, 3, 0]]
    if role == "weight":
        return [
            random(D, M, seed=1),
            random(M, D, seed=1),
            random(D, 1, seed=1),
            random(D, seed=1),
            random(3, 2, 3, 3, seed=1),
            random(D, D, seed=1),
            random(3, 3, 2, 3, seed=1),
        ]
    if role == "bias":
        return [
            random(M, seed=2),
            0.3,
            random(M, 1, seed=2),
            random(1, M, seed=2),
            random(D, seed=2),
            random(1, 1, 1, 3, seed=2),
        ]
    if role == "input":
        matrix = next(
            (value for value in held if value.ndim == 2 and 1 not in value.shape),
            next((v for v in held if v.ndim == 2), None),
        )
        if matrix is not None:
            r, c = matrix.shape
            return [random(*shape) for shape in dict.fromkeys([(N, r), (c, N), (r, N), (N, c), (c, 1), (c,), (r,)])]
        return [random(N, D), random(D, N), random(3, 2, 5, 6), random(3, 5, 6, 2), random(D), random(D, 1)]
    if role == "output":
        rows = np.exp(random(N, M))
        rows /= rows.sum(axis=1, keepdims=True)
        yes = 1 / (1 + np.exp(-random(N, 1)))
        return [rows, yes, yes.T, rows.T, yes.ravel(), random(N, M)]
    if role == "target":
        rows = np.random.default_rng(4).integers(0, 3, N)
        return [
            rows,
            np.eye(M)[rows],
            (random(1, N) > 0) * 1.0,
            random(N, 1),
            random(N, M),
            np.eye(M)[rows].T,
            random(N),
            (random(N) > 0) * 1.0,
        ]
    constant = number(role, parameter)
    if constant is not None:
        return [constant]
    return [random(N, D), 1, random(D, N)]
