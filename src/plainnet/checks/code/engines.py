"""Engines of automatic differentiation: numbers or arrays that remember how they were made, and `backward()`.

Every operation is judged by itself: an expression is built with it, `backward()` is called on a sum of its result times fixed weights,
and the gradients of the leaves are compared with central differences of building it again. A second time the node is used
twice, where a gradient that is set instead of added shows.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterator
from types import ModuleType
from typing import Any, NamedTuple

import numpy as np

from plainnet.checks.code.episode import required, within
from plainnet.checks.code.looks import methods_of, own_classes
from plainnet.checks.code.verdicts import CodeFinding
from plainnet.checks.gradients.central import RIGHT, WRONG

_H = 1e-5
_DATA, _GRADIENT = ("data", "value", "val", "array", "item"), ("grad", "gradient", "g", "_grad")
_BINARY = {
    "__add__": lambda a, b: a + b, "__sub__": lambda a, b: a - b, "__mul__": lambda a, b: a * b, "__truediv__": lambda a, b: a / b,
    "__matmul__": lambda a, b: a @ b, "matmul": lambda a, b: a.matmul(b), "dot": lambda a, b: a.dot(b), "__pow__": lambda a, b: a**3,
    "__neg__": lambda a, b: -a, "__radd__": lambda a, b: 2.0 + a, "__rmul__": lambda a, b: 2.0 * a, "__rsub__": lambda a, b: 2.0 - a,
    "__rtruediv__": lambda a, b: 2.0 / a,
}  # fmt: skip
_UNARY = (
    "relu", "tanh", "sigmoid", "exp", "log", "sum", "mean", "sqrt", "softmax", "abs", "sin", "cos", "transpose", "leaky_relu", "max", "square",
    "gelu", "silu", "softplus", "log_softmax", "var", "T",
)  # fmt: skip


class Engine(NamedTuple):
    """A class of such numbers: where it keeps value and gradient, and whether it takes arrays."""

    kind: type
    data: str
    grad: str
    arrays: bool


def engines_of(module: ModuleType) -> Iterator[Engine]:
    """Yield the classes of a module that are engines: value, gradient, `backward` and operators."""
    for kind in own_classes(module).values():
        methods = methods_of(kind)
        if "backward" not in methods or not {"__add__", "__mul__"} & set(methods):
            continue
        for value in (np.array([[0.7, -0.4, 1.1], [0.3, 0.9, -0.8]]), 0.7):
            try:
                with within(2), np.errstate(all="ignore"):
                    made = kind(value)
            except Exception:
                continue
            data = next(
                (name for name in _DATA if hasattr(made, name) and np.shape(getattr(made, name)) == np.shape(value)),
                None,
            )
            grad = next((name for name in _GRADIENT if hasattr(made, name)), None)
            if data is not None and grad is not None:
                yield Engine(kind, data, grad, np.ndim(value) > 0)
                break


def judge_engine(engine: Engine) -> Iterator[CodeFinding]:
    """Yield a verdict on every operation of an engine, and on `backward` by a node that is used twice."""
    methods = methods_of(engine.kind)
    name = engine.kind.__name__
    twice = _judged(engine, lambda a, b: a * b + a * a, f"{name}.backward", methods["backward"])
    if twice is not None:
        yield twice
    for operation, build in _BINARY.items():
        if operation in methods:
            finding = _judged(
                engine,
                build,
                f"{name}.{operation}",
                methods[operation],
                of_matrices=operation in ("__matmul__", "matmul", "dot"),
            )
            if finding is not None:
                yield finding
    for operation in methods:
        if operation not in _UNARY:
            continue
        axis = next((p for p in inspect.signature(methods[operation]).parameters if p in ("dim", "axis")), None)
        if len(required(methods[operation])) != 1 + (axis in required(methods[operation])):
            continue
        found = []
        for options in [{axis: 0}, {axis: 1}, {}] if axis and engine.arrays else [{}]:
            build = _calls(operation, options)
            found.append(_judged(engine, build, f"{name}.{operation}", methods[operation]))
        told = [finding for finding in found if finding is not None]
        if told:
            yield next((finding for finding in told if finding.verdict == WRONG), told[0])


def _judged(
    engine: Engine,
    build: Callable[[Any, Any], Any],
    name: str,
    source: Callable[..., Any],
    *,
    of_matrices: bool = False,
) -> CodeFinding | None:
    """Judge one operation, on arrays if the engine takes them, else on numbers; None if it runs on neither."""
    found = _measured(engine, build, name, source, of_matrices=of_matrices)
    if found is None and engine.arrays and not of_matrices:
        found = _measured(engine._replace(arrays=False), build, name, source)
    return found


def _calls(operation: str, options: dict[str, Any]) -> Callable[[Any, Any], Any]:
    return lambda a, b: getattr(a, operation)(**options)


def _measured(
    engine: Engine,
    build: Callable[[Any, Any], Any],
    name: str,
    source: Callable[..., Any],
    *,
    of_matrices: bool = False,
) -> CodeFinding | None:
    rng = np.random.default_rng(6)
    shapes = ((2, 3), (3, 2)) if of_matrices else ((2, 3), (2, 3))
    values = [rng.uniform(0.3, 1.7, shape) if engine.arrays else float(rng.uniform(0.3, 1.7)) for shape in shapes]
    try:
        with within(4), np.errstate(all="ignore"):
            made = [engine.kind(np.copy(v) if engine.arrays else v) for v in values]
            out = build(*made)
            weights = rng.uniform(0.5, 1.5, np.shape(getattr(out, engine.data))) if engine.arrays else 1.0
            root = out * engine.kind(weights)
            _back(root, engine)
            given = [getattr(m, engine.grad) for m in made]

            def value(changed: list[Any]) -> float:
                result = build(*[engine.kind(np.copy(c) if engine.arrays else c) for c in changed])
                return float(np.sum(getattr(result, engine.data) * weights))

            truth = [_slopes(value, values, i) for i in range(2)]
    except Exception:
        return None
    for which, (claim, right) in enumerate(zip(given, truth, strict=True)):
        if not np.any(right):
            continue
        claimed = np.asarray(getattr(claim, engine.data, claim) if claim is not None else 0.0, float)
        if claimed.shape != np.shape(right) or not np.allclose(claimed, right, rtol=1e-5, atol=1e-7):
            lines, start = _source(source)
            return CodeFinding(
                form="engine", name=name, verdict=WRONG, array=f"{engine.grad} of operand {which + 1}",
                evidence=f"cause unknown; it says {np.ravel(claimed)[0]:.6g}, central differences say {np.ravel(right)[0]:.6g}",
                line=start + next((i for i, line in enumerate(lines) if re.search(rf"{engine.grad}\b.*=", line)), 0) if lines else None,
            )  # fmt: skip
    return CodeFinding(form="engine", name=name, verdict=RIGHT, evidence="its gradients agree with central differences")


def _back(root: Any, engine: Engine) -> None:
    """Call backward on a result: it may start from ones, want a gradient, or only work for a single number."""
    methods = methods_of(engine.kind)
    ones = np.ones(np.shape(getattr(root, engine.data)))
    if required(methods["backward"])[1:]:
        root.backward(ones)
    elif "sum" in methods and engine.arrays and not required(methods["sum"])[1:]:
        root.sum().backward()
    else:
        root.backward()


def _slopes(value: Callable[[list[Any]], float], values: list[Any], i: int) -> Any:
    found = np.zeros(np.shape(values[i]))
    for place in np.ndindex(found.shape):
        sides = []
        for step in (_H, -_H):
            changed = [np.array(v, float) for v in values]
            changed[i][place] += step
            sides.append(value([c if c.ndim else float(c) for c in changed]))
        found[place] = (sides[0] - sides[1]) / (2 * _H)
    return found if found.ndim else float(found)


def _source(source: Callable[..., Any]) -> tuple[list[str], int]:
    try:
        return inspect.getsourcelines(source)
    except (OSError, TypeError):
        return [], 0
