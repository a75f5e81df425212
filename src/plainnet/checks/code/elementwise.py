"""Find derivatives of activations: sigmoid_prime beside sigmoid, a method `derivative` beside `function`, f(x, deriv=True)."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterator
from functools import partial
from types import ModuleType
from typing import Any

import numpy as np

from plainnet.checks.code.binding import own_functions
from plainnet.checks.code.constructing import constructions
from plainnet.checks.code.derivatives import Pair, judge_pair
from plainnet.checks.code.episode import required, within
from plainnet.checks.code.looks import methods_of, own_classes
from plainnet.checks.code.uses import use_of
from plainnet.checks.code.verdicts import CodeFinding
from plainnet.checks.gradients.central import RIGHT, UNDECIDABLE, WRONG

_WORDS = r"deriv[a-z]*|derv|der|primes?|gradients?|grads?|backwards?|dash|diff|differ[a-z]*|delta|bp"
_DERIVES = re.compile(
    rf"(?i)(^|_)({_WORDS})(_|$|of_)|(?<=[a-z2])(Derivative|Deriv|Prime|Gradient|Grad|Backward|Der|prime|deriv|derivative)$|^d_?[a-z]|^d$|_[dg]$|^(der|deriv[a-z]*)[A-Z]"
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
KNOWN: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "sigmoid": lambda x: 1 / (1 + np.exp(-x)),
    "sigm": lambda x: 1 / (1 + np.exp(-x)),
    "sig": lambda x: 1 / (1 + np.exp(-x)),
    "logistic": lambda x: 1 / (1 + np.exp(-x)),
    "tanh": np.tanh,
    "relu": lambda x: np.maximum(x, 0),
    "linear": lambda x: x,
    "identity": lambda x: x,
}
_FLAG = re.compile(r"(?i)^(\w*deriv\w*|prime|grad|gradient|derv|dx|der|d|diff|backward)$")

_WORSE = {UNDECIDABLE: 1, RIGHT: 2, WRONG: 3}


def judge_derivatives(module: ModuleType) -> dict[str, CodeFinding]:
    """Return the findings on the derivatives that a module defines, by name; of several on one name, the worst."""
    found: dict[str, CodeFinding] = {}
    for pair in elementwise_pairs(module):
        finding = judge_pair(pair)
        if finding is not None and _WORSE[finding.verdict] > _WORSE.get(
            getattr(found.get(pair.name), "verdict", ""), 0
        ):
            found[pair.name] = finding
    of_objects: dict[str, list[CodeFinding | None]] = {}
    for pair in _local_pairs(module):
        of_objects.setdefault(pair.name, []).append(judge_pair(pair))
    for name, findings in of_objects.items():
        if all(finding is not None and finding.verdict == RIGHT for finding in findings):
            found.setdefault(name, next(filter(None, findings)))
    return found


def _local_pairs(module: ModuleType) -> Iterator[Pair]:
    """Yield f(x) and backward(x) of classes that remember nothing: backward may be the derivative at x, or at f(x)."""
    for name, kind in own_classes(module).items():
        methods = methods_of(kind)
        f = next((f for f in ("forward", "__call__") if f in methods), None)
        if f is None or "backward" not in methods or any(len(required(methods[m])) != 2 for m in (f, "backward")):
            continue
        if not re.search(r"self\.\w+(\[.*\])? *=(?!=)|super\(\)", _text_of(methods[f])):
            for made in [made for _, made in constructions(kind, module)] or [object_of(kind, module)]:
                if made is not None and not _is_one(made.backward):
                    yield Pair(f"{name}.backward", getattr(made, f), made.backward, methods["backward"], True)


def _is_one(g: Callable[..., Any]) -> bool:
    """Return whether a derivative is the number 1: of a softmax, whose derivative is then part of that of the loss."""
    try:
        with within(4):
            return bool(np.ndim(one := g(np.ones((2, 3)))) == 0 and one == 1)
    except Exception:
        return False


def _text_of(function: Callable[..., Any]) -> str:
    try:
        return inspect.getsource(function)
    except (OSError, TypeError):
        return "self.x = unknown"


def elementwise_pairs(module: ModuleType) -> Iterator[Pair]:
    """Yield the derivatives that a module defines, each with its function."""
    functions = own_functions(module)
    for name, g in functions.items():
        flagged = list(_flagged_pairs(name, g, g))
        yield from flagged
        if not flagged and _DERIVES.search(name) and len(required(g)) == 1 and not re.search("cost|loss", name):
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
            made = object_of(kind, module) if flag_of(g) is not None and "back" not in name.lower() else None
            if made is not None:
                of_self = next(iter(inspect.signature(g).parameters), "") in ("self", "cls")
                with_object = isinstance(inspect.getattr_static(kind, name), classmethod) or of_self
                yield from _flagged_pairs(_qualified(kind, name), getattr(made if with_object else kind, name), g)
        for name in [
            name for name in methods if (_DERIVES.search(name) or _FLAG.match(name)) and "back" not in name.lower()
        ]:
            static = isinstance(inspect.getattr_static(kind, name), staticmethod | classmethod)
            if len(required(methods[name])) != (1 if static else 2):
                continue
            made = object_of(kind, module) if not static else kind
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


def _similar(stem: str, own: dict[str, Callable[..., Any]], g: Callable[..., Any]) -> Callable[..., Any] | None:
    """Return a function that the derivative may belong to, though its name is another: the author's, or a common one."""
    inside = [key for key in own if len(key) > 3 and key in stem.replace("_", "") and len(_free(own[key])) == 1]
    if inside:
        return own[max(inside, key=len)]
    if "leaky" in stem:
        return lambda x: np.where(x > 0, x, np.ravel(g(np.array([-1.0])))[0] * x)
    return next((KNOWN[key] for key in sorted(KNOWN, key=len, reverse=True) if key in stem), None)


