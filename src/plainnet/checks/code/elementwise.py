"""Find derivatives of activations: sigmoid_prime beside sigmoid, a method `derivative` beside `function`, f(x, deriv=True)."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterator
from types import ModuleType
from typing import Any

import numpy as np

from plainnet.checks.code.binding import own_functions
from plainnet.checks.code.constructing import constructions
from plainnet.checks.code.derivatives import Pair
from plainnet.checks.code.episode import required
from plainnet.checks.code.looks import methods_of

_WORDS = r"derivatives?|deriv|derv|derivada|der|primes?|gradients?|grads?|backwards?|dash|diff|delta"
_DERIVES = re.compile(
    rf"(?i)(^|_)({_WORDS})(_|$|of_)|(?<=[a-z])(Derivative|Deriv|Prime|Gradient|Grad|Backward|Der|prime|deriv|derivative)$|^d_?[a-z]|^d$|_[dg]$|^(der|deriv|derivada)[A-Z]"
)
_PLAIN = (
    "function",
    "func",
    "activate",
    "activation",
    "__call__",
    "forward",
    "f",
    "fn",
    "value",
    "calc",
    "calculate",
    "compute",
    "call",
    "evaluate",
    "apply",
    "output",
)
_KNOWN: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "sigmoid": lambda x: 1 / (1 + np.exp(-x)),
    "sigm": lambda x: 1 / (1 + np.exp(-x)),
    "sig": lambda x: 1 / (1 + np.exp(-x)),
    "logistic": lambda x: 1 / (1 + np.exp(-x)),
    "tanh": np.tanh,
    "relu": lambda x: np.maximum(x, 0),
    "linear": lambda x: x,
    "identity": lambda x: x,
}
_FLAG = re.compile(r"(?i)^(\w*deriv\w*|prime|grad|gradient|derv|dx)$")


def elementwise_pairs(module: ModuleType) -> Iterator[Pair]:
    """Yield the derivatives that a module defines, each with its function."""
    functions = own_functions(module)
    for name, g in functions.items():
        flag = next((p for p in inspect.signature(g).parameters if _FLAG.match(p)), None)
        if flag is not None and len(required(g)) <= 1 + (flag in required(g)):
            first = next(iter(inspect.signature(g).parameters))
            yield Pair(name, _flagged(g, first, flag, False), _flagged(g, first, flag, True), g, False)
        elif _DERIVES.search(name) and len(required(g)) == 1 and "cost" not in name and "loss" not in name:
            yield _pair(name, g, functions, None)
    for kind in [
        value for value in vars(module).values() if inspect.isclass(value) and value.__module__ == module.__name__
    ]:
        methods = methods_of(kind)
        if (
            "backward" in methods
            and not required(methods["backward"])[1:]
            and (f := next((n for n in ("__call__", "forward") if n in methods), None))
        ):
            made = next((value for _, value in constructions(kind, module)), None)
            if made is not None and len(required(methods[f])) == 2:
                yield Pair(f"{kind.__name__}.backward", getattr(made, f), _after(made, f), methods["backward"], False)
        for name, g in methods.items():
            parameters = [p for p in inspect.signature(g).parameters if p != "self"]
            flag = next((p for p in parameters[1:] if _FLAG.match(p) and "back" not in name.lower()), None)
            made = _object_of(kind, module) if flag is not None else None
            if flag is not None and made is not None:
                bound = getattr(made, name)
                yield Pair(
                    _qualified(kind, name),
                    _flagged(bound, parameters[0], flag, False),
                    _flagged(bound, parameters[0], flag, True),
                    g,
                    False,
                )
        for name in [
            name for name in methods if (_DERIVES.search(name) or _FLAG.match(name)) and "back" not in name.lower()
        ]:
            static = isinstance(inspect.getattr_static(kind, name), staticmethod | classmethod)
            if len(required(methods[name])) != (1 if static else 2):
                continue
            made = _object_of(kind, module) if not static else kind
            if made is None:
                continue
            bound = {n: getattr(made, n) for n in methods if n != name and hasattr(made, n)}
            pair = _pair(
                _qualified(kind, name),
                getattr(made, name),
                bound | {n: f for n, f in functions.items() if n not in bound},
                kind,
            )
            if pair.f is not None:
                yield pair._replace(source=methods[name])


def _qualified(kind: type, name: str) -> str:
    """Return the name of a method as it is written in the file: __prime for _Network__prime."""
    return f"{kind.__name__}.{name.removeprefix(f'_{kind.__name__}')}"


def _object_of(kind: type, module: ModuleType) -> Any:
    """Return an object of a class; if none can be made, one that was not initialized, which is enough for many derivatives."""
    made = next((value for _, value in constructions(kind, module)), None)
    if made is not None:
        return made
    try:
        return object.__new__(kind)
    except TypeError:
        return None


def _after(made: Any, f: str) -> Callable[[Any], Any]:
    """Return x -> backward() after f(x), for a derivative that remembers its input."""

    def g(x: Any) -> Any:
        getattr(made, f)(x)
        return made.backward()

    return g


def _flagged(f: Callable[..., Any], first: str, flag: str, value: bool) -> Callable[[Any], Any]:
    return lambda x: f(**{first: x, flag: value})


def stem_of(name: str) -> str:
    """Return the name of a derivative's function: sigmoid for sigmoid_prime, d_sigmoid, sigmoidDerivative, derivative_of_sigmoid."""
    word = re.sub(r"^_\w+?__(?=\w)", "", name.rpartition(".")[2])
    word = re.sub(r"^(der|deriv|derivada)(?=[A-Z])", "derivative_", word)
    bare = re.sub(rf"(?i)(^|_)({_WORDS})(_of)?(?=_|$)", "", word)
    bare = re.sub(r"(?<=[a-z])(Derivative|Deriv|Prime|Gradient|Grad|Backward|Der)$", "", bare)
    bare = re.sub(r"(prime|deriv|derivative)$", "", bare) if bare == word else bare
    if bare == word:
        bare = re.sub(r"^d_?(?=[A-Za-z])|^d$|_[dg]$", "", word, count=1)
    return bare.strip("_").lower()


def _pair(name: str, g: Callable[..., Any], others: dict[str, Callable[..., Any]], kind: type | None) -> Pair:
    stem = stem_of(name)
    loose = {
        re.sub(r"^_\w+?__(?=\w)", "", other).lower().replace("_", ""): f
        for other, f in others.items()
        if not _DERIVES.search(other)
    }
    f = loose.get(stem.replace("_", "")) if stem else None
    f = f or next(
        (
            loose[key]
            for key in (f"{stem.replace('_', '')}forward", f"{stem.replace('_', '')}function")
            if stem and key in loose
        ),
        None,
    )
    if f is None and kind is not None and stem in ("", "activation", "function", "f", "loss"):
        f = next((others[plain] for plain in _PLAIN if plain in others), None)
    if f is not None:
        try:
            free = required(f)
        except (TypeError, ValueError):
            free = ["x"]
        if len(free) == 1:
            return Pair(name, f, g, g, False)
        return Pair(name, None, g, g, False)
    known = stem or name.partition(".")[0].lower()
    return Pair(name, _KNOWN.get(known), g, g, known in _KNOWN)
