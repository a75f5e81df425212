"""Tables: finds the column with the labels, the columns to learn from, and those that are useless."""

from __future__ import annotations

import math
import re
from dataclasses import replace
from typing import Any

import numpy as np

from plainnet.errors import InputError
from plainnet.foreign.showing import counted, shown
from plainnet.sources.delimited import ROW_NAMES
from plainnet.sources.found import TEST, TRAIN, Found, Part, Wanted

LABELS = (
    "label", "labels", "target", "survived", "class", "species", "y", "outcome", "diagnosis", "category", "variety",
    "default", "quality", "edibility", "result",
)  # fmt: skip
_IDENTIFIER = re.compile(
    r"(?i)(unnamed: 0|\(row names\)|index|id|.*[ _]id|uuid|row|rownames?|passengerid|customerid|name|filename|file)"
)
_NUMBER = re.compile(r"[$€£]?\s?[-+]?(\d+|\d{1,3}(,\d{3})+)(\.\d*)?([eE][-+]?\d+)?\s?%?")
_MOST_WORDS = 50  # a column with more different words than this is free text
_LEAST_SIDE = 7  # the smallest side of images with pixels stored as columns of a table


def found_in(frames: dict[str, Any], what: str, wanted: Wanted) -> Found:
    """Return the parts of a data set from its frames by part.

    Raises: `InputError` if no column can be the label, or if a named column is missing.
    """
    notes: list[str] = []
    for part, frame in frames.items():
        frames[part] = _flat(frame, notes)
    main = frames.get(TRAIN, next(iter(frames.values())))
    if TEST in frames and wanted.label is None:
        lacking_there = [c for c in main.columns if c not in frames[TEST].columns]
        if len(lacking_there) == 1 and TRAIN in frames:  # as on Kaggle: the column to predict
            wanted = replace(wanted, label=str(lacking_there[0]))
    label = _label_column(main, wanted.label, what, notes)
    for part in [part for part in frames if part != TRAIN and label not in frames[part].columns]:
        notes.append(f"the {part} part has no column {shown(label, 60)!r}, so it cannot be used; it was left out")
        del frames[part]
    if wanted.group is not None and wanted.group not in map(str, main.columns):
        raise InputError(
            f"there is no column {shown(wanted.group, 60)!r} for --group; {what} has {_listed(main.columns)}"
        )
    columns = [c for c in main.columns if c != label and str(c) != wanted.group]
    if alike := [c for c in columns if _same(main[c], main[label])]:
        notes.append(f"used as inputs, but the same as the labels: {_listed(alike)}; remove such columns")
    columns = _worth_learning(main, columns, notes)
    if not columns:
        why = "; ".join(note for note in notes if note.startswith("left out"))
        raise InputError(
            f"{what} has no column to learn from besides {shown(str(label), 60)!r}{f' ({why})' if why else ''}; "
            "add columns, or name another --label"
        )
    parts = {}
    for part, frame in frames.items():
        if lacking := [c for c in columns if c not in frame.columns]:
            raise InputError(f"the {part} part of {what} lacks the column {shown(lacking[0], 60)!r}; add it there")
        groups = None if wanted.group is None else frame[_named(frame, wanted.group)].astype(str).to_numpy()
        labels = _plain_labels(frame[label])
        parts[part] = Part({str(c): values_of(frame[c]) for c in columns}, labels, groups)
    found = Found(what, parts, notes, label=str(label))
    _as_images(found, str(label), columns)
    return found


def _flat(frame: Any, notes: list[str]) -> Any:
    """Return a frame with a named index turned into a column, and without columns of lists or tables."""
    if any(name is not None for name in frame.index.names):
        frame = frame.reset_index()
    nested = [c for c in frame.columns if frame[c].map(lambda value: isinstance(value, list | dict | np.ndarray)).any()]
    if nested:
        notes.append(f"left out: {counted(len(nested), 'column')} of lists or tables ({_listed(nested)})")
    return frame.drop(columns=nested)


def _named(frame: Any, name: str) -> Any:
    """Return the name of a column as in the frame, where it may be a number."""
    return next(c for c in frame.columns if str(c) == name)


