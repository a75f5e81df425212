"""Lists of numbers in a text, as a program prints them: `val_loss = [0.9, 0.7, 0.6]`, or numbers without a name."""

from __future__ import annotations

import re

import numpy as np

from plainnet.checks.histories.cells import NUMBER
from plainnet.checks.histories.names import meaning
from plainnet.checks.histories.table import Table, of_columns

_CELL = rf"(?:{NUMBER}|nan|-?inf)"
_LIST = re.compile(rf"\[(?P<cells>\s*{_CELL}(?:[,\s]+{_CELL})*+[,\s]*)\]")
_NAME = re.compile(r"(?P<name>[A-Za-z][\w ./]*?)['\"]?\s*[:=]\s*\Z")
_LONGEST_NAME = 60
_ONE = re.compile(_CELL)
_MOSTLY = 0.6  # share of a text that lists without a name must cover


def read(text: str) -> list[Table]:
    """Return the tables of the lists in a text; none if the lists are something else.

    Lists with names are the columns of a table, until a name comes again. A list without a name is a table of its own:
    the name of the file tells what it holds. If some of these rise and others fall, they hold different figures, and
    nothing tells which.
    """
    if bare := _on_one_line(text):
        return [of_columns({"Value": bare})]
    found = [
        (_name(text, one.start()), re.split(r"[,\s]+", one["cells"].strip(" \t\n,"))) for one in _LIST.finditer(text)
    ]
    tables: list[dict[str, list[str]]] = []
    for name, cells in found:
        if name is not None and meaning(name) is not None and len(cells) > 1:
            if not tables or name in tables[-1]:
                tables.append({})
            tables[-1][name] = cells
    if tables:
        return [of_columns(columns) for columns in tables]
    unnamed = [cells for name, cells in found if name is None]
    covered = sum(len(cell) + 2 for cells in unnamed for cell in cells)
    directions = {_direction(cells) for cells in unnamed} - {0.0}
    if covered < _MOSTLY * len(text) or len(directions) > 1:
        return []
    return [of_columns({"Value": cells}) for cells in unnamed]


def _on_one_line(text: str) -> list[str]:
    """Return the numbers of a text that has only one line of them, perhaps after their count; none for other texts."""
    count, _, line = text.strip().rpartition("\n")
    cells = [cell for cell in re.split(r"[,;\s]", line) if cell]
    alone = (not count or count.strip().isdecimal()) and len(cells) > 9
    return cells if alone and all(_ONE.fullmatch(cell) for cell in cells) else []


def _name(text: str, place: int) -> str | None:
    """Return the name before a list; None if it has none."""
    found = _NAME.search(text[max(0, place - _LONGEST_NAME) : place])
    return None if found is None else found["name"]


def _direction(cells: list[str]) -> float:
    """Return 1 if the numbers of a list rise, -1 if they fall, and 0 if they are too few to tell."""
    values = np.array(cells, float)
    quarter = len(values) // 4
    return float(np.sign(np.median(values[-quarter:]) - np.median(values[:quarter]))) if quarter > 1 else 0.0
