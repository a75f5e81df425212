"""Starting values of a function: parameters from the author's own initialization, or arrays of likely shapes."""

from __future__ import annotations

import copy
import inspect
import itertools
import re
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from plainnet.checks.code.binding import store
from plainnet.checks.code.episode import Names, note, required, seed_everything, within
from plainnet.checks.code.recurrent_starts import (
    HIDDEN,
    indexing_starts,
    is_a_sequence,
    masked_starts,
    recurrent_starts,
)
from plainnet.checks.code.roles import D, K, M, N, number, random, role_of, weight_or_bias
from plainnet.checks.code.targets import targets_like
from plainnet.checks.code.uses import use_of

_INIT = re.compile(r"init|(create|make|random|get|generate|build)_(params|parameters|weights|network|net|layers)", re.I)


KIND = "<kind of target>"


def starts(functions: dict[str, Callable[..., Any]], chain: tuple[str, ...], back: str) -> Iterator[Names]:
    """Yield tables with everything that the functions of a chain need but do not compute themselves."""
    if (known := getattr(functions[chain[0]], "starts", None)) is not None:
        yield from copy.deepcopy(known)
        return
    needed: list[str] = []
    for name in (*chain, back):
        needed += [p for p in required(functions[name]) if p not in needed]
    initialized = list(_initialized(functions))
    useful = [
        held for held in initialized if any(p in held for p in needed) or any(key.startswith("<") for key in held)
    ]
    home = functions[back].__module__
    if not any(_INIT.search(name) and f.__module__ == home for name, f in functions.items()):
        useful.append({})  # another file's initialization may be for something else
    for held in useful or [{}]:
        first = [p for p in required(functions[chain[0]]) if p not in held and role_of(p) in ("weight", "bias", "")]
        unnamed = [
            value for key, value in held.items() if re.fullmatch(r"<.* \d+>", key) and isinstance(value, np.ndarray)
        ]
        made = {key: value for key, value in held.items() if not key.startswith("<")} | dict(
            zip(first, unnamed, strict=False)
        )
        lists = [value for value in made.values() if isinstance(value, list) and _all_arrays(value)]
        for p in required(functions[chain[0]]) if len(lists) == 1 else ():
            if p not in made and role_of(p) in ("weight", "parameters"):
                made[p] = lists[0]
        wanted = [p for p in required(functions[chain[0]]) if p not in made]
        choices = [_values(p, functions[chain[0]], made) for p in wanted]
        inputs = [p for p in wanted if role_of(p) == "input"]
        plain = (dict(zip(wanted, values, strict=True)) for values in itertools.product(*choices))
        apart = (recurrent_starts(wanted), masked_starts(wanted), indexing_starts(functions[chain[0]], wanted))
        for given in itertools.chain(*apart, plain, _with_like_targets(wanted, choices)):
            names: Names = copy.deepcopy(made) | given
            if inputs:
                names["x"] = names[inputs[0]]
            if "t" not in names and (target := next((p for p in wanted if role_of(p) == "target"), None)):
                names["t"] = names[target]
            if not _has_one_bias_for_many_units(given):
                yield names


def _has_one_bias_for_many_units(given: Names) -> bool:
    """Return whether a bias is a number beside a matrix of weights: it would hide a gradient that is summed over the units."""
    is_number = any(role_of(p) == "bias" and np.ndim(value) == 0 for p, value in given.items())
    return is_number and any(
        role_of(p) == "weight" and np.ndim(value) == 2 and 1 not in np.shape(value) for p, value in given.items()
    )


def _all_arrays(values: list[Any]) -> bool:
    return bool(values) and all(isinstance(value, np.ndarray) for value in values)


def _with_like_targets(wanted: list[str], choices: list[list[Any]]) -> Iterator[Names]:
    """Yield the arguments of a loss, which takes its outputs, and targets that fit them."""
    roles = [role_of(p) for p in wanted]
    if sorted(roles) not in (["input", "target"], ["output", "target"]):
        return
    at = roles.index("target")
    for value in [value for value in choices[1 - at] if np.ndim(value) == 2 and 1 not in np.shape(value)]:
        for kind, target in enumerate(targets_like(np.shape(value))):
            yield {wanted[at]: target, wanted[1 - at]: value, KIND: kind}


def _initialized(functions: dict[str, Callable[..., Any]]) -> Iterator[Names]:
    """Yield the results of functions that make parameters, called with sizes."""
    for name, function in functions.items():
        if not _INIT.search(name):
            continue
        for sizes in ((D, K, M), (D, M, M), (D, K, 1)):
            count = iter((*sizes, M, M))
            arguments: dict[str, Any] = {}
            for parameter in required(function):
                if (
                    re.search(r"dims?|sizes|shape|layers?$|structure|topology|arch|units|nodes", parameter, re.I)
                    and len(required(function)) < 3
                ):
                    arguments[parameter] = sizes[0] if parameter.lower() in ("dim", "size", "n") else list(sizes)
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
            tables = list({id(value): value for value in names.values() if isinstance(value, dict)}.values())
            if len(tables) == 1:
                names["parameters"] = tables[0]
            yield names
            if not required(function):
                break


def tables(keys: list[str]) -> Iterator[dict[str, Any]]:
    """Yield settings for a function that reads them by name: a few strides and paddings."""
    for stride, pad in ((1, 0), (2, 1), (1, 1), (2, 0)):
        yield {key: _setting(key, stride, pad) for key in keys}


