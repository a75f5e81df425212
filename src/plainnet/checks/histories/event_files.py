"""TensorBoard's event files, read with TensorBoard's own library (the extra `plainnet[tensorboard]`)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from plainnet.checks.histories.names import PART
from plainnet.checks.histories.table import Table, of_rows
from plainnet.errors import InputError

_MOST_FILES = 50
_HEAD = b"brain.Event:"  # every event file begins with this version record


def recognized(content: bytes) -> bool:
    """Return whether the content is that of a TensorBoard event file."""
    return _HEAD in content[:64]


def is_folder_of(path: Path) -> bool:
    """Return whether a folder or its subfolders hold event files, and the folder holds no plainnet training run."""
    return path.is_dir() and not (path / "metrics.json").exists() and next(path.rglob("*tfevents*"), None) is not None


def read(path: Path) -> list[Table]:
    """Return the scalars of an event file as one table with a row for each step.

    Raises: `InputError` if TensorBoard is not installed.
    """
    rows = _rows(path, "", {})
    return [of_rows([rows[step] for step in sorted(rows)])] if rows else []


def read_folder(folder: Path) -> list[Table]:
    """Return the scalars of the event files in a folder: one table per run, with train/ and validation/ side by side.

    Raises: `InputError` if TensorBoard is not installed, or there are too many files.
    """
    files = sorted(path for path in folder.rglob("*tfevents*") if path.is_file())
    if len(files) > _MOST_FILES:
        raise InputError(f"{folder} holds {len(files):,} event files; give the folder of one training run")
    runs: dict[Path, dict[int, dict[str, Any]]] = {}
    for path in files:
        part = path.parent.name if PART.search(path.parent.name.lower()) else ""
        run = path.parent.parent if part else path.parent
        _rows(path, f"{part}/" if part else "", runs.setdefault(run, {}))
    return [of_rows([rows[step] for step in sorted(rows)], str(run.name)) for run, rows in runs.items() if rows]


def _rows(path: Path, prefix: str, rows: dict[int, dict[str, Any]]) -> dict[int, dict[str, Any]]:
    """Add the scalars of an event file to rows by step."""
    try:
        from tensorboard.backend.event_processing.event_file_loader import LegacyEventFileLoader
        from tensorboard.util import tensor_util
    except ImportError as error:
        raise InputError(
            f"{path} is a TensorBoard event file; to read it, run pip install 'plainnet[tensorboard]', or download the "
            "curve as CSV"
        ) from error
    for event in LegacyEventFileLoader(str(path)).Load():
        for value in event.summary.value:
            if value.HasField("simple_value"):
                number = value.simple_value
            elif value.HasField("tensor") and not value.tensor.tensor_shape.dim:
                array = tensor_util.make_ndarray(value.tensor)
                if array.dtype.kind not in "fiu":
                    continue
                number = float(array)
            else:
                continue
            rows.setdefault(event.step, {"step": event.step})[f"{prefix}{value.tag}"] = float(number)
    return rows
