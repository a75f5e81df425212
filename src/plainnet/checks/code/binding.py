"""Calls of the author's functions: which name of the table goes to which argument."""

from __future__ import annotations

import inspect
import itertools
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from plainnet.checks.code.episode import Names, optional, required, seed_everything
from plainnet.checks.code.own_arrays import as_array, in_own_class
from plainnet.checks.code.pairs import PAIRS, pairs_of, parameter_of_pairs
from plainnet.checks.code.roles import number, returned_names, role_of
from plainnet.checks.code.uses import use_of

OUT, CACHE, DY, LOSS = "<out>", "<cache>", "<dy>", "<loss>"
IN_PLACE = "<in place>"  # marks that forward changed its input and returned it
OF_SELF = "self."  # prefix of the key of an attribute of the object
FURTHER = "<dy of "  # prefix of the key of a second upstream gradient
REPLAYED, GIVEN = "replayed", " given"  # first word of a way that a program has shown, end of a key of its data
OUTPUT = "<output of "  # prefix of the key of what a function returned inside a call
_ARRAYS = ("", "input", "output", "target", "upstream")  # roles of arrays, unless they are used as counts
_MOST_WAYS = 16
_FINAL = re.compile(r"(?i)a_?l|a_?last|y_?hat|yhat|y_?pred\w*|pred\w*|outputs?|out|probs?|p|scores|o")
_KEEPS = re.compile(  # a flag that makes forward keep what backward needs
    r"(save|store|keep|retain|remember)_?(inp\w*|x|in|cache|states?|act\w*|out\w*|intermediate\w*|grad\w*)|(use_)?cache"
)
_HIDDEN = r"hid(den)?(layer)?\d?(out(put)?s?|act\w*)?"  # may be what forward calls a1
_OF_A_LAYER = r"[ahAH]_?\d"
_ALTERNATIVES = {
    "upstream": (DY, OUT),
    "target": ("t", DY),
    "output": (OUT, DY, "x"),
    "input": ("x", OUT, DY),
    "cache": (CACHE, OUT),
    "": (DY, "x", "t", OUT),
}


@dataclass(frozen=True)
class Call:
    """One call of a function, or of a named method of the object, with arguments from the table of names."""

    function: Callable[..., Any] | str
    arguments: tuple[tuple[str, str], ...]

    def target(self, names: Names) -> Callable[..., Any]:
        """Return the function or method to call."""
        return getattr(names["self"], self.function) if isinstance(self.function, str) else self.function

    def run(self, names: Names) -> Any:
        """Call it, and store the results in the table under the names of its return statement."""
        function = self.target(names)
        seed_everything()
        x = names.get("x")
        before = np.copy(x) if isinstance(x, np.ndarray) else None
        value = as_array(function, function(**self.filled(names)))
        store(names, function, value)
        held = getattr(names.get("self"), "__dict__", {})
        for key in ("output", "outputs", "out"):
            if before is not None and held.get(key) is x:  # the identity
                held[key] = np.array(held[key])
        out = names.get(OUT)
        if out is x and isinstance(out, np.ndarray) and before is not None and not np.array_equal(before, out):
            names[OUT], names[IN_PLACE] = out.copy(), True
        elif out is x and isinstance(out, np.ndarray):  # the identity
            names[OUT] = out.copy()
        elif (
            isinstance(out, np.ndarray)
            and isinstance(x, np.ndarray)
            and out.shape != x.shape
            and np.shares_memory(out, x)
        ):
            names[OUT] = out.copy()  # the same numbers in another shape
        return value

    def gradients(self, names: Names) -> Any:
        """Call it, and return its results by the names of its return statement."""
        function = self.target(names)
        value = as_array(function, function(**self.filled(names)))
        if not isinstance(value, tuple | list):
            return {name: value for name in _called(function, 1) if name} or value
        called = _called(function, len(value))
        return dict(zip(called, value, strict=True)) if all(called) and len(set(called)) == len(called) else value

    def filled(self, names: Names) -> dict[str, Any]:
        """Return the value of each parameter; a key such as self.output stands for an attribute of the object."""
        return in_own_class(self.target(names), {parameter: _value(names, key) for parameter, key in self.arguments})

    @property
    def keys(self) -> set[str]:
        """The names of the table that are used as arguments."""
        keys = {key for _, key in self.arguments}
        return keys | {"x", "t"} if PAIRS in keys else keys


