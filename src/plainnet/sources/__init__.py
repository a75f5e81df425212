"""Loads the user's own data from any common format: recognizes it by content, splits it, and prepares it for a network.

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
    """Return the training, validation and test parts of the data at `path`; without a path, of MNIST.

    The path is a file or a folder: IDX files under all usual names, .npz, .npy files in a folder, CSV, TSV, Parquet,
    folders of pictures, or a .zip or .tar.gz of any of these. Options tell what the data do not show: `label` names the
    column with the labels, `missing="mean"` fills missing values, `validation` and `test` are the shares to split off
    if there are no such parts, examples with the same value in the column `group` stay in the same part, `transposed`
    says that images are stored with rows and columns swapped, `task` is "classes", "labels" or "numbers". `fold=(i, k)`
    validates on the i-th of k parts. `progress` is called with the number of pictures read and their total.
    `splits.notes` says what was found in the data.

    Raises: `InputError` that says what was found, which formats can be read, and how to convert the data.
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
        raise InputError(f"unknown option {min(unknown)!r} of data; the options are {', '.join(KEYS)}")
    options = Wanted(**{key: value for key, value in wanted.items() if value is not None})
    return splits(find(Path(path), options, progress), options, fold)


def load_described(table: Mapping[str, Any] | None, **more: Any) -> Splits:
    """Return the data that a recipe's `data` describes, or MNIST if it is None."""
    return load(**(dict(table or {}) | more))


def load_for(model: Model, table: Mapping[str, Any], *, only_test: bool) -> DataSet:
    """Return data in the form that a model takes, with targets that match its outputs.

    Returns the test part if the data have one, otherwise all examples. With `only_test`, for data that the model was
    trained on, they are split as for the training, and the test part is returned.

    Raises: `InputError` if a column is missing, or if there is a class that the model does not know.
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
    """Raise `InputError` if a model was trained on other parts: its training data may be in this test part."""
    metrics = model.about.get("metrics")
    if not isinstance(metrics, Mapping) or metrics.get("limit") is not None or parts.made.get("test") == "given":
        return
    told = metrics.get("data")
    if not isinstance(told, Mapping):
        return
    if told.get("crc32") not in (fingerprint(parts.train)["crc32"], fingerprint(parts.train_and_validation)["crc32"]):
        raise InputError(
            f"the data at {path} have changed since the training, so the test part may now contain examples that the "
            "model was trained on; give new examples in a separate file, which is then used as a whole"
        )


def renamed(data: DataSet, names: tuple[str, ...]) -> DataSet:
    """Return data with classes numbered in the order of `names`.

    Raises: `InputError` if one of the classes is not in `names`.
    """
    if data.class_names == names or data.kind != "classes":
        return data
    present = [data.class_names[k] for k in np.unique(data.targets)]
    if unknown := [name for name in present if name not in names]:
        raise InputError(
            f"the data have the class {unknown[0]!r:.60}, which the model does not know; its classes are "
            f"{', '.join(names)[:200]}"
        )
    places = np.array([names.index(name) if name in names else 0 for name in data.class_names])
    return DataSet(data.inputs, places[data.targets], names, column_names=data.column_names)
