"""Targets: from labels as people write them to classes with names, answers of yes or no, or numbers.

Labels are texts, whole numbers from anywhere, booleans, one-hot rows, several at once, or real numbers. What they mean
is found once, from all of them, and kept: the network learns places in a list, and answers with the names.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

from plainnet.errors import InputError
from plainnet.foreign.showing import shown

MOST_CLASSES = 1000
_FEW, _FEWER = 100, 20  # different whole numbers, up to which they are taken for classes; if each is rare, up to which
_TIMES = 3  # that each of many values must occur, on the mean


@dataclass(frozen=True)
class Meaning:
    """What labels mean: a kind of targets (see `DataSet`), and of classes their values in order and their names."""

    kind: str
    names: tuple[str, ...] = ()
    values: tuple[Any, ...] = ()

    def targets(self, labels: np.ndarray, what: str = "the labels") -> np.ndarray:
        """Return labels as targets: of classes their places among the names, (N,); all else as numbers.

        Raises: `InputError` for a label that is none of the classes.
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
                    f"{what} hold {shown(value, 40)!r} (row {row:,}), which is none of the {len(self.names)} classes "
                    f"{_some(self.names)}; leave such rows out, or train with some of them"
                )
        of_found = np.array([known[str(_whole(value))] for value in found])
        return of_found[places].astype(np.uint8 if len(self.names) <= 256 else np.int64)


def meaning(labels: np.ndarray, kind: str | None = None, names: Iterable[str] = ()) -> Meaning:
    """Return what labels mean: all of them, of every part of the data.

    One-hot rows, texts, booleans and up to 100 different whole numbers are classes (20, if they hardly recur); columns
    of 0 and 1 are labels; all else is numbers. `kind` says so instead; `names` are those of the columns.

    Raises: `InputError` for labels of which nothing can be made.
    """
    labels = np.asarray(labels)
    if labels.ndim == 2 and labels.shape[1] == 1:
        labels = labels[:, 0]
    if labels.ndim == 2 and labels.dtype.kind in "biuf":
        return _of_rows(labels, kind, tuple(names))
    if labels.ndim != 1:
        raise InputError(f"labels must be one a row, or rows of numbers, received shape {labels.shape}")
    labels = plain(labels)
    number = labels.dtype.kind in "iuf"
    whole = labels.dtype.kind != "f" or bool((labels == np.floor(labels)).all())
    values = np.unique(labels)
    many = len(values) > _FEW or (len(values) > _FEWER and len(labels) < _TIMES * len(values))
    if kind == "numbers" or (kind is None and number and (labels.dtype.kind == "f" or many)):
        if not number:
            raise InputError(f"labels that are numbers are wanted, received {shown(values[0], 40)!r}")
        return Meaning("numbers")
    if kind not in (None, "classes"):
        raise InputError(f"labels that are {kind} must have a column for each name, received one column")
    if len(values) > MOST_CLASSES or not whole:
        raise InputError(
            f"the labels have {len(values):,} different values, such as {_some(map(str, values))}: too many for "
            "classes; is this the column of the labels?"
        )
    if kind is None and not number and len(values) > _FEWER and len(labels) < _TIMES * len(values):
        raise InputError(
            f"the {len(labels):,} labels have {len(values):,} different values, such as {_some(map(str, values[:3]))}: "
            "they are rather names than classes; is another column the one of the labels?"
        )
    if labels.dtype.kind == "U" and (as_numbers := _numeric(values)) is not None:
        values = values[np.argsort(as_numbers, kind="stable")]  # "2" before "10"
    ordered = tuple(_whole(value) for value in values.tolist())
    return Meaning("classes", tuple(str(value) for value in ordered), ordered)


def plain(labels: np.ndarray) -> np.ndarray:
    """Return labels (N,) as numbers or texts; objects as texts without the blanks around them, bytes as UTF-8."""
    if labels.dtype.kind == "f" and np.isnan(labels).any():
        raise InputError(_gap(int(np.isnan(labels).argmax())))
    if labels.dtype.kind in "OSU":
        for row, value in enumerate(labels.tolist() if labels.dtype.kind == "O" else ()):
            if value is None or value != value:  # NaN
                raise InputError(_gap(row))
        if labels.dtype.kind == "O" and all(isinstance(v, int | np.integer) for v in labels):  # bools among them
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
    """Return 3 for 3.0, and anything else as it is."""
    return int(value) if isinstance(value, float | np.floating) and float(value).is_integer() else value


def _numeric(texts: np.ndarray) -> np.ndarray | None:
    try:
        return texts.astype(float)
    except ValueError:
        return None


def _some(names: Iterable[str]) -> str:
    listed = [shown(name, 30) for name in names]
    return ", ".join(listed[:12]) + (", ..." if len(listed) > 12 else "")
