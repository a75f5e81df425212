"""Record calls in the author's own program: run it for a while, and keep the arguments of the first calls.

Recorded arguments need no guessing: their objects, sizes and layouts are those for which the code was written.
"""

from __future__ import annotations

import ast
import contextlib
import copy
import re
import time
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import numpy as np

from plainnet.checks.code.episode import MODULE, Names
from plainnet.checks.code.loading import Loaded, run_statement
from plainnet.checks.code.programs import answered
from plainnet.checks.code.roles import role_of
from plainnet.checks.code.stand_ins import stand_ins
from plainnet.checks.code.tape import Enough, Tape

TAPE = "__tape__"  # where a module keeps recorded calls
BATCH = "<batch>"  # key of the number of examples in a table
_MOST_CALLS = 2  # of one function


def record(loaded: Loaded, seconds: float, wanted: set[str], program: Loaded | None = None) -> Tape:
    """Run the program of a file, or another that imports it, and record the calls of the author's functions.

    The recording ends when the functions in `wanted` have been called, or after some seconds.
    """
    module = loaded.module
    tape = Tape(module, set(wanted), seconds)
    quiet = copy.copy(program or loaded)
    quiet.failed = []
    before = dict(vars(module))
    try:
        packages = stand_ins(Path(str(quiet.module.__file__)).parent, loaded.stand_ins)
        with contextlib.suppress(Enough), packages, answered():
            until = time.monotonic() + seconds
            for statement in _program(quiet.tree, everything=program is not None):
                if time.monotonic() > until:
                    break
                imports = isinstance(statement, ast.Import | ast.ImportFrom)  # which would take long
                with contextlib.nullcontext() if imports else tape.recording():
                    run_statement(statement, quiet)
    finally:
        vars(module).clear()
        vars(module).update(before)
    vars(module)[TAPE] = tape
    return tape


def tape_of(module: ModuleType | None) -> Tape | None:
    """Return what was recorded in a program that uses a module."""
    return None if module is None else vars(module).get(TAPE)


def seen_of(module: ModuleType | None, name: str) -> list[Names]:
    """Return copies of the recorded arguments of the first calls of a function, or of a method given as "Class.method"."""
    tape = tape_of(module)
    calls = tape.calls(name)[:_MOST_CALLS] if tape is not None else []
    return copy.deepcopy([call.copies for call in calls if call.copies is not None])


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
        others = {
            n for key in arrays if key not in (*inputs[:1], *targets[:1]) for n in getattr(names[key], "shape", ())
        }
        x, t = (getattr(names.get(key), "shape", ()) for key in ("x", "t"))
        names[BATCH] = _batch(x, t, others)
        yield names


def _batch(x: tuple[int, ...], t: tuple[int, ...], others: set[int]) -> int:
    """Return the number of examples: the size of an axis that the target shares and, if possible, no parameter has."""
    ends = [x[0], x[-1]] if len(x) > 1 else [1]
    shared = [size for size in ends if size in (t[0], t[-1])] if t else ends
    return next((size for size in shared if size not in others), (shared or [1])[0])