def _label_column(frame: Any, wanted: str | None, what: str, notes: list[str]) -> Any:
    columns = list(frame.columns)
    if len(columns) < 2:
        raise InputError(
            f"{what} has a single column, {shown(columns[0], 60)!r}; give one example per row, with inputs and "
            "label in separate columns, separated by commas"
        )
    if wanted is not None:
        if wanted not in map(str, columns):
            raise InputError(f"there is no column {shown(wanted, 60)!r} for the labels; {what} has {_listed(columns)}")
        return _named(frame, wanted)
    by_name = {str(c).strip().lower(): c for c in reversed(columns)}
    for name in LABELS:
        if name in by_name:
            notes.append(
                f"the column {shown(by_name[name], 60)!r} holds the labels, judging by its name; --label COLUMN names "
                "another"
            )
            return by_name[name]
    fit = [c for c in columns if _could_be_labels(frame[c])]
    if not fit:
        raise InputError(f"no column of {what} looks like labels; name one with --label: {_listed(columns)}")
    side = math.isqrt(len(columns) - 1)
    pixels = side * side == len(columns) - 1 and side >= _LEAST_SIDE
    first, last = columns[0], columns[-1]
    if first in fit and pixels and _few(frame[first]):
        chosen = first
    elif last in fit and not (first in fit and _words(frame[first]) and not _words(frame[last])):
        chosen = last
    else:
        chosen = first if first in fit else fit[-1]
    place = "first" if chosen is first else "last" if chosen is last else "last fitting"
    notes.append(f"the {place} column, {shown(chosen, 60)!r}, is used as the labels; --label COLUMN names another")
    return chosen


def _same(column: Any, labels: Any) -> bool:
    """Return whether a column and the labels determine each other."""
    pairs = len(set(zip(column.astype(str), labels.astype(str), strict=True)))
    return 1 < labels.nunique() == column.nunique() == pairs <= min(_MOST_WORDS, len(labels) / 2)


def _words(column: Any) -> bool:
    return column.dtype.kind not in "iufb"


def _could_be_labels(column: Any) -> bool:
    """Return whether a column can hold labels: not all the same, and not words that hardly ever repeat."""
    different = column.nunique()
    return different > 1 and not (_words(column) and different > 20 and len(column) < 3 * different)


def _few(column: Any) -> bool:
    return column.dtype.kind in "iu" and column.nunique() <= 100


def _worth_learning(frame: Any, columns: list[Any], notes: list[str]) -> list[Any]:
    """Return the columns that a network can learn from, and add notes on the others."""
    kept, empty, texts, numbered = [], [], [], []
    for column in columns:
        values = frame[column]
        kind = values.dtype.kind
        if values.isna().all():
            empty.append(column)
        elif str(column) == ROW_NAMES or (kind in "iu" and values.is_unique and _counts(values, str(column))):
            numbered.append(column)
        elif (
            kind in "iufb"
            or values_of(values).dtype.kind == "f"
            or values.nunique() <= min(_MOST_WORDS, max(2, len(frame) / 2))
        ):
            kept.append(column)
        else:
            texts.append(column)
    for left, why in (
        (empty, "nothing"),
        (numbered, "a number or name for each row, which says nothing about other rows"),
        (texts, f"text with more than {_MOST_WORDS} different values, or dates"),
    ):
        if left:
            verb = "holds" if len(left) == 1 else "hold"
            notes.append(f"left out: {counted(len(left), 'column')} that {verb} {why} ({_listed(left)})")
    return kept


def _counts(values: Any, name: str) -> bool:
    """Return whether unique integers are only row numbers: by the column's name, or because they count up by 1."""
    numbers = np.asarray(values)
    return bool(_IDENTIFIER.fullmatch(name.strip())) or (len(numbers) > 20 and bool((np.diff(numbers) == 1).all()))


def _listed(columns: Any) -> str:
    names = [shown(str(c), 40) for c in columns]
    return ", ".join(names[:12]) + (f", ... ({len(names):,} columns)" if len(names) > 12 else "")


def values_of(column: Any) -> np.ndarray:
    """Return a column as numbers with NaN for missing values, or as words with None for them."""
    if column.dtype.kind in "biuf":
        return np.asarray(column, np.float64 if column.dtype.kind == "f" or column.hasnans else None)
    gaps = np.asarray(column.isna())
    words = [None if gap else str(w).strip() for w, gap in zip(column.tolist(), gaps, strict=True)]
    there = [word for word in words if word is not None]
    numbers = [_NUMBER.fullmatch(word) for word in there]
    if there and all(numbers):  # such as $1,234.50 and 12 %
        return np.array([np.nan if w is None else float(re.sub(r"[$€£%,\s]", "", w)) for w in words])
    plain = {word for word, number in zip(there, numbers, strict=True) if number}
    if sum(map(bool, numbers)) > 0.8 * len(there) and len(plain) >= 10:
        row, word = next((row, w) for row, w in enumerate(words) if w is not None and not _NUMBER.fullmatch(w))
        raise InputError(
            f"the column {shown(str(column.name), 60)!r} holds numbers, but {shown(word, 40)!r} in row {row + 1:,}; "
            "fix it, or remove such rows"
        )
    return np.array(words, object)


def _plain_labels(column: Any) -> np.ndarray:
    return np.asarray(column) if column.dtype.kind in "biuf" else values_of(column)


def _as_images(found: Found, label: str, columns: list[Any]) -> None:
    """Turn rows into square images if their columns are pixels, and add a note."""
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
        f"the {len(columns):,} columns other than {shown(label, 40)!r} are the pixels of {side}x{side} images"
    )
