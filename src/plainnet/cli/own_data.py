"""The options for the user's own data, shared by every command that takes data."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Annotated, Any

from cyclopts import Group, Parameter

from plainnet.cli.saying import say
from plainnet.data.splits import Splits
from plainnet.errors import InputError
from plainnet.foreign.showing import shown
from plainnet.sources import load_described

_GROUP = Group("Data", sort_key=1)


@Parameter(name="*", group=_GROUP)
@dataclass(frozen=True, kw_only=True)
class OwnData:
    """Your own data, instead of the MNIST digits that come with plainnet.

    Parameters
    ----------
    data
        A file or folder: IDX, .npz, .npy, CSV, TSV, Parquet, or pictures in one folder per class.
        Also a .zip or .tar.gz of these.
    label
        The column with the labels, if its name is not one that plainnet recognizes.
    missing
        The value `mean` fills missing values with the mean of their column. Default: missing values are an error.
    validation
        The fraction of examples for validation, if the data have no validation part.
        Default: 0.15, or a sixth if the data have a test part.
    test
        The fraction of examples for testing, if the data have no test part. Default: 0.15.
    group
        A column, such as the patient. Examples with the same value stay in the same part.
    transposed
        The images are stored with rows and columns swapped, as in EMNIST.
    task
        The task: classes (classification), labels (multi-label) or numbers (regression). Default: chosen from the data.
    """

    data: Annotated[Path | None, Parameter(name=["--data", "--data-dir"])] = None
    label: str | None = None
    missing: str | None = None
    validation: float | None = None
    test: float | None = None
    group: str | None = None
    transposed: Annotated[bool, Parameter(negative=())] = False
    task: str | None = None

    def overrides(self, *, path_known: bool = False) -> dict[str, Any]:
        """Return the given options as values of a recipe: {"data.path": ...}.

        Raises: `InputError` for options without --data, unless the path of the data is known otherwise.
        """
        given = {field.name: getattr(self, field.name) for field in fields(self)}
        path = given.pop("data")
        told = {} if path is None else {"path": str(path)}
        told |= {key: value for key, value in given.items() if value not in (None, False)}
        if told and path is None and not path_known:
            raise InputError(f"--{next(iter(told))} needs data of your own; give them with --data")
        return {f"data.{key}": value for key, value in told.items()}


def load_data(table: Mapping[str, Any] | None, *, quiet: bool = False, **more: Any) -> Splits:
    """Return the data that a recipe's `data` describes; report progress while many pictures are read."""
    told = [0]

    def progress(done: int, of: int) -> None:
        if of >= 5000 and (done * 10 // of) > told[0]:
            told[0] = done * 10 // of
            say(f"{done:,} of {of:,} pictures read", to=sys.stderr)

    return load_described(table, **({} if quiet or table is None else {"progress": progress}), **more)


def about(table: Mapping[str, Any] | None, data: Splits) -> list[str]:
    """Return what was found in the user's own data, as lines; nothing for MNIST."""
    if table is None:
        return []
    return [f"data: {shown(table.get('path', ''))}", *(f"  {shown(note, 300)}" for note in data.notes)]
