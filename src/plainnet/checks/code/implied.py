"""A missing forward pass, reconstructed from the names in the backward pass: Z1, A1, W1, b1, Z2 ...

Many notebooks import the forward pass from a file that was never published. The names show what the forward pass
computed: Z1 = W1 X + b1, A1 = f(Z1). Several functions f are tried; if the gradient of the first layer is right, f is
right too.
"""

from __future__ import annotations

import itertools
import linecache
import re
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from plainnet.checks.code.episode import Names, required
from plainnet.checks.code.roles import D, K, M, N, number, random, role_of
from plainnet.checks.code.uses import use_of

IMPLIED = "<implied>"  # prefix of the file names of functions made here
_NAME = re.compile(r"(Z|A|W|b|D)(\d)")
_HIDDEN = {"relu": "np.maximum(0, {})", "tanh": "np.tanh({})", "sigmoid": "1 / (1 + np.exp(-{}))"}
_LAST = {
    "sigmoid": "1 / (1 + np.exp(-{}))",
    "softmax": "np.exp({0}) / np.sum(np.exp({0}), axis=0, keepdims=True)",
}


def implied_forwards(back: Callable[..., Any]) -> dict[str, Callable[..., Any]]:
    """Return possible forward passes, by their names, for a backward pass that unpacks a cache into such names."""
    uses = {parameter: use_of(back, parameter) for parameter in required(back)}
    caches = [p for p, use in uses.items() if role_of(p) == "cache" and _speak(use.parts or use.keys)]
    inputs = [p for p in uses if role_of(p) == "input"]
    if len(caches) != 1 or len(inputs) != 1 or not any(role_of(p) == "target" for p in uses):
        return {}
    cache, use = caches[0], uses[caches[0]]
    tables = [p for p, other in uses.items() if role_of(p) == "parameters" and _speak(other.keys)]
    said = [*(use.parts or use.keys), *(key for table in tables for key in uses[table].keys)]
    layers = max(int(name[1:]) for name in said)
    found = {}
    for hidden, last in itertools.product(_HIDDEN, _LAST):
        keep = next((p for p in uses if role_of(p) == "drop"), None)
        name = f"forward_of_{hidden}_and_{last}"
        function = _made(name, inputs[0], cache, use.parts or use.keys, bool(use.parts), layers, hidden, last, keep)
        vars(function)["starts"] = list(_starts(back, inputs[0], tables, layers, last, keep, said))
        found[name] = function
        if layers == 1:
            break
    return found


def _speak(names: list[str]) -> bool:
    return bool(names) and all(_NAME.fullmatch(name) for name in names)


def _made(
    name: str,
    x: str,
    cache: str,
    kept: list[str],
    as_tuple: bool,
    layers: int,
    hidden: str,
    last: str,
    keep: str | None,
) -> Callable[..., Any]:
    """Return the function, with a source that can be read like that of any other function."""
    weights = [f"{letter}{i}" for i in range(1, layers + 1) for letter in "Wb"]
    masks = sorted({one for one in kept if one.startswith("D")})
    lines = [f"def {name}({', '.join([x, *weights, *masks, *([keep] if keep else [])])}):"]
    below = x
    for i in range(1, layers + 1):
        lines.append(f"    Z{i} = np.dot(W{i}, {below}) + b{i}")
        lines.append(f"    A{i} = {(_LAST[last] if i == layers else _HIDDEN[hidden]).format(f'Z{i}')}")
        if f"D{i}" in masks:
            lines.append(f"    A{i} = A{i} * D{i} / {keep or 1}")
        below = f"A{i}"
    inside = ", ".join(kept if as_tuple else (f"'{one}': {one}" for one in kept))
    lines += [f"    {cache} = {f'({inside},)' if as_tuple else f'{{{inside}}}'}", f"    return A{layers}, {cache}"]
    text, filename = "\n".join(lines) + "\n", f"{IMPLIED} {name} {len(kept)} {cache}"
    linecache.cache[filename] = (len(text), None, text.splitlines(keepends=True), filename)
    table: dict[str, Any] = {"np": np, "__name__": "examined"}
    exec(compile(text, filename, "exec"), table)  # noqa: S102  (code made here)
    function: Callable[..., Any] = table[name]
    return function


def _starts(
    back: Callable[..., Any], x: str, tables: list[str], layers: int, last: str, keep: str | None, said: list[str]
) -> Iterator[Names]:
    """Yield tables with parameters, input and target; examples are columns."""
    sizes = [D, *[K, M, K, M, K, M, K, M][: layers - 1], 1 if last == "sigmoid" else 3]
    names: Names = {x: random(D, N), "x": None}
    names["x"] = names[x]
    for i in range(1, layers + 1):
        names[f"W{i}"], names[f"b{i}"] = random(sizes[i], sizes[i - 1], seed=i), random(sizes[i], 1, seed=i)
        if f"D{i}" in said:
            names[f"D{i}"] = random(sizes[i], N, seed=9 + i) > -0.4
    for table in tables:
        names[table] = {f"{letter}{i}": names[f"{letter}{i}"] for i in range(1, layers + 1) for letter in "Wb"}
    classes = np.random.default_rng(4).integers(0, 3, N)
    target = (random(1, N) > 0) * 1.0 if last == "sigmoid" else np.eye(3)[classes].T
    for parameter in required(back):
        if role_of(parameter) == "target":
            names[parameter] = names["t"] = target
        elif parameter == keep or role_of(parameter) == "penalty":
            names[parameter] = number(role_of(parameter), parameter)
    yield names
