"""Reads Parquet files: tables, and pictures in the form of Hugging Face, with class names in the metadata."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from plainnet.data.targets import Meaning
from plainnet.errors import InputError
from plainnet.foreign.showing import counted, shown
from plainnet.sources import tables
from plainnet.sources.extras import pyarrow_parquet
from plainnet.sources.found import Found, Part, Wanted
from plainnet.sources.picture_folders import Progress, as_arrays

_MOST_CELLS = 100_000_000
_MOST_BYTES = 6_000_000_000  # unpacked, according to the metadata


def read(files: dict[str, list[Path]], what: str, wanted: Wanted, progress: Progress | None) -> Found:
    """Return the contents of Parquet files; several files may form one part.

    Raises: `InputError` if one is damaged, or if no column holds the labels.
    """
    arrow = {part: [_table(path) for path in paths] for part, paths in files.items()}
    first = next(iter(arrow.values()))[0]
    picture = next((n for n in first.column_names if _is_picture(first.schema.field(n).type)), None)
    frames = {}
    for part, pieces in arrow.items():
        joined = pieces[0] if len(pieces) == 1 else _joined(pieces, what)
        frames[part] = joined if picture else joined.to_pandas()
    if picture is None:
        found = tables.found_in(frames, what, wanted)
    else:
        found = _pictures(frames, picture, what, wanted, progress)
    names = _class_names(first, found.label)
    if names is not None:
        found.meaning = Meaning("classes", names, tuple(range(len(names))))
        for part, one in list(found.parts.items()):  # -1 stands for no label
            known = np.flatnonzero(one.given.astype(float) >= 0)
            if len(known) == 0:
                found.notes.append(f"the {part} part has no labels; it was left out")
                del found.parts[part]
            elif len(known) < len(one):
                found.parts[part] = one[known]
    return found


def frame_of(path: Path) -> Any:
    """Return a Parquet file as a frame.

    Raises: `InputError` as `read`.
    """
    return _table(path).to_pandas()


def _table(path: Path) -> Any:
    parquet = pyarrow_parquet("Parquet files")
    try:
        file = parquet.ParquetFile(path)
        if file.metadata.num_rows * file.metadata.num_columns > _MOST_CELLS:
            raise InputError(f"{path} has more than {_MOST_CELLS:,} values, too many for memory; give a part of it")
        size = sum(file.metadata.row_group(n).total_byte_size for n in range(file.metadata.num_row_groups))
        if size > _MOST_BYTES:
            raise InputError(
                f"{path} unpacks to {size / 1e9:.0f} GB; the limit is {_MOST_BYTES / 1e9:.0f} GB; give a part of it"
            )
        table = file.read()
    except InputError:
        raise
    except Exception as error:  # pyarrow raises many kinds of errors for a damaged file
        raise InputError(
            f"{path} is damaged: it is not a complete Parquet file ({shown(error, 80)}); download it again"
        ) from error
    if table.num_rows == 0:
        raise InputError(f"{path} holds no rows; give one example per row")
    return table


def _joined(pieces: list[Any], what: str) -> Any:
    import pyarrow

    try:
        return pyarrow.concat_tables(pieces)
    except (pyarrow.ArrowInvalid, pyarrow.ArrowTypeError) as error:
        raise InputError(f"the files of {what} must have the same columns: {shown(error, 120)}") from error


def _is_picture(kind: Any) -> bool:
    names = [kind.field(n).name for n in range(kind.num_fields)] if str(kind).startswith("struct") else []
    return "bytes" in names or str(kind) == "binary"


def _pictures(frames: dict[str, Any], column: str, what: str, wanted: Wanted, progress: Progress | None) -> Found:
    others = [name for name in next(iter(frames.values())).column_names if name != column]
    by_name = {name.lower(): name for name in reversed(others)}
    label = wanted.label or next((by_name[n] for n in tables.LABELS if n in by_name), others[-1] if others else None)
    if label is None or label not in others:
        raise InputError(
            f"{what} has no column {label or 'label'!r} beside the pictures in {column!r}; name one with --label"
        )
    contents: list[tuple[Path | bytes, str]] = []
    labels: dict[str, np.ndarray] = {}
    for part, table in frames.items():
        for row, value in enumerate(table.column(column).to_pylist()):
            content = value.get("bytes") if isinstance(value, dict) else value
            contents.append((content or b"", f"picture {row:,} of the {part} part of {what}"))
        labels[part] = np.array(table.column(label).to_pylist(), object)
    images, readable, notes = as_arrays(contents, progress)
    if lost := int((~readable).sum()):
        notes.append(f"left out: {counted(lost, 'picture')} that cannot be read")
    parts, start = {}, 0
    for part, of_part in labels.items():
        rows = np.flatnonzero(readable[start : start + len(of_part)])
        parts[part] = Part(images[rows + start], of_part[rows])
        start += len(of_part)
    notes.append(f"the column {label!r} holds the labels, {column!r} the pictures")
    return Found(what, parts, notes, label=label)


def _class_names(table: Any, label: str) -> tuple[str, ...] | None:
    """Return the class names, if the schema holds them as in the files of Hugging Face."""
    try:
        features = json.loads(table.schema.metadata[b"huggingface"])["info"]["features"]
        for name, feature in features.items():
            if name == label and isinstance(feature, dict) and feature.get("_type") == "ClassLabel":
                return tuple(map(str, feature["names"]))
    except (KeyError, TypeError, ValueError):
        pass
    return None