def _free(f: Callable[..., Any]) -> list[str]:
    """Return the arguments that must be given; one for a built-in function."""
    try:
        return required(f)
    except (TypeError, ValueError):
        return ["x"]


def _qualified(kind: type, name: str) -> str:
    """Return the name of a method as it is written in the file: __prime for _Network__prime."""
    return f"{kind.__name__}.{name.removeprefix(f'_{kind.__name__}')}"


def object_of(kind: type, module: ModuleType) -> Any:
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


def flag_of(g: Callable[..., Any]) -> str | None:
    """Return the argument that asks for the derivative, as in f(x, deriv=True)."""
    for parameter in [p for p in inspect.signature(g).parameters.values() if p.name != "self"][1:]:
        if _FLAG.match(parameter.name) and ("deriv" in parameter.name.lower() or parameter.default is False):
            return parameter.name
    return None


def _flagged_pairs(name: str, g: Callable[..., Any], source: Callable[..., Any]) -> Iterator[Pair]:
    """Yield f(x) and f(x, deriv=True), and if another argument chooses among functions by their names, each of these."""
    flag = flag_of(g)
    wanted = [p for p in required(g) if p != flag]
    first = next((p for p in inspect.signature(g).parameters if p != "self"), "")
    if flag is None or len(wanted) > 2:
        return
    for word in use_of(source, wanted[1]).words if len(wanted) == 2 else [None]:
        more = {} if word is None else {wanted[1]: word}
        f, derivative = (partial(_called, g, first, {flag: value} | more) for value in (False, True))
        yield Pair(name, f, derivative, source, "der" not in flag.lower())


def _called(g: Callable[..., Any], first: str, more: dict[str, Any], x: Any) -> Any:
    return g(**{first: x}, **more)


def is_derivative(name: str) -> bool:
    """Return whether a name says that a function is a derivative."""
    return bool(_DERIVES.search(name))


def stem_of(name: str) -> str:
    """Return the name of a derivative's function: sigmoid for sigmoid_prime, d_sigmoid, sigmoidDerivative, derivative_of_sigmoid."""
    word = re.sub(r"^_\w+?__(?=\w)", "", name.rpartition(".")[2])
    word = re.sub(r"^(der|deriv[a-z]*)(?=[A-Z])", "derivative_", word)
    word = re.sub(r"(?i)_output_to(?=_)|_from_(output|activation|a)$|_all$", "", word)
    bare = re.sub(rf"(?i)(^|_)({_WORDS})(_of)?(?=_|$)", "", word)
    bare = re.sub(r"(?<=[a-z])(Derivative|Deriv|Prime|Gradient|Grad|Backward|Der)$", "", bare)
    bare = re.sub(r"(prime|deriv|derivative)$", "", bare) if bare == word else bare  # relu2deriv
    if bare == word:
        bare = re.sub(r"^d_?(?=[A-Za-z])|^d$|_[dg]$", "", word, count=1)
    return bare.strip("_2").lower()


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
    if f is not None and len(_free(f)) == 1:
        return Pair(name, f, g, g, False)
    known = stem or name.partition(".")[0].lower()
    return Pair(name, _similar(known, loose, g), g, g, True)
