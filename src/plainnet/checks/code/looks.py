"""Recognize forward passes, losses and backward passes by the names of classes, methods and functions."""

from __future__ import annotations

import ast
import inspect
import re
import sys
from collections.abc import Callable
from types import ModuleType
from typing import Any

from plainnet.checks.code.coverage import is_empty
from plainnet.checks.code.episode import optional, required
from plainnet.checks.code.roles import returned_names, tree_of

OWN = "__own__"  # marks the author's modules
BACK = re.compile(r"^_*(\w*back\w*|bprop\w*|bwd\w*|\w*grad(ient)?s?\w*|\w*deriv\w*|\w*prime|\w*delta\w*)$", re.I)


TRAIN = re.compile(r"^_*(train\w*|fit\w*|learn\w*|partial_fit|update\w*|optimi[sz]e\w*|\w*descent\w*|step)$", re.I)


FORWARD = re.compile(
    r"^_*(\w*forward\w*|fprop\w*|f_?wd\w*|__call__|call|feed\w*|predict\w*|query|activat\w*|think\w*|run|output|propagate|evaluate|"
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
    """Return whether the author wrote a class, in this file or in one that it imports."""
    return hasattr(sys.modules.get(kind.__module__), OWN)


def kinds_with(attributes: list[str], module: ModuleType) -> list[type]:
    """Return the author's classes with these attributes, as methods or set by their constructor."""
    found = []
    for kind in [value for value in vars(module).values() if inspect.isclass(value) and is_own(value)]:
        known = set(dir(kind)) | set(re.findall(r"self\.(\w+) *(?:=|,|:)", _source(kind)))
        if set(attributes) <= known and not inspect.isabstract(kind):
            found.append(kind)
    return found


def _source(kind: type) -> str:
    try:
        return "".join(inspect.getsource(base) for base in kind.__mro__ if is_own(base))
    except (OSError, TypeError):
        return ""


def methods_of(kind: type) -> dict[str, Callable[..., Any]]:
    """Return the methods of a class that are written in Python, including those inherited from the author's classes."""
    found: dict[str, Callable[..., Any]] = {}
    for base in reversed(kind.__mro__):
        if base.__module__ == kind.__module__ or is_own(base):
            found |= {name: getattr(kind, name) for name, value in vars(base).items() if _is_method(value)}
    return found


def _is_method(value: Any) -> bool:
    return inspect.isfunction(value) or isinstance(value, staticmethod | classmethod)


def passes_of(kind: type) -> list[str]:
    """Return the methods that look like backward passes, or if there are none, those that train the object itself."""
    methods = methods_of(kind)
    back = [
        name for name in methods if BACK.match(name) and not re.search(r"zero|clear|reset|clip|check|numerical", name)
    ]
    main = [name for name in back if re.search(r"back|bprop|bwd|grad", name, re.I)]
    derivatives = [name for name in back if name not in main and re.search(r"deriv|prime", name, re.I)]
    rest = [name for name in back if name not in main and name not in derivatives]
    losses = [
        name
        for name in methods
        if LOSS_NAME.match(name) and len([*required(methods[name]), *optional(methods[name])]) > 2
    ]
    trains = [name for name in methods if TRAIN.match(name) and required(methods[name])[1:]]
    forward = [name for name in methods if FORWARD.match(name) and not LOSS_NAME.match(name)]
    helped = _called_inside(kind) if any("back" in name.lower() for name in main) else set()
    main = [
        name for name in main if "back" in name.lower() or name not in helped
    ]  # such as local_grad, which backward uses
    whole = [name for name in losses if returns_gradients(methods[name])]
    return (main or rest or whole or (trains if forward else []) or losses) + derivatives


def passes_beside(kind: type, back: str) -> list[str]:
    """Return the passes that take the same arguments, such as one that gives dx and one that gives the gradients of the weights."""
    methods = methods_of(kind)
    wanted = required(methods[back])[1:]
    names = [name for name in passes_of(kind) if "back" in name.lower() and not is_empty_function(methods[name])]
    return [n for n in names if n != back and "back" in back.lower() and wanted and required(methods[n])[1:] == wanted]


def is_empty_function(function: Callable[..., Any]) -> bool:
    """Return whether the body of a function is empty."""
    tree = tree_of(function)
    node = tree.body[0] if tree is not None and tree.body else None
    return isinstance(node, ast.FunctionDef) and is_empty(node)


def _called_inside(kind: type) -> set[str]:
    """Return the names of the methods that other methods of a class call."""
    called: set[str] = set()
    for name, function in methods_of(kind).items():
        tree = tree_of(function)
        calls = [node.func for node in ast.walk(tree) if isinstance(node, ast.Call)] if tree else []
        called |= {f.attr for f in calls if isinstance(f, ast.Attribute) and ast.unparse(f.value) == "self"} - {name}
    return called


def returns_gradients(function: Callable[..., Any]) -> bool:
    """Return whether a return statement names a loss together with a gradient or a dict."""
    if LOSS_NAME.match(function.__name__) and any(
        len(names) == 2 and not any(names) for names in returned_names(function)
    ):
        return True
    return any(
        len(names) > 1
        and any(re.search(r"loss|cost|^[jl]$|error|err", name, re.I) for name in names)
        and any(
            not name or re.match(r"^(d_?[A-Za-z]\w{0,6}|grads?|gradients?|grad_\w+|\w+_grads?)$", name)
            for name in names
        )
        for names in returned_names(function)
    )
