"""Data of the user's own, in any usual form: recognized by content, split, and made ready for a network.

from plainnet import sources
data = sources.load("titanic.csv", label="survived", missing="mean")   # train, validation, test
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from plainnet.data import mnist
from plainnet.data.dataset import DataSet
from plainnet.data.fingerprint import fingerprint
from plainnet.data.splits import Splits
from plainnet.errors import InputError
from plainnet.model import Model

KEYS = ("path", "label", "missing", "validation", "test", "group", "transposed", "task")  # of a recipe's `data`


def load(path: str | Path | None = None, **wanted: Any) -> Splits:
    """Return the training, validation and test part of the data at `path`; without it, of the embedded MNIST.

    A file or a folder: IDX files under every usual name, .npz, .npy files in a folder, CSV and TSV, Parquet, folders of
    pictures, .zip or .tar.gz of any of these. What the data do not say may be said: `label` names the column of the
    labels, `missing="mean"` fills gaps, `validation` and `test` are the shares to split off where there are no such
    parts, `group` names a column whose equal values stay together, `transposed` tells that images are stored with rows
    and columns exchanged, `task` is "classes", "labels" or "numbers". `fold=(i, k)` validates with the i-th of k parts.
    `progress` is called with how many of how many pictures are read. `splits.notes` says what was found out about the
    data.

    Raises: `InputError` with what was found, what is read, and how to convert it.
    """
    if path is None:
        return mnist.load()
    if not isinstance(path, str | Path):
        raise InputError(
            f"load takes the path of a file or a folder, received {type(path).__name__}; give frames and arrays to "
            "DataSet(inputs, targets), or to fit as (inputs, targets)"
        )
    from plainnet.sources.found import Wanted
    from plainnet.sources.parts import splits
    from plainnet.sources.recognizing import find

    progress, fold = (wanted.pop(name, None) for name in ("progress", "fold"))
    if unknown := set(wanted) - {*KEYS}:
        raise InputError(f"unknown option {min(unknown)!r} of data; there are {', '.join(KEYS)}")
    options = Wanted(**{key: value for key, value in wanted.items() if value is not None})
    return splits(find(Path(path), options, progress), options, fold)


def load_described(table: Mapping[str, Any] | None, **more: Any) -> Splits:
    """Return the data that a recipe's `data` describes, the embedded MNIST if it is None."""
    return load(**(dict(table or {}) | more))


def load_for(model: Model, table: Mapping[str, Any], *, only_test: bool) -> DataSet:
    """Return data as a model takes them, with targets that mean what its outputs mean.

    The test part if the data bring one along, or if `only_test`, as for data that the model was trained on, which are
    split as they were then; else all of them.

    Raises: `InputError` if they lack a column, or have a class that the model does not know.
    """
    from plainnet.data.columns import Columns
    from plainnet.data.targets import Meaning
    from plainnet.sources.found import Wanted
    from plainnet.sources.parts import everything, splits
    from plainnet.sources.recognizing import find

    given = {key: value for key, value in table.items() if key != "path" and value is not None}
    learned = model.splits.get("label")
    wanted = Wanted(**({"label": learned} if isinstance(learned, str) else {}) | given)
    found = find(Path(table["path"]), wanted)
    columns = Columns.from_table(model.preparation) if model.preparation.get("type") == "columns" else None
    labels = next(iter(found.parts.values())).labels
    if found.meaning is None and model.class_names and labels is not None and labels.ndim == 1:
        found.meaning = Meaning("classes", model.class_names, model.class_names)
    if not only_test:
        return renamed(everything(found, wanted, columns), model.class_names)
    parts = splits(found, wanted, columns=columns)
    _expect_unchanged(model, parts, table["path"])
    return renamed(parts.test, model.class_names)


def _expect_unchanged(model: Model, parts: Splits, path: str) -> None:
    """Raise `InputError` if a model was not trained on these parts: its test part may hold what it has learned from."""
    metrics = model.about.get("metrics")
    if not isinstance(metrics, Mapping) or metrics.get("limit") is not None or parts.made.get("test") == "given":
        return
    told = metrics.get("data")
    if not isinstance(told, Mapping):
        return
    if told.get("crc32") not in (fingerprint(parts.train)["crc32"], fingerprint(parts.train_and_validation)["crc32"]):
        raise InputError(
            f"the data at {path} have changed since the training, so that the part kept for testing is another one, "
            "which the model may have learned from; give new examples in a file of their own: it is judged as a whole"
        )


def renamed(data: DataSet, names: tuple[str, ...]) -> DataSet:
    """Return data whose classes are numbered as `names` lists them.

    Raises: `InputError` if one of its classes is not among them.
    """
    if data.class_names == names or data.kind != "classes":
        return data
    present = [data.class_names[k] for k in np.unique(data.targets)]
    if unknown := [name for name in present if name not in names]:
        raise InputError(
            f"the data have the class {unknown[0]!r:.60}, which the model does not know; it tells "
            f"{', '.join(names)[:200]}"
        )
    places = np.array([names.index(name) if name in names else 0 for name in data.class_names])
    return DataSet(data.inputs, places[data.targets], names, column_names=data.column_names)
