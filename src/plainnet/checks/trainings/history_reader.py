"""Curves: the figures of a training, epoch by epoch, read from our files or from anyone's JSON or CSV."""

from __future__ import annotations

import csv
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from plainnet.errors import InputError
from plainnet.foreign.opening import parse_json, read_text

_NAMES = {  # what others call these columns, in lower case, without spaces, dashes or underscores
    "train_loss": ("trainloss", "trainingloss", "loss"),
    "train_accuracy": ("trainaccuracy", "trainingaccuracy", "trainacc", "trainingacc", "accuracy", "acc"),
    "validation_loss": ("validationloss", "valloss", "validloss", "testloss"),
    "validation_accuracy": (
        "validationaccuracy", "valaccuracy", "validaccuracy", "valacc", "validacc", "validationacc", "testaccuracy",
        "testacc",
    ),
    "learning_rate": ("learningrate", "lr"),
}  # fmt: skip


@dataclass(frozen=True)
class Curves:
    """Each figure by epoch; a figure that was not recorded is an empty tuple. Accuracies are between 0 and 1."""

    train_loss: tuple[float, ...] = ()
    train_accuracy: tuple[float, ...] = ()
    validation_loss: tuple[float, ...] = ()
    validation_accuracy: tuple[float, ...] = ()
    learning_rate: tuple[float, ...] = ()

    @property
    def epochs(self) -> int:
        """The number of epochs on record."""
        return max(len(getattr(self, field.name)) for field in fields(self))


def read_curves(path: Path) -> Curves:
    """Read a table of losses and accuracies: JSON (a list of rows, or a table of lists) or CSV with a header.

    Columns are found by their names, as most programs write them: loss, val_loss, acc, val_accuracy, lr ...

    Raises: `InputError` if the file cannot be read or holds no loss and no accuracy.
    """
    try:
        text = read_text(path, "history")
        table = _columns(list(csv.DictReader(text.splitlines())) if path.suffix == ".csv" else parse_json(text))
    except InputError:
        raise
    except (ValueError, csv.Error) as error:
        raise InputError(f"cannot read {path}: {error}; it must be JSON, or CSV with a header") from error
    found: dict[str, tuple[float, ...]] = {}
    for ours, theirs in _NAMES.items():
        column = next((table[name] for name in theirs if name in table), ())
        numbers = [_number(value, ours, path) for value in column if value is not None and value != ""]
        if "accuracy" in ours and numbers and max(numbers) > 1.5:  # percent
            numbers = [number / 100 for number in numbers]
        if "accuracy" in ours and any(not 0 <= number <= 1 for number in numbers if math.isfinite(number)):
            raise InputError(f"{path}: {ours} holds numbers that are no accuracies, from 0 to 1 or in percent")
        found[ours] = tuple(numbers)
    curves = Curves(**found)
    if not (curves.train_loss or curves.train_accuracy or curves.validation_loss or curves.validation_accuracy):
        raise InputError(f"{path} holds no losses and no accuracies; its columns must have names such as loss, val_acc")
    return curves


def curves_of(history: Sequence[Mapping[str, Any]]) -> Curves:
    """Return the curves of a history of ours, as rows of plain values."""
    return Curves(
        **{name: tuple(row[name] for row in history if row.get(name) is not None) for name in _NAMES},
    )


def _columns(table: Any) -> dict[str, Sequence[Any]]:
    if isinstance(table, dict) and isinstance(table.get("history"), dict | list):
        table = table["history"]
    if isinstance(table, list) and all(isinstance(row, dict) for row in table):
        keys = {key for row in table for key in row if isinstance(key, str)}
        table = {key: [row.get(key) for row in table] for key in keys}
    if not isinstance(table, dict):
        raise ValueError("expected a list of rows or a table of lists")
    short = {str(key).lower().replace("_", "").replace(" ", "").replace("-", ""): value for key, value in table.items()}
    return {key: value for key, value in short.items() if isinstance(value, list)}


def _number(value: Any, name: str, path: Path) -> float:
    """Return a number; what is not finite, in whatever spelling, is NaN."""
    try:
        number = float(value)
    except (TypeError, ValueError, OverflowError) as error:
        raise InputError(f"{path}: {name} holds {value!r:.100} where a number should be") from error
    return number if math.isfinite(number) else math.nan