def _setting(key: str, stride: int, pad: int) -> Any:
    lower = key.lower()
    if "stride" in lower or lower == "s":
        return stride
    if "pad" in lower:
        return pad
    if "pool" in lower or "size" in lower or lower in ("f", "k", "kernel", "hh", "ww", "height", "width"):
        return 2
    if lower == "p" or "drop" in lower or "keep" in lower:
        return 0.6
    constant = number(role_of(key), key)
    return 1 if constant is None else constant


def tensors(role: str, axes: int) -> list[Any]:
    """Return arrays with `axes` axes: images with channels first and last, kernels, sequences."""
    if role == "weight":
        return {
            3: [random(3, 2, 2, seed=1), random(2, 2, 3, seed=1)],
            4: [random(3, 2, 3, 3, seed=1), random(3, 3, 2, 3, seed=1), random(3, 2, 2, 2, seed=1)],
        }.get(axes, [random(*range(2, 2 + axes), seed=1)])
    if role == "bias":
        return [random(*[1] * (axes - 1), 3, seed=2), random(3, *[1] * (axes - 1), seed=2)]
    return {
        3: [random(2, 4, 6), random(4, 6, 2), random(3, 4, D)],
        4: [random(3, 2, 4, 6), random(3, 4, 6, 2), random(3, 2, 5, 6)],
    }.get(axes, [random(*range(2, 2 + axes))])


def _globals_of(function: Callable[..., Any], depth: int = 2) -> Iterator[Any]:
    """Yield the values of the global names that a function uses, and the author's functions that it calls."""
    for name in function.__code__.co_names:
        value = function.__globals__.get(name)
        yield value
        if depth and inspect.isfunction(value) and value is not function:
            yield from _globals_of(value, depth - 1)


def size_of_a_layer(name: str) -> int | None:
    """Return the size of the layer that an argument names, as needed if all weights are unrolled into one vector."""
    if not re.search(r"size|num|units|nodes|^n_", name):
        return None
    sizes = (("input|visible", D), ("hidden", M), ("label|class|output", K))
    return next(
        (size for words, size in sizes if re.search(words, name) and not re.search(r"y_|_y$|batch", name)), None
    )


def _layers(parts: list[str], *, columns: bool) -> Iterator[np.ndarray]:
    """Yield weights and biases of layers that fit together, for the names of a tuple: W1, b1, W2, b2."""
    sizes = iter((D, M, K, 2, 3, 4))
    rows, outputs = next(sizes), 0
    for seed, part in enumerate(parts):
        if weight_or_bias(part) == "weight":
            rows, outputs = outputs or rows, next(sizes)
            shape = (rows, outputs)
        else:
            shape = (1, outputs or rows)
        yield random(*(shape[::-1] if columns else shape), seed=40 + seed)


def _values(parameter: str, function: Callable[..., Any], made: Names) -> list[Any]:
    """Return the values worth trying for an argument of a forward function."""
    role = role_of(parameter)
    lower = parameter.lower()
    use = use_of(function, parameter)
    if use.words:
        return list(use.words)
    if use.keys and not any(re.fullmatch(r"[Wb]\w{0,2}|weights?|bias(es)?", key) for key in use.keys):
        return list(tables(use.keys))
    if (axes := use.any_axes or 0) > 2 and role not in ("target", "output") and not HIDDEN.search(parameter):
        more = tensors(role, axes + 1) if role == "bias" and use.axes is None else []
        return [*more, *tensors(role, axes)]
    if (size := size_of_a_layer(lower)) is not None:
        return [size]
    if role in ("parameters", "weight") and any(size_of_a_layer(p.lower()) == M for p in required(function)):
        return [0.3 * random((D + 1) * M + (M + 1) * K, seed=1), 0.3 * random(D * M + M + M * K + K, seed=1)]
    if use.parts and all(weight_or_bias(part) for part in use.parts):
        return [tuple(_layers(use.parts, columns=columns)) for columns in (False, True)]
    if re.fullmatch(r"strides?|(conv|pool)_?s(tride)?", lower):
        return [1, 2]
    if re.fullmatch(r"(conv|pool|filter|kernel)_?(f|k|size)|f_?size", lower):
        return [2]
    if lower in ("pad", "padding"):
        return [0, 1]
    if lower in ("gamma", "beta"):
        if any((use_of(function, p).any_axes or 0) == 4 for p in required(function) if role_of(p) == "input"):
            return [random(2, seed=len(lower)), random(1, 2, 1, 1, seed=len(lower))]
        return [random(D, seed=len(lower)), random(D, 1, seed=len(lower))]
    held = (
        [value for value in made.values() if isinstance(value, np.ndarray)]
        + [value for value in _globals_of(function) if isinstance(value, np.ndarray) and value.ndim == 2]
        + [
            value
            for inner in made.values()
            if isinstance(inner, dict)
            for value in inner.values()
            if isinstance(value, np.ndarray)
        ]
    )
    if use.indexes and role == "input":
        return [np.array([[0, 2, 1], [2, 1, 1]]), np.array([0, 2, 1, 1])]
    if HIDDEN.search(parameter):
        sizes = {value.shape[0] for value in held if value.ndim == 2 and value.shape[0] == value.shape[1]} or {M}
        return [random(size, 1, seed=5) for size in sizes]
    if is_a_sequence(function, parameter):
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
            0.7,
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
        return [random(N, D), random(D, N), random(3, 2, 5, 6), random(3, 5, 6, 2), random(D), random(D, 1), 2.5]
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
