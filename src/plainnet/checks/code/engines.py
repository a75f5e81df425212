"""Engines of automatic differentiation: classes of numbers or arrays that record how they were computed, with `backward()`."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

import numpy as np

from plainnet.checks.code.beside import modules_with
from plainnet.checks.code.episode import optional, within
from plainnet.checks.code.looks import is_own, methods_of

_DATA, _GRADIENT = ("data", "value", "val", "array", "item", "_value", "_data"), ("grad", "gradient", "g", "_grad")
_BACKWARD = ("backward", "backprop", "backward_pass")
_TRACKS = re.compile(r"(requires?|retain|tracks?|needs?|use|with|enable)_?grad\w*|auto_?grad\w*|trainable")
_OPERATORS = re.compile(r"^\s+def __(r?add|r?mul|matmul)__|__add__ ?=", re.M)


class Engine(NamedTuple):
    """A class of such numbers: where it keeps its value and gradient, its backward pass, and whether it takes arrays.

    If its product is wrong (`multiplies`), the doctor weights a result by adding it to itself.
    """

    kind: type
    data: str
    grad: str
    back: str
    arrays: bool
    multiplies: bool = True

    def node(self, value: Any) -> Any:
        """Return a leaf with this value that needs a gradient."""
        wanted = {name: True for name in optional(self.kind) if _TRACKS.fullmatch(name)}
        made = self.kind(np.array(value) if self.arrays else float(value), **wanted)
        if self.arrays and np.asarray(getattr(made, self.data)).dtype != float:
            setattr(made, self.data, np.array(value, float))
        return made


def engines_of(module: ModuleType) -> Iterator[Engine]:
    """Yield the engines that a file defines or uses: classes with a value, a gradient, `backward` and operators."""
    found = [engine for kind in _classes_in(module) if (engine := _engine(kind)) is not None]
    if not found and _speaks_of_gradients(module):
        beside = (kind for other in _beside(module) for kind in _classes_in(other))
        found = [engine for kind in beside if (engine := _engine(kind)) is not None][:1]
    yield from found


def _classes_in(module: ModuleType) -> list[type]:
    """Return the author's classes that a module defines or imports."""
    return [value for value in vars(module).values() if inspect.isclass(value) and is_own(value)]


def _engine(kind: type) -> Engine | None:
    methods = methods_of(kind)
    back = next((name for name in _BACKWARD if name in methods), None)
    if back is None or not any(hasattr(kind, name) for name in ("__add__", "__mul__", "__matmul__")):
        return None
    for value in (np.array([[0.7, -0.4, 1.1], [0.3, 0.9, -0.8]]), 0.7):
        try:
            with within(2), np.errstate(all="ignore"):
                made = kind(value)
        except Exception:
            continue
        data = next((n for n in _DATA if hasattr(made, n) and np.shape(getattr(made, n)) == np.shape(value)), None)
        grad = next((name for name in _GRADIENT if name in vars(made)), None)
        if data is not None and grad is not None:
            return Engine(kind, data, grad, back, np.ndim(value) > 0)
    return None


def _speaks_of_gradients(module: ModuleType) -> bool:
    own = [value for value in vars(module).values() if getattr(value, "__module__", "") == module.__name__]
    return any(inspect.isclass(value) or "grad" in str(getattr(value, "__code__", ())) for value in own)


def _beside(module: ModuleType) -> Iterator[ModuleType]:
    """Import and yield the modules of the same package in which a class defines operators."""
    path = Path(str(module.__file__)).resolve()
    if not module.__package__ and not (path.parent / "__init__.py").exists():
        return
    root = [path, *path.parents][max(len((module.__package__ or "").split(".")), 1)]
    while (root.parent / "__init__.py").exists():
        root = root.parent
    files = [other for other in sorted(root.rglob("*.py")) if other != path]
    names = [".".join(other.relative_to(root.parent).with_suffix("").parts) for other in files]
    yield from modules_with(_OPERATORS, list(zip(files, names, strict=True)))
