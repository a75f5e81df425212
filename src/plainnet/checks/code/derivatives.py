"""Judge derivatives of activations: g is right if g(x) = f'(x), or if g(f(x)) = f'(x), a common form that takes the output."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from plainnet.checks.code.episode import within
from plainnet.checks.code.given_outputs import Misuse, given_the_output
from plainnet.checks.code.roles import tree_of_module
from plainnet.checks.code.verdicts import CodeFinding
from plainnet.checks.gradients.central import RIGHT, UNDECIDABLE, WRONG

_H = 1e-5


class Pair(NamedTuple):
    """A function and its supposed derivative, where the derivative is defined, and its qualified name."""

    name: str
    f: Callable[[Any], Any] | None
    g: Callable[[Any], Any]
    source: Callable[..., Any]
    known: bool


def judge_pair(pair: Pair) -> CodeFinding | None:
    """Return the verdict on a derivative; None if its function is not elementwise (or a softmax)."""
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
    misuse = _misused(pair) if same_x and not same_y else None
    where = misuse.line if misuse is not None else None
    if misuse is not None:
        said = f"it is the derivative, g(x) = f'(x), but line {where} gives it the output f(x) instead of the input"
    elif same_x:
        said = "it is the derivative, g(x) = f'(x), by central differences"
    else:
        said = (
            "it is the derivative as a function of the output, g(f(x)) = f'(x): right if the code gives it the output"
        )
    if misuse is not None and not misuse.direct:  # one activation of several: the pass may be right with the others
        return CodeFinding(
            form="derivative", name=pair.name, verdict=WRONG, array="derivative", evidence=said, line=where
        )
    if same_x or same_y:
        return CodeFinding(form="derivative", name=pair.name, verdict=RIGHT, evidence=said, line=where)
    if pair.known or not slope.any():  # the derivative of a step function is zero everywhere
        return CodeFinding(
            form="derivative",
            name=pair.name,
            verdict=UNDECIDABLE,
            evidence="its function is not in the file, or has no derivative",
        )
    i = int(np.argmax(np.abs(np.broadcast_to(at_x, x.shape) - slope) * smooth))
    evidence = (
        f"cause unknown; at x = {x.flat[i]:.4g} it is {np.broadcast_to(at_x, x.shape).flat[i]:.6g}, but central differences give {slope.flat[i]:.6g}; "
        f"as a function of the output {y.flat[i]:.4g} it is wrong too"
    )
    return CodeFinding(
        form="derivative", name=pair.name, verdict=WRONG, array="derivative", evidence=evidence, line=line
    )


def _misused(pair: Pair) -> Misuse | None:
    """Return the call in which the file gives this derivative the output instead of the input."""
    module = inspect.getmodule(pair.source)
    tree = tree_of_module(module) if module is not None else None
    f = getattr(pair.f, "__name__", "")
    return given_the_output(tree, f, pair.name.rpartition(".")[2]) if tree is not None and f != "<lambda>" else None


def _over_arrays(f: Callable[[Any], Any], x: np.ndarray) -> Callable[[np.ndarray], np.ndarray]:
    """Return f as a function of arrays; if it takes only numbers, apply it to one number at a time."""
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
    """Judge the derivative of a softmax: its Jacobian is a full matrix, so the diagonal alone is wrong."""
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
    """Return whether the file mentions a function outside its definition."""
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
