"""Missing data: a statement or a function that reads data gets made-up digits, 1,300 images of 28 x 28 with labels."""

from __future__ import annotations

import ast
import contextlib
import importlib
import re
import sys
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

_TEXT = re.compile(r"open\(.*\.read\(\)|read_text\(")
_READS = re.compile(
    r"read_csv|loadtxt|genfromtxt|\bload\(|load_data|loadmat|fetch_\w+|load_\w+|read_\w+|imread|get_data|get_mnist|mnist"
)
_MADE = "__made_up__"
_LABELS = re.compile(r"(?i)y(_|$|[a-z]*\d*$)|t_|t$|.*label|.*target|.*_y$")
_IMAGES, _CLASSES = 1300, 10


def substitute(statement: ast.stmt, names: dict[str, Any]) -> dict[str, Any] | None:
    """Return made-up values for the names that a statement assigns; None if it does not read data.

    `names` holds what the statement may use: in np.array(pd.read_csv(...)), only the table is made up.
    """
    if (
        not isinstance(statement, ast.Assign)
        or len(statement.targets) != 1
        or not (_READS.search(ast.unparse(statement.value)) or _TEXT.search(ast.unparse(statement.value)))
    ):
        return None
    reads = ast.unparse(statement.value)
    if _TEXT.search(reads):
        return {ast.unparse(statement.targets[0]): "hello world, this is some text to learn from; " * 40}
    target = statement.targets[0]
    if isinstance(target, ast.Name):
        if re.search(r"(?i)label", reads) or _LABELS.match(target.id):
            made = _labels()
        elif re.search(r"(?i)image", reads) or re.match(r"(?i)images?|\w+_images?$", target.id):
            made = _images(flat=False)
        else:
            made = _table("read_csv" in reads)
        return {target.id: _around(statement.value, made, names)}
    if not isinstance(target, ast.Tuple):
        return None
    found: dict[str, Any] = {}
    for i, part in enumerate(target.elts):
        inside = part.elts if isinstance(part, ast.Tuple | ast.List) else [part]
        for j, name in enumerate(inside):
            if not isinstance(name, ast.Name):
                return None
            labels = (
                _LABELS.match(name.id)
                or (len(inside) > 1 and j == 1)
                or (len(inside) == 1 and i % 2 == 1 and not re.match(r"(?i)x", name.id))
            )
            found[name.id] = _labels() if labels else _images(flat="keras" not in reads and "load_data" not in reads)
    return found


def substitute_in_functions(path: str, lines: list[int]) -> None:
    """Let functions of a file that read a missing file with NumPy or pandas get made-up data; note their lines."""
    readers = [(np, "loadtxt"), (np, "genfromtxt"), (np, "load")]
    with contextlib.suppress(ImportError):
        readers.append((importlib.import_module("pandas"), "read_csv"))
    for module, name in readers:
        reader = getattr(module, name)
        right = reader.args[0] if isinstance(reader, partial) else reader  # of the file that was examined before
        setattr(module, name, partial(_read, right, path, lines))


def _read(right: Callable[..., Any], path: str, lines: list[int], *arguments: Any, **options: Any) -> Any:
    try:
        return right(*arguments, **options)
    except OSError:
        frame = sys._getframe(1)
        if frame.f_code.co_filename != path or frame.f_code.co_name == "<module>":
            raise
        if frame.f_lineno not in lines:
            lines.append(frame.f_lineno)
        return _table(right.__name__ == "read_csv")


def _around(value: ast.expr, made: Any, names: dict[str, Any]) -> Any:
    """Return the value of an expression, with what it reads made up; if it then fails, return what is made up."""
    reading = [call for call in ast.walk(value) if isinstance(call, ast.Call) and _READS.search(ast.unparse(call.func))]
    if not reading:
        return made
    text = ast.unparse(value).replace(ast.unparse(reading[-1]), _MADE)
    try:
        return eval(text, names | {_MADE: made})  # noqa: S307  (running the user's own file is what was asked for)
    except Exception:
        return made


def _labels() -> np.ndarray:
    return np.random.default_rng(1).integers(0, _CLASSES, _IMAGES)


def _images(*, flat: bool) -> np.ndarray:
    rng = np.random.default_rng(2)
    images = (rng.random((_IMAGES, 28, 28)) * 255 * (rng.random((_IMAGES, 28, 28)) > 0.7)).astype(np.uint8)
    return images.reshape(_IMAGES, -1) if flat else images


def _table(frame: bool) -> Any:
    table = np.column_stack([_labels(), _images(flat=True)])
    if frame:
        try:
            import pandas as pd
        except ImportError:
            return table
        return pd.DataFrame(table, columns=["label", *(f"pixel{i}" for i in range(784))])
    return table.astype(float)
