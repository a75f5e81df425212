"""Columns: turn the rows of a table, with numbers and words, into the numbers that a network takes.

A column of numbers stays one column. A column of words becomes one column of 0 and 1 for each word in the training part
(one-hot encoding). The words, the means that fill gaps and the ranges of numbers are learned only from the training
part and saved with the model, which applies them to every later table, column by column, by name.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from plainnet.config import expect_name
from plainnet.errors import InputError
from plainnet.foreign.checking import either, listed, nothing, problem, real, text
from plainnet.foreign.showing import shown

Table = Mapping[str, np.ndarray]  # by the column's name: numbers (N,) with NaN for gaps, or words with None for gaps

FILLS = ("mean",)
_HUGE = 1e30
_FAR = 10.0  # times the width of a column's range; a number this far outside is probably in another unit
_COLUMN = {
    "name": text(1000), "words?": listed(text(1000)), "fill?": either(nothing, real()),
    "least?": real(), "largest?": real(),
}  # fmt: skip


@dataclass(frozen=True)
class Column:
    """A column of the training part: its `words`, if it holds words; `fill` is the value that replaces a gap."""

    name: str
    words: tuple[str, ...] = ()
    fill: float | None = None
    least: float = -math.inf
    largest: float = math.inf

    @property
    def inputs(self) -> tuple[str, ...]:
        """The names of the inputs that it becomes."""
        return tuple(f"{self.name}={word}" for word in self.words) or (self.name,)


@dataclass(frozen=True)
class Columns:
    """The columns of a table in their order; `missing` is "mean" if gaps are filled, None if they are an error."""

    columns: tuple[Column, ...]
    missing: str | None = None
    unknown: set[tuple[str, str]] = field(default_factory=set, compare=False)  # new words, not in the training part

    @classmethod
    def learned(cls, table: Table, missing: str | None = None) -> Columns:
        """Learn the columns from the training part of a table.

        Raises: `InputError` for an unknown way to fill gaps, or a column without values.
        """
        if missing is not None and missing not in FILLS:
            raise InputError(f"missing must be {' or '.join(FILLS)}, or left out, received {shown(missing, 40)!r}")
        found = []
        for name, values in table.items():
            expect_name(name, "the name of a column", 1000)
            gaps = gaps_of(values)
            if gaps.all():
                raise InputError(
                    f"the column {shown(name, 60)!r} holds no values to learn from; leave it out of the table"
                )
            if values.dtype.kind == "O":
                found.append(Column(name, tuple(sorted({as_word(value) for value in values[~gaps]}))))
                continue
            there = values[~gaps].astype(float)
            fill = float(there.mean()) if missing == "mean" else None
            found.append(Column(name, (), fill, float(there.min()), float(there.max())))
        return cls(tuple(found), missing)

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the columns."""
        return tuple(column.name for column in self.columns)

    @property
    def inputs(self) -> tuple[str, ...]:
        """The names of the numbers that the network takes, in their order."""
        return tuple(name for column in self.columns for name in column.inputs)

    def encoded(self, table: Table, what: str = "the table", *, door: bool = True) -> np.ndarray:
        """Return a table as numbers (N, D), float32; columns are found by their names.

        A word that is not in the training part gives only zeros, and is added to `unknown`. With `door`, for a trained
        model, numbers far outside the range of the training part are an error.

        Raises: `InputError` for a column that is missing or of another kind, a gap if gaps are not filled, or a number
        that is not finite.
        """
        if absent := [name for name in self.names if name not in table]:
            raise InputError(
                f"{what} lacks the column {shown(absent[0], 60)!r}, which the model needs; it has "
                f"{shown(', '.join(table), 200)}"
            )
        rows = len(next(iter(table.values())))
        encoded = np.zeros((rows, len(self.inputs)), np.float32)
        place = 0
        for column in self.columns:
            values = table[column.name]
            gaps = gaps_of(values)
            if gaps.any() and self.missing is None:
                way_out = (
                    "the model was trained without gaps; fill them, or leave out those rows"
                    if door
                    else "use --missing mean to fill them, or leave out those rows"
                )
                raise InputError(
                    f"{what} has no value in row {int(gaps.argmax()) + 1:,}, column {shown(column.name, 60)!r} "
                    f"(this column has {int(gaps.sum()):,} such gaps); {way_out}"
                )
            if column.words:
                width = len(column.words)
                self._words(column, values, gaps, encoded[:, place : place + width])
                place += width
            else:
                encoded[:, place] = self._numbers(column, values, gaps, what, door)
                place += 1
        return encoded

    def _words(self, column: Column, values: np.ndarray, gaps: np.ndarray, encoded: np.ndarray) -> None:
        places = {word: place for place, word in enumerate(column.words)}
        for row in np.flatnonzero(~gaps):
            word = as_word(values[row])
            if word in places:
                encoded[row, places[word]] = 1
            else:
                self.unknown.add((column.name, word))
        if not encoded.any() and not gaps.all():
            raise InputError(
                f"the column {shown(column.name, 60)!r} holds words such as {shown(as_word(values[~gaps][0]), 40)!r}, "
                f"but none of the words that the model learned: {shown(', '.join(column.words), 200)}"
            )

    def _numbers(self, column: Column, values: np.ndarray, gaps: np.ndarray, what: str, door: bool) -> np.ndarray:
        if values.dtype.kind == "O":
            row = int(np.flatnonzero(~gaps)[0])
            raise InputError(
                f"{what} holds {shown(values[row], 40)!r} in row {row + 1:,}, column {shown(column.name, 60)!r}, where "
                "the training data had numbers"
            )
        numbers = np.where(gaps, column.fill if column.fill is not None else 0.0, values.astype(float))
        if not (np.abs(numbers) < _HUGE).all():
            row = int((~(np.abs(numbers) < _HUGE)).argmax())
            raise InputError(
                f"{what} holds {numbers[row]:g} in row {row + 1:,}, column {shown(column.name, 60)!r}, which is too "
                "large or not finite; leave out that row"
            )
        width = max(column.largest - column.least, abs(column.largest), 1e-30)
        far = (numbers > column.largest + _FAR * width) | (numbers < column.least - _FAR * width)
        if door and far.any():
            row = int(far.argmax())
            raise InputError(
                f"{what} holds {numbers[row]:g} in row {row + 1:,}, column {shown(column.name, 60)!r}, where the "
                f"training data had {column.least:g} to {column.largest:g}; is it in another unit?"
            )
        return numbers

    def to_table(self) -> dict[str, Any]:
        """Return the columns as plain values; `from_table` reads them back."""
        columns = []
        for column in self.columns:
            about: dict[str, Any] = {"name": column.name}
            if column.words:
                about["words"] = list(column.words)
            else:
                about |= {"fill": column.fill, "least": column.least, "largest": column.largest}
            columns.append(about)
        return {"type": "columns", "missing": self.missing, "columns": columns}

    @classmethod
    def from_table(cls, table: Mapping[str, Any]) -> Columns:
        """Return the columns that a model file describes.

        Raises: `InputError` if the description is incomplete or invalid.
        """
        if what := problem(
            dict(table), {"type": text(), "missing": either(nothing, text()), "columns": listed(_COLUMN)}
        ):
            raise InputError(f"its description of columns is invalid: {what}")
        found = (
            Column(c["name"], tuple(c["words"]))
            if "words" in c
            else Column(c["name"], (), c.get("fill"), c.get("least", -math.inf), c.get("largest", math.inf))
            for c in table["columns"]
        )
        return cls(tuple(found), table["missing"])


def as_word(value: object) -> str:
    """Return a value of a column of words as text; 1.0 gives "1", because a gap in a column turns 1 into 1.0."""
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


def column(values: np.ndarray) -> np.ndarray:
    """Return a data frame's column as numbers with NaN for gaps, or as words with None for gaps."""
    if values.dtype.kind in "biuf":
        return values
    gaps = np.array([value is None or value != value or str(value).strip() == "" for value in values.tolist()], bool)
    return np.array([None if gap else str(v).strip() for v, gap in zip(values.tolist(), gaps, strict=True)], object)


def gaps_of(values: np.ndarray) -> np.ndarray:
    """Return where a column has no value."""
    if values.dtype.kind == "O":
        return np.array([value is None or value != value or str(value).strip() == "" for value in values], bool)
    return np.isnan(values) if values.dtype.kind == "f" else np.zeros(len(values), bool)
