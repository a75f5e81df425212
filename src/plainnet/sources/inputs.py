"""Inputs without labels, for a model to answer: the rows of a table or of arrays."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from plainnet.data.columns import Columns
from plainnet.errors import InputError
from plainnet.foreign.showing import shown
from plainnet.model_file import Model
from plainnet.sources import arrays, delimited, recognizing, tables
from plainnet.sources.extras import pandas, pyarrow_parquet
from plainnet.sources.picture_folders import is_picture

_ROWS = ("text", "npz", "npy", "parquet", "idx")


def holds_rows(path: Path) -> bool:
    """Tell whether a file holds rows of numbers rather than a picture."""
    return not is_picture(path) and path.is_file() and recognizing.kind_of(path) in _ROWS


def inputs_from(path: Path, model: Model) -> np.ndarray:
    """Return the inputs in a file of rows, as the model takes them.

    Raises: `InputError` if a column is missing, or no array is of the model's size.
    """
    kind = recognizing.kind_of(path)
    if kind in ("npz", "npy", "idx"):
        return _of_arrays(path, kind, model)
    frame = delimited.read(path) if kind == "text" else _parquet(path)
    if model.preparation.get("type") == "columns":
        table = {str(name): tables.values_of(frame[name]) for name in frame.columns}
        return Columns.from_table(model.preparation).encoded(table, str(path))
    labels = [name for name in frame.columns if str(name).strip().lower() in tables.LABELS]
    numbers = frame.drop(columns=labels)
    size = int(np.prod(model.network.in_shape))
    if numbers.shape[1] == size + 1:  # a first column of labels without a name
        numbers = numbers.iloc[:, 1:]
    if numbers.shape[1] != size or any(column.dtype.kind not in "iufb" for _, column in numbers.items()):
        raise InputError(
            f"{path} has rows of {numbers.shape[1]:,} columns, the model takes {size:,} numbers; give rows like "
            "those it "
            "learned from"
        )
    values = numbers.to_numpy()
    pixels = (
        values.dtype.kind in "iu"
        and values.min() >= 0
        and values.max() <= 255
        and model.preparation["type"] == "pixels"
    )
    return values.astype(np.uint8) if pixels else values.astype(np.float32)


def _parquet(path: Path) -> Any:
    pandas("Parquet files")
    pyarrow_parquet("Parquet files")
    import pandas as pd

    return pd.read_parquet(path)


def _of_arrays(path: Path, kind: str, model: Model) -> np.ndarray:
    if kind == "idx":
        from plainnet.data.idx import read_idx
        from plainnet.sources.idx_folders import dimensions

        held = {path.name: read_idx(path, dimensions=dimensions(path) or 3)}
    else:
        held = arrays.contents(path) if kind == "npz" else {path.stem: np.load(path, allow_pickle=False)}
    size = int(np.prod(model.network.in_shape))
    fits = [a for a in held.values() if a.ndim >= 2 and np.prod(a.shape[1:]) == size and a.dtype.kind in "biuf"]
    if not fits:
        told = ", ".join(f"{shown(name, 40)} {array.shape}" for name, array in held.items())
        raise InputError(f"{path} holds {told}, the model takes rows of {model.network.in_shape}; give such an array")
    array = fits[-1] if len(fits) > 1 and "test" in list(held)[-1] else fits[0]
    return array if array.dtype == np.uint8 else array.astype(np.float32)
