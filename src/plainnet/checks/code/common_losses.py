"""Gradients of losses that a file does not define: `cost_derivative(output, y)` beside no cost.

The values show whether it is the gradient of a common loss with respect to the output, or, for a class such as
Softmax_Loss without a forward pass, with respect to the logits. If not, nothing is said.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from types import ModuleType
from typing import Any

import numpy as np

from plainnet.checks.code.elementwise import object_of
from plainnet.checks.code.episode import required, within
from plainnet.checks.code.looks import FORWARD, LOSS_NAME, methods_of, own_classes, passes_of
from plainnet.checks.code.rewritten import SAYS_LOSS, loss_gradients
from plainnet.checks.code.roles import role_of
from plainnet.checks.code.verdicts import CodeFinding
from plainnet.checks.gradients.central import RIGHT

_ENTROPY = re.compile(r"(?i)entropy|bce|nll|log")
_FUSED = re.compile(r"(?i)softmax.*(loss|entropy)|(loss|entropy).*softmax")
_SQUARES: dict[str, Callable[[Any, Any], Any]] = {
    "half the squared error with respect to the output": lambda p, y: p - y,
    "the squared error with respect to the output": lambda p, y: 2 * (p - y),
}
_ENTROPIES: dict[str, Callable[[Any, Any], Any]] = {
    "cross-entropy with respect to the output": lambda p, y: -y / p,
    "binary cross-entropy with respect to the output": lambda p, y: (p - y) / (p * (1 - p)),
}

_LOGITS: dict[str, Callable[[Any, Any], Any]] = {
    "softmax and cross-entropy with respect to the logits, if it gets the output of the softmax": lambda p, y: p - y
}


def judge_common_losses(module: ModuleType, *, defined_too: bool = False) -> dict[str, CodeFinding]:
    """Return findings on the gradients of losses that a module does not define; only right ones are sure.

    With `defined_too`, also of losses that it defines; this is for those that cannot be run.
    """
    found: dict[str, CodeFinding] = {}
    for name, gradient, beside in loss_gradients(module):
        says = SAYS_LOSS.search(name.rpartition(".")[2])  # otherwise only its class does, which may have a forward pass
        defined = LOSS_NAME if says else re.compile(f"{LOSS_NAME.pattern}|{FORWARD.pattern}", re.I)
        if not defined_too and any(defined.match(other) for other in beside):
            continue
        try:
            with within(4), np.errstate(all="ignore"):
                loss = _recognized(name, gradient)
        except Exception:
            continue
        if loss is not None:
            evidence = f"it is the gradient of {loss}"
            found[name] = CodeFinding(
                form="functions", name=name, verdict=RIGHT, evidence=evidence, function=name.rpartition(".")[2]
            )
    return found


def completes_softmax(module: ModuleType) -> str | None:
    """Return the name of the loss gradient g with g p (1 - p) = p - y: it makes the diagonal of softmax's Jacobian enough."""
    for name, gradient, _ in loss_gradients(module):
        try:
            with within(4), np.errstate(all="ignore"):
                p, y = next(_outputs())
                product = np.asarray(gradient(p.copy(), y.copy())) * p * (1 - p)
        except Exception:
            continue
        if any(np.shape(product) == p.shape and np.allclose(product * k, p - y, rtol=1e-6) for k in (1.0, len(p))):
            return name
    return None


def judge_fused_losses(module: ModuleType) -> dict[str, CodeFinding]:
    """Return findings on classes such as Softmax_Loss that have no forward pass: their gradient is p - y, or its mean."""
    found: dict[str, CodeFinding] = {}
    for name, kind in own_classes(module).items():
        methods = methods_of(kind)
        back = next(iter(passes_of(kind)), None)
        if back is None or not _FUSED.search(name) or any(FORWARD.match(other) for other in methods if other != back):
            continue
        try:
            with within(4), np.errstate(all="ignore"):
                right = _is_difference(object_of(kind, module), back, *next(_outputs()))
        except Exception:
            continue
        if right:
            evidence = "it is the gradient of softmax and cross-entropy with respect to the logits, if it gets the output of the softmax"
            found[f"{name}.{back}"] = CodeFinding(
                form="functions", name=f"{name}.{back}", verdict=RIGHT, evidence=evidence, function=back
            )
    return found


def _is_difference(made: Any, back: str, p: np.ndarray, y: np.ndarray) -> bool:
    """Return whether a method returns or stores p - y, or its mean over the examples, for one-hot rows and for classes."""
    right = p - y
    for target in (y, y.argmax(axis=1)):
        given = getattr(made, back)(p.copy(), target.copy())
        results = [given] if given is not None else list(vars(made).values())
        arrays = [value for value in results if isinstance(value, np.ndarray) and value.shape == p.shape]
        if not any(np.allclose(a * factor, right, rtol=1e-6) for a in arrays for factor in (1.0, len(p))):
            return False
    return True


def _recognized(name: str, gradient: Callable[..., Any]) -> str | None:
    """Return the common loss that a function is the gradient of, for examples in rows, in columns, and alone."""
    reached: list[set[str]] = []
    known = _LOGITS if _FUSED.search(name) else _ENTROPIES if _ENTROPY.search(name) else _SQUARES
    target_first = role_of(required(gradient)[0]) == "target"
    for p, y in _outputs():
        given = np.asarray(gradient(*((y.copy(), p.copy()) if target_first else (p.copy(), y.copy()))), float)
        reached.append(
            {
                loss if factor == 1 else f"{loss}, as a mean"
                for loss, right in known.items()
                for factor in {1.0, *p.shape, p.size}
                if given.shape == p.shape and np.allclose(given * factor, right(p, y), rtol=1e-4)
            }
        )
    common = set.intersection(*reached)
    return min(common, key=len) if common else None


def _outputs() -> Iterator[tuple[np.ndarray, np.ndarray]]:
    rng = np.random.default_rng(3)
    rows = rng.dirichlet(np.full(4, 2.0), 6)
    y = np.eye(4)[rng.integers(0, 4, 6)]
    yield rows, y
    yield rows.T.copy(), y.T.copy()
    yield rows[:1].T.copy(), y[:1].T.copy()
