"""Cells: read the numbers of a table, in all the ways in which programs write them."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from typing import Any

import numpy as np

GAP, BROKEN = math.nan, math.inf  # the cell is empty; the cell holds something that is not a finite number
_GAPS = frozenset(("", "-", "--", "—", "none", "null", "n/a", "na", "#n/a", "#na#", "tbd"))
_BROKEN = frozenset(
    ("nan", "-nan", "nan%", "inf", "-inf", "+inf", "infinity", "-infinity", "-nan(ind)", "1.#qnan", "1.#inf")
)
NUMBER = r"[-+]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][-+]?\d+)?"
_WRAPPED = re.compile(
    rf"(?:tensor|np\.float\d+|array|Decimal)?[\[(\"' ]*({NUMBER}|nan|-?inf)[\])\"' ,\w=:.<>]*", re.ASCII
)


def number(cell: Any) -> tuple[float, bool] | None:
    """Return the number in a cell, and whether it is written in percent; None if the cell holds text.

    `GAP` means that nothing was recorded, `BROKEN` an infinity or NaN.
    """
    if cell is None:
        return GAP, False
    if isinstance(cell, bool):
        return float(cell), False
    if isinstance(cell, int | float):
        return _finite(cell), False
    if not isinstance(cell, str) or len(cell) > 200:
        return None
    text = cell.strip().lower()
    if text in _GAPS:
        return GAP, False
    if text in _BROKEN:
        return BROKEN, False
    percent = text.endswith("%")
    try:
        return _finite(float(text.rstrip("% ").replace("_", "x"))), percent
    except ValueError:
        pass
    if re.fullmatch(r"[-+]?\d{1,3}(?:,\d{3})+(?:\.\d+)?", text.rstrip("% ")) and ("." in text or text.count(",") > 1):
        return _finite(float(text.rstrip("% ").replace(",", ""))), percent
    if re.fullmatch(r"[-+]?\d+,\d+", text.rstrip("% ")):
        return _finite(float(text.rstrip("% ").replace(",", "."))), percent
    if (counted := re.fullmatch(r"(?:epoch|step|iter(?:ation)?)\s*(\d{1,9})", text)) is not None:
        return float(counted[1]), False
    wrapped = _WRAPPED.fullmatch(cell.strip())
    if wrapped is None or not (cell.strip()[0] in "[(\"'" or cell.strip()[0].isalpha()):
        return None
    return _finite(float(wrapped[1])), False


def _finite(value: float) -> float:
    try:
        return float(value) if math.isfinite(value) else BROKEN
    except OverflowError:
        return BROKEN


class Column:
    """One column: its name, its numbers, and what else is known about them.

    `values` has `GAP` where nothing was recorded and `BROKEN` where it was not a finite number. `percent` tells whether
    cells had a percent sign. `texts` are the cells themselves if they are not numbers. `passing` tells whether they
    were in a progress bar, which shows preliminary figures that another line repeats at the end.
    """

    def __init__(self, name: str, cells: Sequence[Any] | np.ndarray) -> None:
        self.name, self.percent, self.passing = name, False, False
        self.texts: list[str] | None = None
        self.values = self._numbers(cells)

    def _numbers(self, cells: Sequence[Any] | np.ndarray) -> np.ndarray:
        if isinstance(cells, np.ndarray):
            return cells
        try:
            if any(isinstance(cell, str) and "_" in cell for cell in cells[:1]):
                raise ValueError("1_0 is a name, although Python reads it as a number")
            empty = cells.count("") + cells.count(None)
            numbers = (float(cell) if cell not in ("", None) else GAP for cell in cells) if empty else map(float, cells)
            values = np.fromiter(numbers, float, len(cells))
            if np.isfinite(values).sum() == len(values) - empty:
                return values
        except (TypeError, ValueError, OverflowError):
            pass
        found = [number(cell) for cell in cells]
        texts = sum(value is None for value in found)
        filled = sum(value is not None and not math.isnan(value[0]) for value in found)
        if texts > filled:
            self.texts = ["" if cell is None else str(cell)[:200] for cell in cells]
            return np.full(len(cells), GAP)
        self.percent = any(value is not None and value[1] for value in found)
        return np.array([GAP if value is None else value[0] for value in found])

    @property
    def filled(self) -> np.ndarray:
        """A mask of the rows in which something was recorded."""
        return ~np.isnan(self.values)

    def taken(self, rows: np.ndarray, name: str | None = None) -> Column:
        """Return the column with only these rows, under another name if one is given."""
        part = Column(name or self.name, self.values[rows])
        part.percent, part.passing = self.percent, self.passing
        part.texts = None if self.texts is None else [self.texts[row] for row in np.arange(len(self.values))[rows]]
        return part

    def __len__(self) -> int:
        return len(self.values)
