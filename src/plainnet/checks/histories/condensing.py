"""Condensing: turn rows for steps, batches or lines into one point per epoch, or a few dozen points of a long run."""

from __future__ import annotations

import numpy as np

from plainnet.checks.histories.curves import FIGURES, Curves
from plainnet.checks.histories.runs import counters
from plainnet.checks.histories.table import Table
from plainnet.checks.histories.understanding import Understood

_POINTS = 40  # points that steps are condensed to if there are few epochs or none
_FEW_EPOCHS = 4
_MANY = 400  # up to this many rows without epoch numbers count as epochs


def condensed(table: Table, understood: Understood) -> Curves:
    """Return the curves of one run.

    If an epoch has several rows, training figures are averaged, and the last validation figure counts. The figures of a
    progress bar are already means, so the last one counts.
    """
    columns = understood.columns
    group, at, unit = _points(table, understood)
    figures, summed_up = {}, _summaries(table, understood, group, len(at))
    for name in (name for name in FIGURES if name in columns):
        values = columns[name].values
        if name.startswith("train") and not table.bars:
            summaries = np.where(summed_up, values, np.nan)
            figures[name] = _means(values if np.isnan(summaries).all() else summaries, group, len(at))
        else:
            figures[name] = _last(values, group, len(at))
    percent = [columns[name].percent or _above_one(figures[name]) for name in figures if "accuracy" in name]
    if any(percent):
        figures |= {
            name: values / 100 for name, values in figures.items() if "accuracy" in name and _percent(values, percent)
        }
    curves: dict[str, tuple[float, ...]] = {name: tuple(values.tolist()) for name, values in figures.items()}
    return Curves(**curves, at=tuple(at.tolist()), unit=unit, measure=understood.measure, loss=understood.loss)


def _summaries(table: Table, understood: Understood, group: np.ndarray, count: int) -> np.ndarray:
    """Return which rows count for the training figures: a row that also has validation figures summarizes its epoch."""
    of_part = {
        part: [column.filled for name, column in understood.columns.items() if name.startswith(part)]
        for part in ("train", "validation")
    }
    if not all(of_part.values()):
        return np.ones(len(group), bool)
    whole = np.any(of_part["train"], axis=0) & np.any(of_part["validation"], axis=0) & (group >= 0)
    whole &= True if table.joined is None else ~table.joined
    has_one = np.zeros(count, bool)
    has_one[group[whole]] = True
    return np.asarray(whole | ~has_one[group])


def _above_one(values: np.ndarray) -> bool:
    return bool(values[np.isfinite(values)].max(initial=0) > 1 + 1e-6)


def _percent(values: np.ndarray, others: list[bool]) -> bool:
    """Return whether accuracies are in percent: they exceed 1, or all others in the table are in percent."""
    return _above_one(values) or all(others)


def _points(table: Table, understood: Understood) -> tuple[np.ndarray, np.ndarray, str]:
    """Return the point of each row, the number of each point, and the unit of these numbers."""
    known, count = counters(table), len(table)
    figures = [column.filled for name, column in understood.columns.items() if name != "learning_rate"]
    used = np.any(figures, axis=0) if figures else np.ones(count, bool)
    epochs = None if known.epoch is None else _filled_in(table.columns[known.epoch].values)
    if epochs is not None and (known.step is None or (np.diff(epochs) < 0).sum() <= 0.02 * len(epochs)):
        whole = np.ceil(epochs - 1e-6) if (epochs % 1 != 0).any() else epochs
        numbers = np.unique(whole[used])
        per_epoch = used.sum() / max(1, len(numbers))
        if len(numbers) > _FEW_EPOCHS or per_epoch <= 3 or table.bars:
            return np.where(used, np.searchsorted(numbers, whole), -1), numbers, "epoch"
        if (epochs % 1 != 0).any() and known.step is None:
            return _binned(epochs, used, understood, "epoch")
    if known.step is not None:
        steps = _filled_in(table.columns[known.step].values)
        if known.epoch is not None and (np.diff(steps[used]) < 0).any():  # steps are counted within each epoch
            steps = np.arange(count, dtype=float)
        unit = "step"
    else:
        steps, unit = np.arange(1.0, count + 1), "epoch" if used.sum() <= _MANY else "step"
    return _binned(steps, used, understood, unit)


def _binned(
    steps: np.ndarray, used: np.ndarray, understood: Understood, unit: str
) -> tuple[np.ndarray, np.ndarray, str]:
    """Return points for steps: the steps with validation, a few dozen points, or every step if there are few."""
    numbers = np.unique(steps[used])
    validated = [c.filled for name, c in understood.columns.items() if name.startswith("validation")]
    trained = [c.filled for name, c in understood.columns.items() if name.startswith("train")]
    if validated and trained:
        ends = np.unique(steps[np.any(validated, axis=0)])
        if len(ends) > _FEW_EPOCHS and np.any(trained, axis=0).sum() > len(ends) * 1.5:
            group = np.minimum(np.searchsorted(ends, steps), len(ends) - 1)
            return np.where(used, group, -1), ends, unit
    if len(numbers) > (_MANY if unit == "epoch" else 2 * _POINTS):
        ends = numbers[np.linspace(0, len(numbers) - 1, _POINTS + 1).astype(int)[1:]]
        return np.where(used, np.searchsorted(ends, steps), -1), ends, unit
    return np.where(used, np.searchsorted(numbers, steps), -1), numbers, unit


def _filled_in(values: np.ndarray) -> np.ndarray:
    """Return a counter without gaps: a row without a number belongs to the row before."""
    if not np.isnan(values).any():
        return values
    places = np.where(np.isnan(values), 0, np.arange(len(values)))
    filled = values[np.maximum.accumulate(places)]
    first = values[~np.isnan(values)][0]
    return np.where(np.isnan(filled), first, filled)


def _means(values: np.ndarray, group: np.ndarray, count: int) -> np.ndarray:
    """Return the mean of each point's figures; infinity if one was not finite, NaN if there is none."""
    chosen = (group >= 0) & ~np.isnan(values)
    group, values = group[chosen], values[chosen]
    broken = np.bincount(group, np.isinf(values), count) > 0
    finite = np.isfinite(values)
    sums = np.bincount(group[finite], values[finite], count)
    numbers = np.bincount(group[finite], minlength=count)
    means = np.divide(sums, numbers, out=np.full(count, np.nan), where=numbers > 0)
    return np.where(broken, np.inf, means)


def _last(values: np.ndarray, group: np.ndarray, count: int) -> np.ndarray:
    """Return the last figure of each point; NaN if there is none."""
    chosen = (group >= 0) & ~np.isnan(values)
    found = np.full(count, np.nan)
    found[group[chosen]] = values[chosen]
    return found
