"""Derivatives of activations: sigmoid_prime beside sigmoid, a method `derivative` beside `function`, f(x, deriv=True).

g is right if g(x) = f'(x), or if g(f(x)) = f'(x): many write the derivative in terms of the output.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterator
from types import ModuleType
from typing import Any, NamedTuple

import numpy as np

from plainnet.checks.code.binding import own_functions
from plainnet.checks.code.constructing import constructions
from plainnet.checks.code.episode import required, within
from plainnet.checks.code.looks import methods_of
from plainnet.checks.code.verdicts import CodeFinding
from plainnet.checks.gradients.central import RIGHT, UNDECIDABLE, WRONG

_WORDS = r"derivatives?|deriv|derv|der|primes?|gradients?|grads?|backwards?|dash|diff|delta"
_DERIVES = re.compile(
    rf"(?i)(^|_)({_WORDS})(_|$|of_)|(?<=[a-z])(Derivative|Deriv|Prime|Gradient|Grad|Backward|Der|prime|deriv|derivative)$|^d_?[a-z]|_d$"
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
_H = 1e-5


class Pair(NamedTuple):
    """A function and what should be its derivative; where it is defined, and its qualified name."""

    name: str
    f: Callable[[Any], Any] | None
    g: Callable[[Any], Any]
    source: Callable[..., Any]
    known: bool


def elementwise_pairs(module: ModuleType) -> Iterator[Pair]:
    """Yield the derivatives that a module defines, with the functions that they are of."""
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
            flag = next((p for p in parameters[1:] if _FLAG.match(p)), None)
            made = next((value for _, value in constructions(kind, module)), None) if flag is not None else None
            if flag is not None and made is not None:
                bound = getattr(made, name)
                yield Pair(
                    f"{kind.__name__}.{name}",
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
            made = next((value for _, value in constructions(kind, module)), None) if not static else kind
            if made is None:
                continue
            bound = {n: getattr(made, n) for n in methods if n != name and hasattr(made, n)}
            pair = _pair(
                f"{kind.__name__}.{name}",
                getattr(made, name),
                bound | {n: f for n, f in functions.items() if n not in bound},
                kind,
            )
            if pair.f is not None:
                yield pair._replace(source=methods[name])


def _after(made: Any, f: str) -> Callable[[Any], Any]:
    """Return x -> backward() after f(x): a derivative that remembers where it is wanted."""

    def g(x: Any) -> Any:
        getattr(made, f)(x)
        return made.backward()

    return g


def _flagged(f: Callable[..., Any], first: str, flag: str, value: bool) -> Callable[[Any], Any]:
    return lambda x: f(**{first: x, flag: value})


def stem_of(name: str) -> str:
    """Return what a derivative is of: sigmoid for sigmoid_prime, d_sigmoid, sigmoidDerivative and derivative_of_sigmoid."""
    word = name.rpartition(".")[2]
    bare = re.sub(rf"(?i)(^|_)({_WORDS})(_of)?(?=_|$)", "", word)
    bare = re.sub(r"(?<=[a-z])(Derivative|Deriv|Prime|Gradient|Grad|Backward|Der)$", "", bare)
    bare = re.sub(r"(prime|deriv|derivative)$", "", bare) if bare == word else bare
    if bare == word:
        bare = re.sub(r"^d_?(?=[a-z])", "", word) if re.match(r"^d_?[a-z]", word) else re.sub(r"_d$", "", word)
    return bare.strip("_").lower()


def _pair(name: str, g: Callable[..., Any], others: dict[str, Callable[..., Any]], kind: type | None) -> Pair:
    stem = stem_of(name)
    loose = {other.lower().strip("_").replace("_", ""): f for other, f in others.items() if not _DERIVES.search(other)}
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
    return Pair(name, _KNOWN.get(stem), g, g, stem in _KNOWN)


def judge_pair(pair: Pair) -> CodeFinding | None:
    """Return the verdict on a derivative; None if it is not one of a function of each number by itself."""
    if pair.f is None:
        return None
    rng = np.random.default_rng(8)
    x = rng.uniform(0.15, 2.5, (4, 3)) * np.where(rng.random((4, 3)) > 0.5, 1, -1)
    try:
        with within(4), np.errstate(all="ignore"):
            f, g = _over_arrays(pair.f, x), _over_arrays(pair.g, x)
            y = f(x)
            if np.shape(y) != x.shape:
                return None
            other = x.copy()
            other[1, 2] += 0.1
            if not np.array_equal(np.delete(f(other).ravel(), 5), np.delete(y.ravel(), 5)):
                return _of_softmax(pair, f, x)
            slope = (f(x + _H) - f(x - _H)) / (2 * _H)
            near = (f(x + _H / 4) - f(x - _H / 4)) / (_H / 2)
            smooth = np.abs(slope - near) < 1e-6 * (1 + np.abs(near))
            at_x, at_y = np.asarray(g(x.copy()), float), np.asarray(g(y.copy()), float)
    except Exception:
        return None
    if at_x.shape not in (x.shape, ()) or not smooth.any():
        return None
    same_x = np.allclose(np.broadcast_to(at_x, x.shape)[smooth], slope[smooth], rtol=1e-5, atol=1e-7)
    same_y = at_y.shape in (x.shape, ()) and np.allclose(
        np.broadcast_to(at_y, x.shape)[smooth], slope[smooth], rtol=1e-5, atol=1e-7
    )
    line = _line(pair.source)
    if same_x:
        return CodeFinding(
            form="derivative",
            name=pair.name,
            verdict=RIGHT,
            evidence="it is the derivative, g(x) = f'(x), by central differences",
        )
    if same_y:
        return CodeFinding(
            form="derivative",
            name=pair.name,
            verdict=RIGHT,
            evidence="it is the derivative as a function of the output, g(f(x)) = f'(x): right if it is given the output",
        )
    if pair.known or not slope.any():  # a step has no derivative to be wrong about
        return CodeFinding(
            form="derivative",
            name=pair.name,
            verdict=UNDECIDABLE,
            evidence="the function that it is the derivative of is not in the file, or has none",
        )
    i = int(np.argmax(np.abs(np.broadcast_to(at_x, x.shape) - slope) * smooth))
    evidence = (
        f"cause unknown; at x = {x.flat[i]:.4g} it says {np.broadcast_to(at_x, x.shape).flat[i]:.6g}, central differences say {slope.flat[i]:.6g}, "
        f"and it is not the derivative in terms of the output {y.flat[i]:.4g} either"
    )
    return CodeFinding(
        form="derivative", name=pair.name, verdict=WRONG, array="derivative", evidence=evidence, line=line
    )


def _over_arrays(f: Callable[[Any], Any], x: np.ndarray) -> Callable[[np.ndarray], np.ndarray]:
    """Return f as a function of arrays, number by number if it takes only numbers."""
    try:
        if np.shape(f(x.copy())) in (x.shape, ()):
            return lambda a: (
                np.asarray(f(a.copy()), float) + np.zeros(np.shape(a))
                if np.shape(f(a.copy())) == ()
                else np.asarray(f(a.copy()), float)
            )
    except Exception:
        return lambda a: np.array([float(f(float(v))) for v in np.ravel(a)]).reshape(np.shape(a))
    return lambda a: np.asarray(f(a.copy()), float)


def _of_softmax(pair: Pair, f: Callable[[Any], Any], x: np.ndarray) -> CodeFinding | None:
    """Judge the derivative of a softmax: its Jacobian is a matrix, of which the diagonal alone is not enough."""
    v = x[0].copy()
    y = np.asarray(f(v), float)
    if y.shape != v.shape or not np.isclose(y.sum(), 1) or not np.allclose(y, np.exp(v) / np.exp(v).sum()):
        return None
    jacobian = np.diag(y) - np.outer(y, y)
    given = [np.asarray(pair.g(v.copy()), float), np.asarray(pair.g(y.copy()), float)]
    if any(a.shape == jacobian.shape and np.allclose(a, jacobian) for a in given):
        return CodeFinding(form="derivative", name=pair.name, verdict=RIGHT, evidence="it is the Jacobian of softmax")
    if any(a.shape == v.shape and np.allclose(a, np.diag(jacobian)) for a in given) and _is_used(pair):
        return CodeFinding(
            form="derivative", name=pair.name, verdict=WRONG, array="derivative", diagnosis="softmax-jacobian-diagonal-only", line=_line(pair.source),
            evidence="it is p (1 - p), the diagonal of the Jacobian; dp_i/dz_j = -p_i p_j is missing",
        )  # fmt: skip
    return None


def _is_used(pair: Pair) -> bool:
    """Tell whether the file mentions a function besides defining it."""
    word = pair.name.rpartition(".")[2]
    try:
        text = inspect.getsource(inspect.getmodule(pair.source) or pair.source)
    except (OSError, TypeError):
        return False
    return len(re.findall(rf"\b{re.escape(word)}\b", text)) > 1


def _line(source: Callable[..., Any]) -> int | None:
    try:
        lines, start = inspect.getsourcelines(source)
    except (OSError, TypeError):
        return None
    returns = [start + i for i, text in enumerate(lines) if re.match(r"\s*return\b", text)]
    return returns[-1] if returns else start
