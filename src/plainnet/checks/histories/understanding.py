"""Understanding: find out which column of a table holds which figure, and in which unit."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from typing import NamedTuple

import numpy as np

from plainnet.checks.histories.cells import GAP, Column
from plainnet.checks.histories.measures import DISCRIMINATOR, GENERATOR, REWARD
from plainnet.checks.histories.names import Meaning, meaning, words_of
from plainnet.checks.histories.table import Table

_OF_SUMS = re.compile(r"total (?:eval|val|test|train)", re.I)
_PARTS = ("train", "validation")


@dataclass
class Understood:
    """The column for each figure of `Curves`, and its name or names in the file."""

    columns: dict[str, Column] = field(default_factory=dict)
    names: dict[str, str] = field(default_factory=dict)
    measure: str = "accuracy"
    loss: str = "loss"
    kind: str = ""  # "adversarial" or "reinforcement" if losses do not tell how well it goes
    aside: tuple[str, ...] = ()  # columns with figures that are ignored


class _Figure(NamedTuple):
    """A column with the meaning of its name."""

    column: Column
    meant: Meaning
    recorded: int  # in so many rows

    @property
    def kind(self) -> str:
        """The kind of loss or accuracy: only curves of one kind are compared."""
        return self.meant.measure + self.meant.partial

    def order(self) -> tuple[object, ...]:
        """Return the sort key that decides which of several columns is used."""
        meant, rare = self.meant, self.recorded < 2
        return (
            meant.test,
            rare,
            meant.part is None,
            not self.column.values.any(),  # an accuracy that is always 0 counts something else
            meant.rank,
            _OF_SUMS.search(self.column.name) is not None,
            self.column.passing,
            meant.by_step,
            len(self.column.name),
        )


def understand(table: Table) -> Understood:
    """Return the meaning of the columns of a table."""
    known = [
        _Figure(column, _by_values(column, _of_boosting(name, meant, table)), int(column.filled.sum()))
        for name, column in table.columns.items()
        if (meant := meaning(name)) is not None and column.filled.any()
    ]
    found = Understood()
    for figure in ("loss", "accuracy"):
        ours = [one for one in known if one.meant.figure == figure]
        by_part = {part: [one for one in ours if _part(one, ours, known) == part] for part in _PARTS}
        chosen = _chosen(by_part)
        if figure == "accuracy" and len({one.meant.measure for one in chosen.values()}) > 1:
            del chosen["train"]  # a different measure than for validation: the two cannot be compared
        for part, one in chosen.items():
            if figure == "loss":
                _take_loss(f"{part}_loss", one, by_part[part], found)
            else:
                _take_accuracy(f"{part}_accuracy", one, found)
    for one in known:
        if one.meant.figure == "rate" and "learning_rate" not in found.columns:
            _take("learning_rate", one.column, one.column.name, found)
    found.kind = _kind(table)
    taken = {name for called in found.names.values() for name in called.split(" + ")}
    figures = [one.column.name for one in known if one.meant.figure in ("loss", "accuracy")]
    found.aside = tuple(name for name in figures if name not in taken and "..." not in taken)
    return found


def _kind(table: Table) -> str:
    """Return the kind of training that the names suggest if its loss need not fall; otherwise an empty string."""
    words = [words_of(name) for name in table.columns]
    if table.rewards or any(REWARD.search(name) for name in words):
        return "reinforcement"
    of_losses = {word for name in words if "loss" in name or name.startswith("l ") for word in name.split()}
    against = of_losses & DISCRIMINATOR
    return "adversarial" if against and (of_losses & GENERATOR or against - {"d"}) else ""


def _of_boosting(name: str, meant: Meaning, table: Table) -> Meaning:
    """Return the meaning of an XGBoost name: validation_0 is the training data if there is a validation_1."""
    second = any("validation_1" in other for other in table.columns)
    return replace(meant, part="train") if second and "validation_0" in name else meant


def _by_values(column: Column, meant: Meaning) -> Meaning:
    """Return the meaning, corrected by the numbers: an "error" of 2.3 is not an error rate but a loss."""
    finite = column.values[np.isfinite(column.values)]
    if meant.error and not column.percent and len(finite) and (finite.min() < 0 or 1 < finite.max() <= 3):
        return replace(meant, figure="loss", error=False, measure="error")
    return meant


def _part(one: _Figure, ours: list[_Figure], known: list[_Figure]) -> str:
    """Return the part of the data of a figure: the one in its name; else training, unless that has its own figure."""
    meant = one.meant
    if meant.part is not None or meant.by_step:
        return meant.part or "train"
    alike = {
        other.meant.part
        for other in ours
        if other.meant.measure == meant.measure and other.recorded > min(2, 0.3 * one.recorded)
    }
    if "validation" in alike:
        return "train"
    trained = {other.meant.part for other in known if other.meant.figure == "loss"}
    return "validation" if "train" in alike or (meant.figure == "accuracy" and "train" in trained) else "train"


def _chosen(by_part: dict[str, list[_Figure]]) -> dict[str, _Figure]:
    """Return the figure of each part, of the same kind if both parts have one."""
    ranked = {part: sorted(ours, key=_Figure.order) for part, ours in by_part.items() if ours}
    kinds = [list(dict.fromkeys(one.kind for one in ours)) for ours in ranked.values()]
    shared = [kind for kind in kinds[0] if all(kind in others for others in kinds)][:1] if kinds else []
    return {part: next((one for one in ours if one.kind in shared), ours[0]) for part, ours in ranked.items()}


def _take(name: str, column: Column, called: str, found: Understood) -> None:
    found.columns[name], found.names[name] = column, called


def _take_loss(name: str, one: _Figure, ours: list[_Figure], found: Understood) -> None:
    """Use a loss, or the sum of losses that are given separately."""
    column, meant, _ = one
    named = {
        other.meant.partial: other.column for other in ours if other.meant.partial and other.meant.test == meant.test
    }
    parts = list(named.values())
    if meant.partial and len(parts) > 1 and _together(parts):
        total = Column(name, np.sum([part.values for part in parts], axis=0))
        called = " + ".join(part.name for part in parts[:4]) + " + ..." * (len(parts) > 4)
        _take(name, total, called, found)
        return
    if not meant.partial and meant.measure != "loss":
        found.loss = meant.measure
    zero = column.values == 0
    if name == "validation_loss" and 0 < zero.sum() < len(zero) and np.nanmin(np.where(zero, 1, column.values)) > 0.01:
        column = Column(column.name, np.where(zero, GAP, column.values))  # zeros recorded before the first real value
    _take(name, column, column.name, found)


def _together(parts: list[Column]) -> bool:
    """Return whether losses are in the same rows: they are then parts of one loss, not several evaluations."""
    together = np.all([part.filled for part in parts], axis=0)
    return bool(together.sum() >= 0.5 * max(part.filled.sum() for part in parts))


def _take_accuracy(name: str, one: _Figure, found: Understood) -> None:
    column, meant, _ = one
    finite = np.isfinite(column.values)
    values = column.values[finite]
    if len(values) and (values.min() < -1 or values.max() > 100.0001):
        return  # this cannot be an accuracy
    named = {"percent", "pct"} & set(words_of(column.name).split())
    shares = (
        len(values) > 0 and values.min() >= 0.2 and values.max() <= 1
    )  # "0.55%" of a program that forgot to multiply
    percent = (column.percent and not shares) or bool(named) or bool(len(values) and values.max() > 1 + 1e-6)
    right = (100.0 if percent else 1.0) - column.values
    taken = Column(column.name, np.where(finite & meant.error, right, column.values))
    taken.percent, found.measure = percent, meant.measure
    _take(name, taken, column.name, found)
