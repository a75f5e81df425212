"""Read a history: turn the file of any program into curves, and report what was understood."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from plainnet.checks.histories import event_files, forms
from plainnet.checks.histories.condensing import condensed
from plainnet.checks.histories.curves import FIGURES, Curves
from plainnet.checks.histories.refusing import expect_history, refusal
from plainnet.checks.histories.runs import counters, split
from plainnet.checks.histories.spreading import spread
from plainnet.checks.histories.table import Table
from plainnet.checks.histories.understanding import Understood, understand
from plainnet.errors import InputError
from plainnet.foreign.showing import counted, shown

_ENDINGS = (".csv", ".tsv", ".json", ".jsonl", ".log", ".txt")
_FEW = 3  # a run with fewer rows was hardly started
_MOST_FILES = 30  # files of a folder that are read
_WORDS = {
    "train_loss": "training loss", "train_accuracy": "training {}", "validation_loss": "validation loss",
    "validation_accuracy": "validation {}", "learning_rate": "learning rate",
}  # fmt: skip


@dataclass(frozen=True)
class History:
    """One run in a file: its curves, and how the file was understood.

    `columns` are the names of the figures in the file, `aside` the names of ignored figures. `run` is the number of
    this run, `runs` the number of runs, `title` the name of the run in the file. `resumed` are the epochs or steps at
    which it was resumed. `kind` is "adversarial" or
    "reinforcement" if losses do not tell how well a training run goes.
    """

    curves: Curves
    columns: dict[str, str]
    run: int = 1
    runs: int = 1
    why: str = ""
    title: str = ""
    kind: str = ""
    aside: tuple[str, ...] = ()
    resumed: tuple[float, ...] = ()

    def understood(self) -> str:
        """Describe in two lines what was understood: the columns, how many epochs and runs, and the best epoch."""
        curves = self.curves
        named = ", ".join(
            f"{shown(called, 80)} as {_WORDS[name].format(curves.measure)}" for name, called in self.columns.items()
        )
        which = (
            f"run {self.run} of {self.runs}{self.title and f' ({shown(self.title, 60)})'}: " if self.runs > 1 else ""
        )
        aside = ", ".join(shown(name, 40) for name in self.aside[:5]) + ", ..." * (len(self.aside) > 5)
        rest = f"; ignored: {aside}" if aside else ""
        return f"read {named}{rest}\n{which}{self._extent()}{best(curves)}"

    def to_table(self) -> dict[str, Any]:
        """Return what was understood as plain values."""
        return {
            "epochs": self.curves.epochs,
            "unit": self.curves.unit,
            "columns": self.columns,
            "measure": self.curves.measure,
            "not_looked_at": list(self.aside),
            "run": self.run,
            "runs": self.runs,
        }

    def _extent(self) -> str:
        curves = self.curves
        if curves.unit == "step":
            return f"{counted(int(curves.at[-1]), 'step')}, summarized in {counted(curves.epochs, 'part')}"
        if any(at % 1 for at in curves.at):
            return f"{counted(math.ceil(curves.at[-1]), 'epoch')}, summarized in {counted(curves.epochs, 'part')}"
        return counted(curves.epochs, "epoch")


def best(curves: Curves) -> str:
    """Name the best epoch by validation accuracy, or else by validation loss."""
    for name, choose in (("validation_accuracy", np.nanargmax), ("validation_loss", np.nanargmin)):
        values = np.array(getattr(curves, name))
        finite = np.where(np.isfinite(values), values, np.nan)
        if len(values) and not np.isnan(finite).all():
            place = int(choose(finite))
            figure = f"{finite[place]:.1%}" if "accuracy" in name else f"{finite[place]:.4g}"
            at = curves.at[place] if len(curves.at) > place else place + 1
            return f"; the best {_WORDS[name].format(curves.measure)} is {figure}, in {curves.unit} {at:,.0f}"
    return ""


def read_history(path: Path, run: int | None = None) -> History:
    """Read a history in any format: JSON, CSV with any separator, a log, TensorBoard's event files.

    `run` is the number of the run to read if a file holds several, from 1. None means the last run that has more than a
    few rows.

    Raises: `InputError` if the file cannot be read, holds no history, or has no such run.
    """
    useful, seen = _useful(_in_folder(path))
    if not useful:
        raise InputError(refusal(path, seen))
    best_of = max(useful, key=lambda pair: _score(*pair))
    alike = [table for table, understood in useful if understood.names == best_of[1].names]
    runs = [(part, understand(part), table) for table in alike for part in split(table)]
    runs = [one for one in runs if _score(*one[:2])[0] > 0] or runs
    if run is not None and not 1 <= run <= len(runs):
        raise InputError(
            f"{path} holds {counted(len(runs), 'run')}; --history-run must be from 1 to {len(runs)}, received {run}"
        )
    whole = [number for number, one in enumerate(runs, start=1) if _score(*one[:2])[1] >= _FEW]
    number = run or (whole or [len(runs)])[-1]  # the last with more than a few rows
    part, understood, table = runs[number - 1]
    expect_history(path, part)
    why = _why(alike, best_of[0])
    curves, about = condensed(part, understood), (understood.kind, understood.aside, part.resumed)
    return History(curves, understood.names, number, len(runs), why, table.title, *about)


def _in_folder(path: Path) -> Path:
    """Return the one history in a folder without event files; any other path is returned unchanged.

    Raises: `InputError` if the folder holds none or several.
    """
    if not path.is_dir() or event_files.is_folder_of(path):
        return path
    states = sorted(path.glob("checkpoint-*/trainer_state.json"), key=lambda state: state.stat().st_size)
    if states:
        return states[-1]  # the longest: each file holds everything before it
    nested = [file for name in ("metrics.csv", "results.csv") for file in path.glob(f"*/**/{name}")][:2]
    if len(nested) == 1 and not any(file.suffix in _ENDINGS for file in path.iterdir()):
        return nested[0]
    files = sorted(file for file in path.iterdir() if file.suffix in _ENDINGS and file.is_file())[:_MOST_FILES]
    found = [file for file in files if _reads(file)]
    if len(found) != 1:
        names = f"several histories: {', '.join(file.name for file in found[:5])}; name one" if found else (
            "no training: no metrics.json, no checkpoint and no history; give the file with its losses"
        )  # fmt: skip
        raise InputError(f"{path} holds {names}")
    return found[0]


def _reads(path: Path) -> bool:
    try:
        return bool(_useful(path)[0])
    except InputError:
        return False


def _useful(path: Path) -> tuple[list[tuple[Table, Understood]], list[Table]]:
    """Return the tables with figures of the first format that has some, and all tables read before."""
    seen: list[Table] = []
    for tables in forms.readings(path) if not path.is_dir() else [event_files.read_folder(path)]:
        for table in tables:
            _name_value(table, path)
        seen += tables
        known = [(table, understand(table)) for table in map(spread, tables)]
        if useful := [(table, understood) for table, understood in known if _score(table, understood)[0] > 0]:
            return useful, seen
    return [], seen


def _name_value(table: Table, path: Path) -> None:
    """Name the column of a single downloaded curve after its file, such as run-train-tag-epoch_loss.csv."""
    column = table.columns.get("Value") or table.columns.get("value")
    if column is not None and not any(figure in understand(table).columns for figure in FIGURES[:4]):
        called = path.stem.lower()
        part = "val_" if re.search(r"(?<![a-z])(?:val|test|eval|dev)", called) else ""
        kind = "loss" if "loss" in called or "cost" in called else "accuracy" if "acc" in called else None
        second = table.columns.get("val_Value")
        alone = len(table.columns) == 1 and re.search("train|val|test|hist|curve", called) is not None
        if kind is None and (alone or second is not None) and _falls(column.values):
            kind = "loss"
        if kind is not None:
            column.name = f"{part}{kind}"
            if second is not None:
                second.name = "accuracy" if _rises_to_one(second.values) else f"val_{kind}"
            table.columns = {other.name if "Value" in name else name: other for name, other in table.columns.items()}


def _rises_to_one(values: np.ndarray) -> bool:
    """Return whether figures without a name behave like an accuracy: they rise, and are at most 1."""
    return bool(values.min() >= 0 and values.max() <= 1 and values[-1] > values[0] + 0.05)


def _falls(values: np.ndarray) -> bool:
    """Return whether figures without a name behave like a loss: they are positive, and far lower at the end."""
    quarter = len(values) // 4
    return quarter > 1 and bool((values > 0).all() and np.median(values[-quarter:]) < 0.9 * np.median(values[:quarter]))


def _score(table: Table, understood: Understood) -> tuple[int, int]:
    """Return how much a table tells: the number of its figures without the learning rate, and of its rows."""
    figures = [name for name in understood.columns if name != "learning_rate"]
    return len(figures), max((int(understood.columns[name].filled.sum()) for name in figures), default=0)


def _why(alike: list[Table], table: Table) -> str:
    if len(alike) > 1:
        return "the file holds several tables"
    if table.starts:
        return "the header is repeated"
    return f"{counters(table).epoch or counters(table).step} begins again"
