"""Missing data: a statement or a function that reads data gets made-up digits, 1,300 images of 28 x 28 with labels."""

from __future__ import annotations

import ast
import contextlib
import importlib
import io
import re
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from plainnet.checks.code.looks import OWN
from plainnet.checks.code.made_up_data import SAYS_LABELS, TEXT, file_content, images, labels

_TEXT = re.compile(r"open\(.*\.read\(\)|read_text\(")
_READS = re.compile(
    r"read_csv|loadtxt|genfromtxt|\bload\(|load_data|loadmat|fetch_\w+|load_\w+|read_\w+|imread|get_data|get_mnist|mnist"
)
_MADE = "__made_up__"
_LOAD = np.load
_LABELS = re.compile(r"(?i)y(_|$|[a-z]*\d*$)|t_|t$|.*label|.*target|.*_y$")


def substitute(statement: ast.stmt, names: dict[str, Any]) -> dict[str, Any] | None:
    """Return made-up values for the names that a statement assigns; None if it does not read data.

    `names` holds what the statement may use: in np.array(pd.read_csv(...)), only the table is made up.
    """
    if isinstance(statement, ast.AnnAssign) and statement.value is not None:
        statement = ast.Assign([statement.target], statement.value)
    if (
        not isinstance(statement, ast.Assign)
        or len(statement.targets) != 1
        or not (_READS.search(ast.unparse(statement.value)) or _TEXT.search(ast.unparse(statement.value)))
    ):
        return None
    reads = ast.unparse(statement.value)
    if _TEXT.search(reads):
        return {ast.unparse(statement.targets[0]): TEXT}
    target = statement.targets[0]
    if isinstance(target, ast.Name):
        if re.search(r"(?i)label", reads) or _LABELS.match(target.id):
            made = labels()
        elif re.search(r"(?i)image", reads) or re.match(r"(?i)images?|\w+_images?$", target.id):
            made = images(flat=False)
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
            is_labels = (
                _LABELS.match(name.id)
                or (len(inside) > 1 and j == 1)
                or (len(inside) == 1 and i % 2 == 1 and not re.match(r"(?i)x", name.id))
            )
            found[name.id] = labels() if is_labels else images(flat="keras" not in reads and "load_data" not in reads)
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
        ours = frame.f_code.co_filename == path
        if OWN not in frame.f_globals or frame.f_code.co_name == "<module>":  # there, the statement gets made-up data
            raise
        if ours and frame.f_lineno not in lines:
            lines.append(frame.f_lineno)
        content = (
            file_content(Path(arguments[0]).name) if right is _LOAD and isinstance(arguments[0], str | Path) else None
        )
        return _table(right.__name__ == "read_csv") if content is None else right(io.BytesIO(content))


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


def _table(frame: bool) -> Any:
    table = np.column_stack([labels(), images(flat=True)])
    if frame:
        try:
            return _frame(table)
        except ImportError:
            return table
    return table.astype(float)


def _frame(table: np.ndarray) -> Any:
    """Return a table of pandas that makes up the columns it lacks: numbers, or classes if the name speaks of labels."""
    pandas = importlib.import_module("pandas")

    class Frame(pandas.DataFrame):  # type: ignore[name-defined, misc]
        @property
        def _constructor(self) -> type:
            return Frame

        def __getitem__(self, key: Any) -> Any:
            for name in [key] if isinstance(key, str) else key if isinstance(key, list) else []:
                if isinstance(name, str) and name not in self.columns:
                    rng = np.random.default_rng(len(name))
                    says_labels = SAYS_LABELS.search(name)
                    self[name] = rng.integers(0, 2, len(self)) if says_labels else rng.standard_normal(len(self))
            return super().__getitem__(key)

        def drop(self, *arguments: Any, **options: Any) -> Any:
            return super().drop(*arguments, **(options | {"errors": "ignore"}))

    return Frame(table, columns=["label", *(f"pixel{i}" for i in range(784))])