def _value(names: Names, key: str) -> Any:
    if key == PAIRS:
        return pairs_of(names)
    return getattr(names["self"], key[5:]) if key.startswith(OF_SELF) else names[key]


def store(names: Names, function: Callable[..., Any], value: Any) -> None:
    """Store the results of a function in the table: each part by its name, and the output, the cache and a loss."""
    parts = list(value) if isinstance(value, tuple | list) and len(value) < 30 else [value]
    called = _called(function, len(parts))
    stem = getattr(function, "__name__", "result")
    if parts and all(part is None for part in parts):
        return
    arrays = []
    for i, (name, part) in enumerate(zip(called, parts, strict=True)):
        key = name or f"<{stem} {i}>"
        if isinstance(names.get(key), np.ndarray) and part is not names[key] and key in ("x", "t"):
            key = f"<{stem} {i}>"
        names[key] = part
        if isinstance(part, dict):
            for inner, element in part.items():
                if isinstance(inner, str) and inner not in names:
                    names[inner] = element
        if is_scalar(part):
            names[LOSS] = part
        elif isinstance(part, np.ndarray):
            arrays.append(part)
    if arrays:
        named = [(name, part) for name, part in zip(called, parts, strict=True) if isinstance(part, np.ndarray)]
        names[OUT] = arrays[-1] if isinstance(value, list) and not any(called) else _output(named)
    elif len(parts) == 1 and isinstance(parts[0], dict) and role_of(called[0]) in ("", "cache"):  # {"z1": z1, "a1": a1}
        named = [(str(inner), element) for inner, element in parts[0].items() if isinstance(element, np.ndarray)]
        if named:
            names[OUT] = _output(sorted(named, key=lambda pair: not pair[0].lower().startswith("z")))
            names[CACHE] = parts[0]
    rest = [part for part in parts if not (arrays and part is arrays[0])]
    if len(parts) > 1:
        held = [part for part in rest if isinstance(part, tuple | list | dict)]
        names[CACHE] = held[0] if len(held) == 1 else rest[0] if len(rest) == 1 else tuple(rest)


def _output(named: list[tuple[str, np.ndarray]]) -> np.ndarray:
    """Choose the output among the results: the one without a name, the last of Z1, A1, Z2, A2, otherwise the first."""
    unnamed = [part for name, part in named if not name]
    if len(unnamed) == 1:
        return unnamed[0]
    layers = [re.fullmatch(r"[A-Za-z]+_?(\d+)", name) for name, _ in named]
    if len(named) > 1 and all(layers):
        last = max(int(layer[1]) for layer in layers if layer)
        return [part for (_, part), layer in zip(named, layers, strict=True) if layer and int(layer[1]) == last][-1]
    return next((part for name, part in named if _FINAL.fullmatch(name)), named[0][1])


def _called(function: Callable[..., Any], count: int) -> list[str]:
    """Return the names of the last return statement with `count` parts."""
    return next((names for names in reversed(returned_names(function)) if len(names) == count), [""] * count)


def is_scalar(value: Any) -> bool:
    """Return whether a value is one real number."""
    return isinstance(value, float | np.floating) or (
        isinstance(value, np.ndarray) and value.dtype.kind == "f" and value.size == 1 and value.ndim == 0
    )


def ways(
    function: Callable[..., Any], names: Names, *, known: dict[str, str] | None = None, back: bool = False
) -> Iterator[tuple[tuple[str, str], ...]]:
    """Yield ways to fill the arguments of a function from the table, likeliest first; needed constants are added to the table.

    `known` maps arguments to names that are already known; `back` allows the gradient of the output as an argument.
    """
    choices: list[list[tuple[str, str]]] = []
    if back:
        known = (known or {}) | _several_from_above(function, names)
        if "t" in names and (pairs := parameter_of_pairs(function)) is not None:
            known[pairs], names[PAIRS] = PAIRS, True
    for parameter in required(function):
        if (
            parameter not in names
            and role_of(parameter) in _ARRAYS
            and use_of(getattr(function, "__func__", function), parameter).counts
        ):
            names[parameter] = 1
        keys = [known[parameter]] if known and parameter in known else _keys(parameter, names)
        keys = [key for key in keys if key in names or (back and key == DY) or key.startswith(OF_SELF)]
        if not keys:
            return
        choices.append([(parameter, key) for key in keys])
    flags = []
    for parameter in optional(function):
        if known and parameter in known:
            flags.append((parameter, known[parameter]))
        elif (
            role_of(parameter) == "target" and "t" in names and not any(("t" in keys) for keys in choices_keys(choices))
        ):
            flags.append((parameter, "t"))
        elif back and role_of(parameter) == "upstream" and LOSS not in names and not _takes_dy(choices):
            flags.append((parameter, DY))  # def backward(self, dout=1)
        elif (
            re.fullmatch(r"(return|with|compute|calc)_?\w*grad\w*", parameter)
            and default_of(function, parameter) is False
        ) or (not back and _KEEPS.fullmatch(parameter) and default_of(function, parameter) is False):
            names[parameter] = True
            flags.append((parameter, parameter))
        elif role_of(parameter) == "epochs":
            names[parameter] = 1
            flags.append((parameter, parameter))
        elif role_of(parameter) == "penalty" and isinstance(default_of(function, parameter), float | int):
            names[parameter] = number("penalty", parameter)
            flags.append((parameter, parameter))
        elif role_of(parameter) in ("training", "mode") and parameter not in ("mode",):
            names[parameter] = number("training", parameter)
            flags.append((parameter, parameter))
    count = 0
    for way in itertools.product(*choices):
        keys_used = [key for _, key in way]
        if any(keys_used.count(key) > 1 for key in (DY, "t", "x", OUT)):
            continue
        yield (*way, *flags)
        count += 1
        if count == _MOST_WAYS:
            return


