"""What the names of classes, methods and functions say: which look like a forward pass, a loss, a backward pass."""

from __future__ import annotations

import inspect
import re
import sys
from collections.abc import Callable
from types import ModuleType
from typing import Any

from plainnet.checks.code.episode import optional, required
from plainnet.checks.code.roles import returned_names

OWN = "__own__"  # marks the modules of the author
BACK = re.compile(r"^_*(\w*back\w*|bprop\w*|\w*grad(ient)?s?\w*|\w*deriv\w*|\w*prime|\w*delta\w*)$", re.I)


TRAIN = re.compile(r"^_*(train\w*|fit\w*|learn\w*|partial_fit|update\w*|optimi[sz]e\w*|\w*descent\w*|step)$", re.I)


FORWARD = re.compile(
    r"^_*(\w*forward\w*|fprop\w*|__call__|call|feed\w*|predict\w*|query|activat\w*|think\w*|run|output|propagate|evaluate|"
    r"compute\w*|function|func|fn|f|sigmoid|hypothesis|net_input|loss\w*|\w*loss|\w*cost\w*|error|calc\w*|apply|__call__)$",
    re.I,
)


LOSS_NAME = re.compile(r"^_*(\w*loss\w*|\w*cost\w*|error|criterion|objective|j)$", re.I)


def own_classes(module: ModuleType) -> dict[str, type]:
    """Return the classes that a module defines itself, in the order of the file."""
    return {
        name: value
        for name, value in vars(module).items()
        if inspect.isclass(value) and value.__module__ == module.__name__
    }


def is_own(kind: type) -> bool:
    """Tell whether a class is the author's: of the file, or of one of their files that it imports."""
    return hasattr(sys.modules.get(kind.__module__), OWN)


def methods_of(kind: type) -> dict[str, Callable[..., Any]]:
    """Return the methods of a class that were written in Python, those it inherits from the author's classes too."""
    found: dict[str, Callable[..., Any]] = {}
    for base in reversed(kind.__mro__):
        if base.__module__ == kind.__module__ or is_own(base):
            found |= {name: getattr(kind, name) for name, value in vars(base).items() if _is_method(value)}
    return found


def _is_method(value: Any) -> bool:
    return inspect.isfunction(value) or isinstance(value, staticmethod | classmethod)


def passes_of(kind: type) -> list[str]:
    """Return the methods that look like backward passes, or else like a training of itself."""
    methods = methods_of(kind)
    back = [
        name for name in methods if BACK.match(name) and not re.search(r"zero|clear|reset|clip|check|numerical", name)
    ]
    main = [name for name in back if re.search(r"back|bprop|grad", name, re.I)]
    derivatives = [name for name in back if name not in main and re.search(r"deriv|prime", name, re.I)]
    rest = [name for name in back if name not in main and name not in derivatives]
    losses = [
        name
        for name in methods
        if LOSS_NAME.match(name) and len([*required(methods[name]), *optional(methods[name])]) > 2
    ]
    trains = [name for name in methods if TRAIN.match(name) and required(methods[name])[1:]]
    forward = [name for name in methods if FORWARD.match(name) and not LOSS_NAME.match(name)]
    whole = [name for name in losses if returns_gradients(methods[name])]
    return (main or rest or whole or (trains if forward else []) or losses) + derivatives


def returns_gradients(function: Callable[..., Any]) -> bool:
    """Tell whether some return statement names a loss and, beside it, a gradient or a table."""
    if LOSS_NAME.match(function.__name__) and any(
        len(names) == 2 and not any(names) for names in returned_names(function)
    ):
        return True
    return any(
        len(names) > 1
        and any(re.search(r"loss|cost|^j$|error|err", name, re.I) for name in names)
        and any(
            not name or re.match(r"^(d_?[A-Za-z]\w{0,6}|grads?|gradients?|grad_\w+|\w+_grads?)$", name)
            for name in names
        )
        for names in returned_names(function)
    )
