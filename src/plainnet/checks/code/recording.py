"""Record calls in the author's own program: run it for a while, and keep the arguments of the first calls.

Recorded arguments need no guessing: their objects, sizes and layouts are those for which the code was written.
"""

from __future__ import annotations

import ast
import copy
import inspect
import re
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import CodeType, FrameType, ModuleType
from typing import Any

import numpy as np

from plainnet.checks.code.episode import MODULE, Names, data_of
from plainnet.checks.code.loading import Loaded, run_statement
from plainnet.checks.code.looks import own_classes
from plainnet.checks.code.roles import role_of
from plainnet.checks.code.stand_ins import stand_ins
from plainnet.checks.code.values import numbers_in

Arguments = dict[str, Any]
SEEN = "__seen__"  # where a module keeps recorded calls
BATCH = "<batch>"  # key of the number of examples in a table
_MOST_CALLS = 2  # of one function
_MOST_NUMBERS = 3_000_000  # in the arguments of a recorded call


def record(loaded: Loaded, seconds: float, program: Loaded | None = None) -> bool:
    """Run the program of a file, or another that imports it, and record the arguments of the first calls of its functions.

    Returns whether any call was recorded.
    """
    module = loaded.module
    names = dict(_functions(module))
    seen: dict[str, list[Arguments]] = {}
    quiet = copy.copy(program or loaded)
    quiet.failed = []
    until = time.monotonic() + seconds

    def notice(frame: FrameType, event: str, _: Any) -> None:
        name = names.get(frame.f_code) if event == "call" else None
        if name is None:
            return
        if (me := frame.f_locals.get("self")) is not None:
            name = f"{type(me).__name__}.{name}"
        if len(seen.setdefault(name, [])) < _MOST_CALLS and (kept := _kept(frame, module)) is not None:
            seen[name].append(kept)

    before = dict(vars(module))
    sys.setprofile(notice)
    try:
        with stand_ins(Path(str(quiet.module.__file__)).parent, loaded.stand_ins):
            for statement in _program(quiet.tree, everything=program is not None):
                if time.monotonic() > until:
                    break
                run_statement(statement, quiet)
    finally:
        sys.setprofile(None)
        vars(module).clear()
        vars(module).update(before)
    vars(module)[SEEN] = {name: calls for name, calls in seen.items() if calls}
    return bool(vars(module)[SEEN])


def seen_of(module: ModuleType | None, name: str) -> list[Arguments]:
    """Return copies of the recorded arguments of a function, or of a method given as "Class.method"."""
    calls = vars(module).get(SEEN, {}).get(name, []) if module is not None else []
    return copy.deepcopy(calls)


def has_a_program(tree: ast.Module) -> bool:
    """Return whether a file does more than define functions and classes: it has calls, loops or a main part."""
    return any(_does_something(statement) for statement in tree.body)


def _does_something(statement: ast.stmt) -> bool:
    calls = isinstance(statement, ast.Expr | ast.Assign) and any(isinstance(n, ast.Call) for n in ast.walk(statement))
    return calls or isinstance(statement, ast.For | ast.While | ast.If | ast.With)


def _program(tree: ast.Module, *, everything: bool) -> Iterator[ast.stmt]:
    """Yield all statements, or only those that do something; those of the main part one by one."""
    for statement in tree.body:
        if isinstance(statement, ast.If) and "__name__" in ast.unparse(statement.test):
            yield from statement.body
        elif everything or not isinstance(statement, ast.FunctionDef | ast.ClassDef | ast.Import | ast.ImportFrom):
            yield statement


def _functions(module: ModuleType) -> Iterator[tuple[CodeType, str]]:
    """Yield the code of every function and method of the file, with its name."""
    for name, value in vars(module).items():
        if inspect.isfunction(value):
            yield value.__code__, name
    for kind in own_classes(module).values():
        for method, value in vars(kind).items():
            function: Callable[..., Any] = getattr(value, "__func__", value)
            if inspect.isfunction(function):
                yield function.__code__, method


def _kept(frame: FrameType, module: ModuleType) -> Arguments | None:
    """Return a copy of the arguments of a starting call and of the module's data; None if they are too large."""
    code = frame.f_code
    kept = {name: frame.f_locals[name] for name in code.co_varnames[: code.co_argcount] if name in frame.f_locals}
    if sum(np.size(value) for _, value in numbers_in(kept)) > _MOST_NUMBERS:
        return None
    try:
        return copy.deepcopy(kept | {MODULE: data_of(module)})
    except Exception:
        return None


def starts_seen(module: ModuleType, forward: str, back: str) -> Iterator[Names]:
    """Yield tables with the recorded arguments of a forward pass; input and target are named by their roles.

    Further arguments of backward are included, except the results of forward and the upstream gradient.
    """
    later = seen_of(module, back)
    for number, names in enumerate(seen_of(module, forward)):
        other = later[min(number, len(later) - 1)] if later else {}
        for name, value in other.items():
            made = role_of(name) in ("upstream", "cache", "output") or re.match(r"d_?[A-Za-z]", name)
            if name not in names and not made:
                names[name] = value
        arrays = [
            key for key, value in names.items() if isinstance(value, np.ndarray | list) and key not in ("self", MODULE)
        ]
        inputs = [key for key in arrays if role_of(key) == "input"] or [key for key in arrays if not role_of(key)]
        targets = [key for key in arrays if role_of(key) == "target"]
        if inputs:
            names["x"] = names[inputs[0]]
        if targets:
            names["t"] = names[targets[0]]
        others = {n for key in arrays if key not in (*inputs[:1], *targets[:1]) for n in np.shape(names[key])}
        names[BATCH] = _batch(np.shape(names.get("x", 0.0)), np.shape(names["t"]) if targets else (), others)
        yield names


def _batch(x: tuple[int, ...], t: tuple[int, ...], others: set[int]) -> int:
    """Return the number of examples: the size of an axis that the target shares and, if possible, no parameter has."""
    ends = [x[0], x[-1]] if len(x) > 1 else [1]
    shared = [size for size in ends if size in (t[0], t[-1])] if t else ends
    return next((size for size in shared if size not in others), (shared or [1])[0])
