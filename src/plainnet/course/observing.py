"""Observations: what an answer gives when it is used, as plain values that can leave its process."""

from __future__ import annotations

import ast
import base64
import contextlib
import numbers
import os
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from plainnet.course.exercise import TO_DO, Observe

_MOST, _LARGEST = 200, 2_000_000  # observations, and bytes of one array
_KINDS = "biufcU"  # of arrays: booleans, numbers, strings


class Observation(NamedTuple):
    """One result: what was asked, the value or the error with its line, and what was expected, if that is fixed."""

    what: str
    value: Any = None
    error: str | None = None
    line: int | None = None
    expected: Any = None


def observed(
    observe: Observe, answer: Any, seed: int, file: str = "", *, skip_fixed: bool = False
) -> list[Observation]:
    """Return the observations of an answer, whose errors are looked up in `file`.

    With `skip_fixed`, nothing is computed where the checks say what to expect.
    """
    found: list[Observation] = []
    with Path(os.devnull).open("w") as nowhere, contextlib.redirect_stdout(nowhere), np.errstate(all="ignore"):
        for what, look, *expected in _asked(observe, answer, seed):
            try:
                value, error, line = None if skip_fixed and expected else plain(look()), None, None
            except (Exception, SystemExit) as raised:
                value, error, line = None, said_of(raised), line_of(raised, file)
                if line is None and file and "NoneType" in error:  # the error arose where the result was used
                    error = "it returned None; is a return missing?"
            found.append(Observation(what, value, error, line, *expected))
            if len(found) == _MOST:
                break
    return found


def _asked(observe: Observe, answer: Any, seed: int) -> Iterator[tuple[Any, ...]]:
    yield from observe(answer, np.random.default_rng(seed))


def said_of(error: BaseException) -> str:
    """Return what an error says, in one line."""
    if isinstance(error, NotImplementedError):
        return TO_DO
    return f"{type(error).__name__}: {' '.join(str(error).split())}"[:300].rstrip(": ")


def line_of(error: BaseException, file: str) -> int | None:
    """Return the last line of `file` that an error went through."""
    lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == file]
    return getattr(error, "lineno", None) if isinstance(error, SyntaxError) else next(reversed(lines), None)


def plain(value: Any) -> Any:
    """Return a value as an array, a string, a boolean or None, or a tuple of these.

    Raises: `TypeError` if it is none of these, or too large.
    """
    if value is None or isinstance(value, bool | str):
        return value
    if isinstance(value, tuple | list) and any(isinstance(one, np.ndarray | tuple | list) for one in value):
        return tuple(plain(one) for one in value[:100])
    array = np.asarray(float(value) if isinstance(value, numbers.Real) else value)
    if array.dtype.kind not in _KINDS:
        raise TypeError(f"expected an array of numbers, received {type(value).__name__}")
    if array.nbytes > _LARGEST:
        raise TypeError(f"expected a small array, received one of shape {array.shape}")
    return array


def packed(value: Any) -> Any:
    """Return a plain value for JSON."""
    if isinstance(value, tuple):
        return {"tuple": [packed(one) for one in value]}
    if isinstance(value, np.ndarray):
        native = np.ascontiguousarray(value).astype(value.dtype.newbyteorder("<"))
        return {
            "dtype": native.dtype.str,
            "shape": list(value.shape),
            "bytes": base64.b64encode(native.tobytes()).decode(),
        }
    return value


def unpacked(value: Any) -> Any:
    """Return the plain value that `packed` has packed.

    Raises: `ValueError` if the value was not packed.
    """
    if isinstance(value, dict) and "tuple" in value:
        return tuple(unpacked(one) for one in value["tuple"])
    if isinstance(value, dict):
        dtype = np.dtype(str(value["dtype"]))
        if dtype.kind not in _KINDS:
            raise ValueError(f"an array of {dtype}")
        return np.frombuffer(base64.b64decode(value["bytes"]), dtype).reshape(value["shape"])
    if value is None or isinstance(value, bool | str):
        return value
    raise ValueError(f"a value of {type(value).__name__}")


def used_names(tree: ast.AST) -> set[str]:
    """Return the names, attributes and imported modules in a program, and `a loop` if it has one."""
    found = imported(tree)
    for node in ast.walk(tree):
        if isinstance(node, ast.Name):
            found.add(node.id)
        elif isinstance(node, ast.Attribute):
            found.add(node.attr)
        elif isinstance(node, ast.For | ast.While):
            found.add("a loop")
    return found


def imported(tree: ast.AST) -> set[str]:
    """Return the top-level names of the modules that a program imports."""
    found: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {name.name.partition(".")[0] for name in node.names}
        elif isinstance(node, ast.ImportFrom):
            found.add((node.module or "").partition(".")[0])
    return found
