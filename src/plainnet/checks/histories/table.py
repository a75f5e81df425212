"""A table: the columns of a file, all of the same length, before their meaning is known."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby, islice
from typing import Any

import numpy as np

from plainnet.checks.histories.cells import Column

_MOST_COLUMNS = 2_000
_MOST_CELLS = 20_000_000
_AT_ONCE = 20_000  # rows


@dataclass
class Table:
    """Columns by name, all of the same length.

    `title` tells where in the file the table is. `starts` are rows at which the file says that a new run begins. `bars`
    tells whether rows within an epoch are states of one progress bar, of which the last counts. `joined` tells for each
    row whether it was joined from several lines. `rewards` tells whether the text mentions rewards. `resumed` are the
    epochs or steps to which the counter went back because training was resumed.
    """

    columns: dict[str, Column] = field(default_factory=dict)
    title: str = ""
    starts: tuple[int, ...] = ()
    bars: bool = False
    joined: np.ndarray | None = None
    rewards: bool = False
    resumed: tuple[float, ...] = ()

    def __len__(self) -> int:
        return max((len(column) for column in self.columns.values()), default=0)

    def taken(self, rows: np.ndarray) -> Table:
        """Return the table with only these rows."""
        columns = {name: column.taken(rows) for name, column in self.columns.items()}
        kept = {name: column for name, column in columns.items() if column.texts or column.filled.any()}
        return Table(
            kept,
            self.title,
            bars=self.bars,
            joined=None if self.joined is None else self.joined[rows],
            rewards=self.rewards,
        )


def of_columns(cells: Mapping[str, Sequence[Any]], title: str = "") -> Table:
    """Return a table of columns of cells; shorter columns get gaps at the end."""
    longest = max(map(len, cells.values()), default=0)
    cells = dict(islice(cells.items(), max(20, _MOST_CELLS // max(1, longest))))
    filled = {
        name: column if len(column) == longest else [*column, *[None] * (longest - len(column))]
        for name, column in cells.items()
    }
    return Table({name: Column(name, column) for name, column in filled.items()}, title)


def of_rows(rows: Iterable[Mapping[str, Any]], title: str = "") -> Table:
    """Return a table of rows, which may lack cells; names beyond the first few thousand are ignored."""
    rows = list(rows)
    if len(set(map(tuple, rows))) == 1:  # all have the same names
        return of_columns({name: [row[name] for row in rows] for name in list(rows[0])[:_MOST_COLUMNS]}, title)
    cells: dict[str, list[Any]] = {}
    count = 0
    for names, alike in groupby(rows, tuple):  # rows with the same names
        while block := [list(row.values()) for row in islice(alike, _AT_ONCE)]:
            for name, column in zip(names, zip(*block, strict=True), strict=True):
                if name in cells or len(cells) < _MOST_COLUMNS:
                    known = cells.setdefault(name, [])
                    known.extend([None] * (count - len(known)))
                    known.extend(column)
            count += len(block)
    return of_columns(cells, title)
