"""Targets: turn labels as people write them into classes with names, yes-or-no labels, or numbers.

Labels may be strings, any integers, booleans, one-hot rows, several labels per example, or real numbers. Their meaning
is determined once, from all of them, and kept: the network learns positions in a list, and answers with the names at
these positions.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

from plainnet.errors import InputError
from plainnet.foreign.showing import shown

MOST_CLASSES = 1000
_FEW, _FEWER = 100, 20  # the largest numbers of distinct integers that count as classes: usually, and if rare
_TIMES = 3  # values that occur fewer times than this, on average, are rare


@dataclass(frozen=True)
class Meaning:
    """What labels mean: the kind of targets (see `DataSet`) and, for classes, their ordered values and names."""

    kind: str
    names: tuple[str, ...] = ()
    values: tuple[Any, ...] = ()

    def targets(self, labels: np.ndarray, what: str = "the labels") -> np.ndarray:
        """Return labels as targets: classes as their positions in the list of names, (N,); everything else as numbers.

        Raises: `InputError` for a label that is not one of the classes.
        """
        if self.kind != "classes":
            return np.asarray(labels, float if labels.dtype.kind in "Of" else None)
        if labels.ndim == 2 and labels.shape[1] == len(self.names) and labels.dtype.kind in "biuf":
            return labels.argmax(axis=1)  # one-hot
        labels = plain(labels.reshape(len(labels)))
        found, places = np.unique(labels, return_inverse=True)
        known = {str(value): place for place, value in enumerate(self.values)}
        for value in found:
            if str(_whole(value)) not in known:
                row = int(np.flatnonzero(labels == value)[0])
                raise InputError(
                    f"{what} hold {shown(value, 40)!r} (row {row:,}), which is not one of the {len(self.names)} "
                    f"classes {_some(self.names)}; leave such rows out, or add examples of this class to the training "
                    "data"
                )
        of_found = np.array([known[str(_whole(value))] for value in found])
        return of_found[places].astype(np.uint8 if len(self.names) <= 256 else np.int64)


def meaning(labels: np.ndarray, kind: str | None = None, names: Iterable[str] = ()) -> Meaning:
    """Return what labels mean; give all labels, of every part of the data.

    One-hot rows, strings, booleans and up to 100 different integers (20 if most are rare) are classes; columns of 0 and
    1 are labels; everything else is numbers. `kind` overrides this; `names` are the names of the columns.

    Raises: `InputError` for labels that fit none of these.
    """
    labels = np.asarray(labels)
    if labels.ndim == 2 and labels.shape[1] == 1:
        labels = labels[:, 0]
    if labels.ndim == 2 and labels.dtype.kind in "biuf":
        return _of_rows(labels, kind, tuple(names))
    if labels.ndim != 1:
        raise InputError(f"labels must be one per row, or rows of numbers, received shape {labels.shape}")
    labels = plain(labels)
    number = labels.dtype.kind in "iuf"
    whole = labels.dtype.kind != "f" or bool((labels == np.floor(labels)).all())
    values = np.unique(labels)
    many = len(values) > _FEW or (len(values) > _FEWER and len(labels) < _TIMES * len(values))
    if kind == "numbers" or (kind is None and number and (labels.dtype.kind == "f" or many)):
        if not number:
            raise InputError(f"labels must be numbers here, received {shown(values[0], 40)!r}")
        return Meaning("numbers")
    if kind not in (None, "classes"):
        raise InputError(f"{kind} must have one column per name, received one column")
    if len(values) > MOST_CLASSES or not whole:
        raise InputError(
            f"the labels have {len(values):,} different values, such as {_some(map(str, values))}: too many for "
            "classes; is this the column of the labels?"
        )
    if kind is None and not number and len(values) > _FEWER and len(labels) < _TIMES * len(values):
        raise InputError(
            f"the {len(labels):,} labels have {len(values):,} different values, such as {_some(map(str, values[:3]))}: "
            "these are more likely names than classes; are the labels in another column?"
        )
    if labels.dtype.kind == "U" and (as_numbers := _numeric(values)) is not None:
        values = values[np.argsort(as_numbers, kind="stable")]  # "2" before "10"
    ordered = tuple(_whole(value) for value in values.tolist())
    return Meaning("classes", tuple(str(value) for value in ordered), ordered)


def plain(labels: np.ndarray) -> np.ndarray:
    """Return labels (N,) as numbers or strings: objects as strings without outer blanks, bytes decoded as UTF-8."""
    if labels.dtype.kind == "f" and np.isnan(labels).any():
        raise InputError(_gap(int(np.isnan(labels).argmax())))
    if labels.dtype.kind in "OSU":
        for row, value in enumerate(labels.tolist() if labels.dtype.kind == "O" else ()):
            if value is None or value != value:  # NaN
                raise InputError(_gap(row))
        if labels.dtype.kind == "O" and all(isinstance(v, int | np.integer) for v in labels):  # includes bools
            return labels.astype(np.int64) if not any(isinstance(v, bool | np.bool_) for v in labels) else labels == 1
        texts = [v.decode(errors="replace") if isinstance(v, bytes) else str(v) for v in labels.tolist()]
        return np.array([text.strip() for text in texts], str)
    return labels


def _gap(row: int) -> str:
    return f"example {row:,} has no label; leave out such examples"


def _of_rows(labels: np.ndarray, kind: str | None, names: tuple[str, ...]) -> Meaning:
    names = names or tuple(map(str, range(labels.shape[1])))
    answers = bool(((labels == 0) | (labels == 1)).all())
    if kind == "numbers" or (kind is None and not answers):
        return Meaning("numbers")
    if kind == "classes" or (kind is None and (labels.sum(axis=1) == 1).all()):
        return Meaning("classes", names, tuple(range(len(names))))
    return Meaning("labels", names)


def _whole(value: Any) -> Any:
    """Return 3 for 3.0, and anything else unchanged."""
    return int(value) if isinstance(value, float | np.floating) and float(value).is_integer() else value


def _numeric(texts: np.ndarray) -> np.ndarray | None:
    try:
        return texts.astype(float)
    except ValueError:
        return None


def _some(names: Iterable[str]) -> str:
    listed = [shown(name, 30) for name in names]
    return ", ".join(listed[:12]) + (", ..." if len(listed) > 12 else "")