def _several_from_above(function: Callable[..., Any], names: Names) -> dict[str, str]:
    """Return the key of each upstream gradient if there are several, such as da_next and dc_next of a_next and c_next.

    The judge sets the first. The others are drawn at random once, and the loss includes their outputs weighted by them.
    """
    found: dict[str, str] = {}
    for parameter in required(function):
        speaks = re.fullmatch(r"d_?(\w+)|grad_(\w+)|(\w+)_grad", parameter)
        result = next((word for word in speaks.groups() if word), "") if speaks else ""
        if parameter in names or not isinstance(names.get(result), np.ndarray):
            continue
        found[parameter] = f"{FURTHER}{result}>" if found else DY
        if len(found) > 1:
            shape = names[result].shape
            names[found[parameter]] = np.random.default_rng([7, *shape]).standard_normal(shape)
    return found if len(found) > 1 else {}


def _takes_dy(choices: list[list[tuple[str, str]]]) -> bool:
    """Return whether an argument may be the gradient of the output."""
    return any(DY in keys for keys in choices_keys(choices))


def choices_keys(choices: list[list[tuple[str, str]]]) -> list[list[str]]:
    """Return the possible names for each argument."""
    return [[key for _, key in choice] for choice in choices]


def default_of(function: Callable[..., Any], parameter: str) -> Any:
    """Return the default of an argument."""
    return inspect.signature(function).parameters[parameter].default


def _keys(parameter: str, names: Names) -> list[str]:
    """Return the possible names for an argument: its own, one that differs in case or underscores, or those of its role."""
    role = role_of(parameter)
    if parameter in names:
        return [parameter]
    loose = parameter.lower().replace("_", "")
    same = [key for key in names if key.lower().replace("_", "") == loose and role != "target"]
    if same:
        return same
    if re.fullmatch(_HIDDEN, loose) and (hidden := [key for key in names if re.fullmatch(_OF_A_LAYER, key)]):
        return hidden
    constant = number(role, parameter)
    if constant is not None:
        names[parameter] = constant
        return [parameter]
    if role == "parameters":
        kinds = (dict, tuple)
        return [
            key
            for key, value in names.items()
            if isinstance(value, kinds) and role_of(key) != "cache" and key[0] != "<"
        ]
    if parameter == "dvalues" and "t" in names:  # a widely copied loss class uses this name for its probabilities
        kept = getattr(names.get("self"), "output", None)
        return [DY, *([f"{OF_SELF}output"] if LOSS in names and isinstance(kept, np.ndarray) else []), "x"]
    if role == "upstream" and re.match(r"d_?[A-Zaz]|d_?out|upstream", parameter):  # never anything else
        return [DY]
    return [key for key in _ALTERNATIVES.get(role, ()) if key in names or key == DY]


def takes(function: Callable[..., Any], *roles: str) -> list[str]:
    """Return the required arguments that have one of these roles."""
    return [parameter for parameter in required(function) if role_of(parameter) in roles]


def own_functions(module: Any) -> dict[str, Callable[..., Any]]:
    """Return the functions that a module defines itself."""
    return {
        name: value
        for name, value in vars(module).items()
        if inspect.isfunction(value) and value.__module__ == module.__name__
    }
