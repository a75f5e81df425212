"""Runs: find where one training run ends in a table and the next begins, by the counter of epochs or steps."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np

from plainnet.checks.histories.cells import Column
from plainnet.checks.histories.names import is_index, meaning
from plainnet.checks.histories.table import Table

_MOST = 1000


@dataclass(frozen=True)
class Counters:
    """The columns that count epochs and steps; if there are none, an index of the rows."""

    epoch: str | None = None
    step: str | None = None


def counters(table: Table) -> Counters:
    """Return the columns of a table that count epochs and steps."""
    found: dict[str, str] = {}
    for name, column in table.columns.items():
        meant = meaning(name)
        filled = column.values[column.filled]
        if meant is None or meant.figure not in ("epoch", "step") or meant.figure in found or len(filled) == 0:
            continue
        if np.isfinite(filled).all() and (not is_index(name) or _counts(filled)):
            found["index" if is_index(name) else meant.figure] = name
    if "epoch" not in found and "step" not in found:
        return Counters(found.get("index"))
    return Counters(found.get("epoch"), found.get("step"))


def _counts(values: np.ndarray) -> bool:
    """Return whether the numbers of a column without a name count the rows."""
    return bool((np.diff(values) == 1).mean() > 0.9) if len(values) > 1 else bool(values[0] in (0, 1))


def split(table: Table) -> list[Table]:
    """Return the runs of a table in order; there is one if its counter never begins again.

    If a counter goes back only part of the way, training was resumed: repeated epochs count once.
    """
    known = counters(table)
    name = known.epoch or known.step
    begins = set(table.starts)
    if name is not None and _newest_first(table.columns[name].values):
        table = table.taken(np.arange(len(table))[::-1])
        begins = set()
    if name is not None:
        counted = table.columns[name].values
        filled = np.flatnonzero(~np.isnan(counted))
        values = counted[filled]
        first = values[0] if len(values) else 0.0
        falls = np.flatnonzero(np.diff(values) < 0) + 1
        again = [int(place) for place in falls if values[place] <= first + max(1.0, 0.02 * (values.max() - first))]
        if known.epoch is None and _within_epochs(values, again):
            return [_numbered(table, filled, again)]
        begins = {row for row in begins if not (known.epoch and _continues(counted, row))}
        steps = table.columns[known.step].values[filled] if known.epoch and known.step else None
        if steps is not None and (np.diff(steps[~np.isnan(steps)]) < 0).sum() >= 0.05 * len(steps):
            steps = None  # steps are not counted over the whole file
        for place in again:
            goes_on = steps is not None and steps[place] > steps[place - 1]  # still the same training
            if _is_start(values, place) and not goes_on:
                begins.add(int(filled[place]))
        begins |= _within_an_epoch(table, known)
    ends = [0, *sorted(begins - {0})[:_MOST], len(table)]
    parts = [table.taken(np.arange(start, end)) for start, end in pairwise(ends)]
    return [_once(part, name) for part in parts if part.columns]


def _newest_first(values: np.ndarray) -> bool:
    """Return whether a counter counts down, because the newest row comes first."""
    steps = np.diff(values[~np.isnan(values)])
    return len(steps) > 1 and bool((steps <= 0).all()) and bool((steps < 0).mean() > 0.5)


def _continues(counted: np.ndarray, row: int) -> bool:
    """Return whether a counter continues across a row at which the header was repeated."""
    before, after = counted[:row], counted[row:]
    return len(after) > 0 and bool(np.nanmax(before) < np.nanmin(after))


def _is_start(values: np.ndarray, place: int) -> bool:
    """Return whether a counter falls at this place and continues from the lower value."""
    after = values[place : place + 3]
    return bool(values[place - 1] > values[place] and (np.diff(after) >= 0).all())


def _within_an_epoch(table: Table, known: Counters) -> set[int]:
    """Return the rows at which the steps of one epoch begin again, with the same figures: a program was started again.

    In other files the steps of the evaluation follow those of the training, in every epoch.
    """
    if known.epoch is None or known.step is None or table.bars:
        return set()
    epochs, steps = table.columns[known.epoch].values, table.columns[known.step].values
    if np.isnan(epochs).any() or np.isnan(steps).any() or (np.diff(epochs) < 0).any():
        return set()
    again = 1 + np.flatnonzero((np.diff(steps) < 0) & (np.diff(epochs) == 0) & (steps[1:] <= steps[0]))
    alike = all((column.filled[again] == column.filled[again - 1]).all() for column in table.columns.values())
    return set(again.tolist()) if alike and len(again) < max(3, 0.5 * len(np.unique(epochs))) else set()


def _within_epochs(values: np.ndarray, again: list[int]) -> bool:
    """Return whether a counter of steps begins again in every epoch: often, and after the same number of steps."""
    lengths = np.diff([0, *again])
    return len(again) > 2 and bool(lengths.max() - lengths.min() <= max(1, 0.02 * lengths.max())) and lengths.max() > 2


def _numbered(table: Table, filled: np.ndarray, again: list[int]) -> Table:
    """Return the table with a column of epochs; each begins where the counter of steps begins again."""
    begins = np.zeros(len(table))
    begins[filled[again]] = 1
    return replace(table, columns={"epoch": Column("epoch", 1 + np.cumsum(begins)), **table.columns}, starts=())


def _once(table: Table, name: str | None) -> Table:
    """Return the table without the rows that a resumed training run repeated."""
    if name is None or name not in table.columns:
        return table
    values = table.columns[name].values
    step = counters(table).step
    if (
        step is not None
        and step != name
        and (np.diff(table.columns[step].values[table.columns[step].filled]) >= 0).all()
    ):
        return table
    filled = np.flatnonzero(~np.isnan(values))
    falls = filled[np.flatnonzero(np.diff(values[filled]) < 0) + 1]
    if len(falls) == 0 or len(falls) > _MOST:
        return table
    kept = np.ones(len(values), bool)
    for row in falls:
        kept[:row] &= ~(values[:row] >= values[row])
    return replace(table.taken(kept), resumed=tuple(values[falls].tolist()))
