"""Missing data: a statement that reads data gets made-up digits instead, 1,300 images of 28 x 28 with labels."""

from __future__ import annotations

import ast
import re
from typing import Any

import numpy as np

_TEXT = re.compile(r"open\(.*\.read\(\)|read_text\(")
_READS = re.compile(
    r"read_csv|loadtxt|genfromtxt|\bload\(|load_data|loadmat|fetch_\w+|load_\w+|read_\w+|imread|get_data|get_mnist|mnist"
)
_IMAGES, _CLASSES = 1300, 10


def substitute(statement: ast.stmt) -> dict[str, Any] | None:
    """Return made-up values for the names that a statement assigns; None if it does not read data."""
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
        return {target.id: _table("csv" in reads)}
    if not isinstance(target, ast.Tuple):
        return None
    found: dict[str, Any] = {}
    for i, part in enumerate(target.elts):
        names = part.elts if isinstance(part, ast.Tuple | ast.List) else [part]
        for j, name in enumerate(names):
            if not isinstance(name, ast.Name):
                return None
            labels = (
                re.match(r"(?i)y|t_|t$|labels?|targets?|.*label|.*target|.*_y$", name.id)
                or (len(names) > 1 and j == 1)
                or (len(names) == 1 and i % 2 == 1 and not re.match(r"(?i)x", name.id))
            )
            found[name.id] = _labels() if labels else _images(flat="keras" not in reads and "load_data" not in reads)
    return found


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
