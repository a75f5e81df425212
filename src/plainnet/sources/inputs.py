"""Reads inputs without labels, for a model to predict: the rows of a table or of arrays."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from plainnet.data.columns import Columns, column
from plainnet.errors import InputError
from plainnet.foreign.showing import shown
from plainnet.model import Model
from plainnet.sources import arrays, delimited, parquet, recognizing, tables
from plainnet.sources.picture_folders import is_picture

_ROWS = ("text", "npz", "npy", "parquet", "idx")


def holds_rows(path: Path) -> bool:
    """Return whether a file holds rows of numbers rather than a picture."""
    return not is_picture(path) and path.is_file() and recognizing.kind_of(path) in _ROWS


def inputs_from(path: Path, model: Model, notes: list[str]) -> np.ndarray:
    """Return the inputs in a file of rows, in the form that the model takes; add remarks on them to `notes`.

    Raises: `InputError` if a column is missing, or if no array has the size that the model takes.
    """
    kind = recognizing.kind_of(path)
    if kind in ("npz", "npy", "idx"):
        return _of_arrays(path, kind, model)
    columns = Columns.from_table(model.preparation) if model.preparation.get("type") == "columns" else None
    words = [column.name for column in columns.columns if column.words] if columns is not None else []
    frame = delimited.read(path, words) if kind == "text" else parquet.frame_of(path)
    if columns is not None:
        table = {
            name: column(np.asarray(frame[name])) if name in words else tables.values_of(frame[name])
            for name in columns.names
            if name in frame.columns
        }
        table = table or {str(name): np.zeros(len(frame)) for name in frame.columns}
        encoded = columns.encoded(table, str(path))
        for name, word in sorted(columns.unknown):
            notes.append(f"{path}: the word {shown(word, 40)!r} in column {shown(name, 40)!r} is unknown to the model")
        return encoded
    labels = [name for name in frame.columns if str(name).strip().lower() in tables.LABELS]
    numbers = frame.drop(columns=labels)
    size = int(np.prod(model.network.in_shape))
    if numbers.shape[1] == size + 1:  # a first column of labels without a name
        numbers = numbers.iloc[:, 1:]
    if numbers.shape[1] != size or any(column.dtype.kind not in "iufb" for _, column in numbers.items()):
        raise InputError(
            f"{path} has rows of {numbers.shape[1]:,} columns, but the model takes {size:,} numbers; give rows like "
            "those it was trained on"
        )
    values = numbers.to_numpy()
    pixels = (
        values.dtype.kind in "iu"
        and values.min() >= 0
        and values.max() <= 255
        and model.preparation["type"] == "pixels"
    )
    return values.astype(np.uint8) if pixels else values.astype(np.float32)


def _of_arrays(path: Path, kind: str, model: Model) -> np.ndarray:
    if kind == "idx":
        from plainnet.data.idx import read_idx
        from plainnet.sources.idx_folders import dimensions

        held = {path.name: read_idx(path, dimensions=dimensions(path) or 3)}
    else:
        held = arrays.contents(path) if kind == "npz" else arrays.mapped([path])
    size = int(np.prod(model.network.in_shape))
    fits = [a for a in held.values() if a.ndim >= 2 and np.prod(a.shape[1:]) == size and a.dtype.kind in "biuf"]
    if not fits:
        told = ", ".join(f"{shown(name, 40)} {array.shape}" for name, array in held.items())
        raise InputError(f"{path} holds {told}, but the model takes rows of {model.network.in_shape}; give such rows")
    array = fits[-1] if len(fits) > 1 and "test" in list(held)[-1] else fits[0]
    return array if array.dtype == np.uint8 else array.astype(np.float32)
