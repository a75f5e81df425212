"""Spreading: if a column of words tells what a row is about, give each of these words its own column."""

from __future__ import annotations

import numpy as np

from plainnet.checks.histories.cells import Column
from plainnet.checks.histories.measures import TIME
from plainnet.checks.histories.names import PART, is_counter, words_of
from plainnet.checks.histories.table import Table

_MOST_WORDS = 60
_NAMES = ("tag", "metric", "name", "key", "variable", "measure")
_VALUES = ("value", "val", "metric_value", "score")


def spread(table: Table) -> Table:
    """Return the table with a column for each tag, or for each part of the data, in its rows."""
    words = {name: column for name, column in table.columns.items() if column.texts is not None}
    for name, column in words.items():
        kinds = list(dict.fromkeys(text.strip() for text in column.texts or ()))
        if len(kinds) > _MOST_WORDS:
            continue
        values = next((n for n in table.columns if n.strip().lower() in _VALUES and n not in words), None)
        if name.strip().lower() in _NAMES and values is not None:
            return spread(_by_words(table, column, kinds, [values], whole=True))
        if len(kinds) > 1 and all(PART.fullmatch(kind.lower()) for kind in kinds if kind):
            figures = [other for other in table.columns if other not in words and not is_counter(other)]
            return _by_words(table, column, kinds, figures, whole=False)
    return table


def _by_words(table: Table, column: Column, kinds: list[str], figures: list[str], *, whole: bool) -> Table:
    texts = np.array([text.strip() for text in column.texts or ()])
    columns = {name: other for name, other in table.columns.items() if name not in figures and other is not column}
    for kind in kinds:
        for name in figures:
            new = Column(
                kind if whole else f"{kind}_{name}", np.where(texts == kind, table.columns[name].values, np.nan)
            )
            new.percent = table.columns[name].percent
            if new.filled.any():
                columns[new.name] = new
    spread_out = Table(columns, table.title, table.starts, table.bars)
    tags = [name for name in columns if name not in table.columns or name in figures]
    once = whole or len(set(zip(texts.tolist(), *_keys(spread_out, tags), strict=True))) == len(table)
    return _by_step(spread_out, tags) if once else spread_out


def _keys(table: Table, tags: list[str]) -> list[list[object]]:
    """Return for each row what identifies its step and run: its counters and its words."""
    keys = [column for name, column in table.columns.items() if name not in tags and not TIME.fullmatch(words_of(name))]
    return [list(column.texts) if column.texts is not None else column.values.tolist() for column in keys]


def _by_step(table: Table, tags: list[str]) -> Table:
    """Return the table with one row for each step of each run, with all tags side by side."""
    rows: dict[tuple[object, ...], int] = {}
    of_row = [rows.setdefault(key, len(rows)) for key in zip(*_keys(table, tags), strict=True)]
    if not of_row:
        return table
    first = np.unique(of_row, return_index=True)[1]
    merged = table.taken(first)
    for tag in tags:
        if tag in table.columns:
            values, filled = np.full(len(rows), np.nan), table.columns[tag].filled
            values[np.array(of_row)[filled]] = table.columns[tag].values[filled]
            merged.columns[tag] = Column(tag, values)
            merged.columns[tag].percent = table.columns[tag].percent
    return merged
