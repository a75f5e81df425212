"""Tables: which column is the label, which are inputs, and which hold nothing to learn from."""

from __future__ import annotations

import math
import re
from typing import Any

import numpy as np

from plainnet.errors import InputError
from plainnet.foreign.showing import counted, shown
from plainnet.sources.found import TRAIN, Found, Part, Wanted

LABELS = ("label", "labels", "class", "target", "species", "y", "outcome", "diagnosis", "category", "variety")
_IDENTIFIER = re.compile(
    r"(?i)(unnamed: 0|index|id|.*[ _]id|uuid|row|rownames?|passengerid|customerid|name|filename|file)"
)
_MOST_WORDS = 50  # different ones of a column, up to which it is one of words rather than of free text
_LEAST_SIDE = 7  # of an image whose pixels are the columns of a table


def found_in(frames: dict[str, Any], what: str, wanted: Wanted) -> Found:
    """Return the parts of a data set whose frames these are, by part.

    Raises: `InputError` if no column can be the label, or one that is named is not there.
    """
    notes: list[str] = []
    main = frames.get(TRAIN, next(iter(frames.values())))
    label = _label_column(main, wanted.label, what, notes)
    for part in [part for part in frames if part != TRAIN and label not in frames[part].columns]:
        notes.append(f"the {part} part has no column {shown(label, 60)!r}, so it cannot judge; it was left out")
        del frames[part]
    if wanted.group is not None and wanted.group not in map(str, main.columns):
        raise InputError(
            f"there is no column {shown(wanted.group, 60)!r} to keep together; {what} has {_listed(main.columns)}"
        )
    columns = [c for c in main.columns if c != label and str(c) != wanted.group]
    columns = _worth_learning(main, columns, notes)
    if not columns:
        raise InputError(f"{what} has no column beside the label {shown(label, 60)!r}; give one a feature")
    parts = {}
    for part, frame in frames.items():
        if lacking := [c for c in columns if c not in frame.columns]:
            raise InputError(f"the {part} part of {what} lacks the column {shown(lacking[0], 60)!r}; give it there too")
        groups = None if wanted.group is None else frame[_named(frame, wanted.group)].astype(str).to_numpy()
        labels = _plain_labels(frame[label])
        parts[part] = Part({str(c): values_of(frame[c]) for c in columns}, labels, groups)
    found = Found(what, parts, notes)
    _as_images(found, str(label), columns)
    return found


def _named(frame: Any, name: str) -> Any:
    """Return a column's name as the frame has it, which may be a number."""
    return next(c for c in frame.columns if str(c) == name)


def _label_column(frame: Any, wanted: str | None, what: str, notes: list[str]) -> Any:
    columns = list(frame.columns)
    if len(columns) < 2:
        raise InputError(
            f"{what} has a single column, {shown(columns[0], 60)!r}; give one example a row, inputs and label in "
            "columns "
            "of their own, separated by commas"
        )
    if wanted is not None:
        if wanted not in map(str, columns):
            raise InputError(f"there is no column {shown(wanted, 60)!r} for the labels; {what} has {_listed(columns)}")
        return _named(frame, wanted)
    by_name = {str(c).strip().lower(): c for c in reversed(columns)}
    for name in LABELS:
        if name in by_name:
            notes.append(
                f"the column {shown(by_name[name], 60)!r} holds the labels, by its name; --label COLUMN names another"
            )
            return by_name[name]
    first, last = columns[0], columns[-1]
    side = math.isqrt(len(columns) - 1)
    pixels = side * side == len(columns) - 1 and side >= _LEAST_SIDE
    worded = {c: frame[c].dtype.kind not in "iufb" and frame[c].nunique() <= len(frame) / 2 for c in (first, last)}
    chosen = first if (worded[first] and not worded[last]) or (pixels and _few(frame[first])) else last
    place = "first" if chosen is first else "last"
    notes.append(f"the {place} column, {shown(chosen, 60)!r}, was taken for the labels; --label COLUMN names another")
    return chosen


def _few(column: Any) -> bool:
    return column.dtype.kind in "iu" and column.nunique() <= 100


def _worth_learning(frame: Any, columns: list[Any], notes: list[str]) -> list[Any]:
    """Return the columns that a network can learn from, and note which others there are."""
    kept, empty, texts, numbered = [], [], [], []
    for column in columns:
        values = frame[column]
        kind = values.dtype.kind
        if values.isna().all():
            empty.append(column)
        elif kind in "iu" and _IDENTIFIER.fullmatch(str(column).strip()) and values.is_unique:
            numbered.append(column)
        elif kind in "iufb" or values.nunique() <= min(_MOST_WORDS, max(2, len(frame) / 2)):
            kept.append(column)
        else:
            texts.append(column)
    for left, why in (
        (empty, "nothing"),
        (numbered, "a number for each row, which tells nothing about others"),
        (texts, f"texts of more than {_MOST_WORDS} kinds, or dates"),
    ):
        if left:
            notes.append(f"left out: {counted(len(left), 'column')} that hold {why} ({_listed(left)})")
    return kept


def _listed(columns: Any) -> str:
    names = [shown(str(c), 40) for c in columns]
    return ", ".join(names[:12]) + (f", ... ({len(names):,} columns)" if len(names) > 12 else "")


def values_of(column: Any) -> np.ndarray:
    """Return a column as numbers with NaN for gaps, or as words with None for gaps."""
    if column.dtype.kind in "biuf":
        return np.asarray(column, np.float64 if column.dtype.kind == "f" or column.hasnans else None)
    words = np.asarray(column.astype(object), object)
    gaps = np.asarray(column.isna())
    return np.array([None if gap else str(w).strip() for w, gap in zip(words, gaps, strict=True)], object)


def _plain_labels(column: Any) -> np.ndarray:
    return np.asarray(column) if column.dtype.kind in "biuf" else values_of(column)


def _as_images(found: Found, label: str, columns: list[Any]) -> None:
    """Make images of rows whose columns are the pixels of square ones; note it."""
    side = math.isqrt(len(columns))
    if side * side != len(columns) or side < _LEAST_SIDE:
        return
    named = [str(c).strip().lower() for c in columns]
    pixels = all(re.fullmatch(r"(pixel|px|pix|p|x|v)?[ _.]?\d+([x_.]\d+)?", name) for name in named)
    tables = {part: list(p.inputs.values()) for part, p in found.parts.items() if isinstance(p.inputs, dict)}
    if not pixels or not all(v.dtype.kind in "iu" for values in tables.values() for v in values):
        return
    lows, highs = zip(*((v.min(), v.max()) for values in tables.values() for v in values if len(v)), strict=True)
    if min(lows) < 0 or not 128 <= max(highs) <= 255:
        return
    for part, values in tables.items():
        images = np.stack([v.astype(np.uint8) for v in values], axis=1).reshape(-1, side, side)
        found.parts[part] = Part(images, found.parts[part].labels, found.parts[part].groups)
    found.notes.append(
        f"the {len(columns):,} columns beside {shown(label, 40)!r} are the pixels of {side}x{side} images"
    )
