"""Data sets: examples in memory, with inputs, targets, and what the targets mean."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from plainnet.config import expect_name, whole_number
from plainnet.data.preparation import as_array
from plainnet.data.rows import some_rows
from plainnet.data.stratified import stratified_split
from plainnet.data.targets import Meaning, meaning
from plainnet.errors import InputError

KINDS = ("classes", "probabilities", "labels", "numbers")


class DataSet:
    """Inputs with their targets; pixels stay bytes and are scaled batch by batch when they are used.

    Shapes: inputs (N, H, W), (N, H, W, C) or (N, D), bytes or floating-point numbers; targets, by their `kind`:
    "classes", whole numbers (N,) below len(class_names); "probabilities" (N, K) of the classes, rows that add up to 1;
    "labels" (N, K), 1 or 0 for each of several names; "numbers" (N,) or (N, M), without names. The default of `kind`:
    with `class_names`, a row of K targets holds probabilities if all rows add up to 1, labels otherwise, and single
    targets are classes; without them, the targets themselves decide (see `data.targets.meaning`).
    `weights` (N,) say how much each example counts (default: all equally).

    A slice or an array of row numbers gives a smaller data set: `data.train[:1000]`.

    Raises: `InputError` if the counts differ, the set is empty, a number is not finite, a target does not fit its kind,
    or two classes have the same name.

    Example:
        >>> from plainnet import DataSet
        >>> data = DataSet([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]], ["cat", "dog", "cat"])
        >>> data.class_names, data.targets.tolist(), len(data[:2])
        (('cat', 'dog'), [0, 1, 0], 2)
    """

    def __init__(
        self,
        inputs: np.typing.ArrayLike,
        targets: np.typing.ArrayLike,
        class_names: Sequence[str] | None = None,
        *,
        weights: np.ndarray | None = None,
        kind: str | None = None,
        column_names: Sequence[str] | None = None,
        like: DataSet | None = None,
    ) -> None:
        self.inputs = as_array(inputs, "the inputs")
        self.targets = as_array(targets, "the labels")
        found = getattr(inputs, "columns", ()) if column_names is None else column_names
        self.column_names = tuple(map(str, found))
        self.kind: str
        self.class_names: tuple[str, ...]
        self.meaning: Meaning | None
        meant = None
        if like is not None:
            meant = like.meaning or Meaning(like.kind, like.class_names, tuple(range(len(like.class_names))))
        elif class_names is None and self.targets.size > 0:
            meant = meaning(self.targets, kind, getattr(targets, "columns", ()))
        if meant is not None:
            self.targets, class_names, kind = meant.targets(self.targets), meant.names, meant.kind
        self.meaning = meant
        if isinstance(class_names, str) or not (class_names is None or np.iterable(class_names)):
            raise InputError(f"class_names must be a list of strings, received {class_names!r}")
        names = [] if class_names is None else list(class_names)
        self.class_names = tuple(str(name) if isinstance(name, np.str_) else name for name in names)
        self.weights = None if weights is None else as_array(weights, "weights").astype(float)
        self.kind = kind or self._kind()
        self._check()

    def _kind(self) -> str:
        targets = self.targets
        if not self.class_names:
            return "numbers"
        if targets.ndim != 2 or targets.shape[1] != len(self.class_names) or targets.dtype.kind not in "biuf":
            return "classes"
        return "probabilities" if np.allclose(targets.sum(axis=1), 1, atol=1e-4) else "labels"

    def _check(self) -> None:
        inputs, targets, names = self.inputs, self.targets, self.class_names
        if not all(isinstance(name, str) for name in names):
            raise InputError(f"class names must be strings, received {list(names)}; write them in quotes")
        for name in names:
            expect_name(name, "a class name")
        if len(set(names)) < len(names):
            raise InputError(f"each class needs a name of its own, received {', '.join(names)}")
        if inputs.ndim == 0 or targets.ndim == 0 or len(inputs) != len(targets):
            count = [f"{len(part):,}" if part.ndim else "one" for part in (inputs, targets)]
            raise InputError(f"{count[0]} examples but {count[1]} labels; each example needs exactly one label")
        if len(targets) == 0:
            raise InputError("the data set holds no examples; give at least one")
        if inputs.dtype.kind not in "biuf":
            raise InputError(self._no_numbers())
        if inputs.dtype.kind == "f" and not np.isfinite((inputs.min(), inputs.max())).all():
            raise InputError(self._not_finite())
        if inputs.dtype == np.float64 and max(-inputs.min(), inputs.max()) > np.finfo(np.float32).max:
            raise InputError(
                f"the inputs hold numbers as large as {np.abs(inputs).max():.3g}, too large for float32; scale them"
            )
        if self.weights is not None and (
            self.weights.shape != (len(targets),)
            or not (np.isfinite(self.weights).all() and self.weights.min() >= 0 and self.weights.max() > 0)
        ):
            raise InputError(
                f"weights must be {len(targets):,} non-negative numbers, not all 0, received {self.weights}"
            )
        if self.kind not in KINDS:
            raise InputError(f"kind must be one of {', '.join(KINDS)}, received {self.kind!r}")
        getattr(self, f"_check_{self.kind}")()

    def _not_finite(self) -> str:
        """Return a sentence that says where the inputs hold NaN or infinity."""
        rows = self.inputs.reshape(len(self.inputs), -1)
        row = next(place for place, values in enumerate(rows) if not np.isfinite(values).all())
        column = int((~np.isfinite(rows[row])).argmax())
        name = f", column {self.column_names[column]!r}" if self.column_names else f", number {column:,} of it"
        value = "NaN" if np.isnan(rows[row, column]) else "infinity"
        return (
            f"the inputs hold NaN or infinity: {value} in example {row:,}{name}; leave such examples out, or replace "
            "the gaps "
            "by a number, such as the mean"
        )

    def _no_numbers(self) -> str:
        """Return a sentence that says which inputs are not numbers."""
        if self.inputs.dtype.kind in "OUS" and self.inputs.ndim == 2:
            for column, value in enumerate(self.inputs[0]):
                if isinstance(value, str | bytes):
                    name = self.column_names[column] if self.column_names else f"number {column}"
                    return (
                        f"the inputs hold strings, such as {value!r:.40} in column {name}; "
                        "plainnet.data.columns.Columns turns them into numbers, and plainnet.sources.load does so for "
                        "files"
                    )
        return f"the inputs must be numbers, received {self.inputs.dtype}; convert them with .astype(np.float32)"

    def _check_classes(self) -> None:
        labels = self.targets
        if not self.class_names:
            raise InputError("targets that are classes need class_names, one per class")
        if not np.issubdtype(labels.dtype, np.integer) or labels.ndim != 1:
            raise InputError(
                f"labels must be whole numbers in one dimension, received {labels.dtype} of shape {labels.shape}"
            )
        if labels.min() < 0 or labels.max() >= len(self.class_names):
            worst = labels.max() if labels.max() >= len(self.class_names) else labels.min()
            raise InputError(f"label {worst} is out of range: labels go from 0 to {len(self.class_names) - 1}")

    def _check_probabilities(self) -> None:
        self._check_labels()
        if not np.allclose(self.targets.sum(axis=1), 1, atol=1e-4):
            raise InputError("the probabilities of an example must add up to 1; divide each row by its sum")

    def _check_labels(self) -> None:
        targets = self.targets
        if targets.ndim != 2 or targets.shape[1] != len(self.class_names) or targets.dtype.kind not in "biuf":
            raise InputError(
                f"{self.kind} must be numbers (N, {len(self.class_names)}), one per name, received {targets.dtype} "
                f"of shape {targets.shape}"
            )
        if not (targets.min() >= 0 and targets.max() <= 1):
            raise InputError(f"{self.kind} must be from 0 to 1, received {targets.min():g} to {targets.max():g}")

    def _check_numbers(self) -> None:
        targets = self.targets
        if targets.dtype.kind not in "biuf" or targets.ndim > 2 or not np.isfinite(targets).all():
            raise InputError(
                f"targets without class names must be finite numbers (N,) or (N, M), received {targets.dtype} of shape "
                f"{targets.shape}; for classes, give class_names"
            )

    @property
    def images(self) -> np.ndarray:
        """The inputs, if they are images."""
        return self.inputs

    @property
    def labels(self) -> np.ndarray:
        """The targets, if they are classes."""
        return self.targets

    def __len__(self) -> int:
        return len(self.targets)

    def __getitem__(self, rows: slice | np.ndarray) -> DataSet:
        if isinstance(rows, int | np.integer):
            raise InputError(f"a data set takes a slice or an array of rows; for one image write .images[{rows}]")
        if not isinstance(rows, slice):
            rows = self._checked(np.asarray(rows))
        part = object.__new__(DataSet)  # without checking the rows again
        vars(part).update(vars(self) | {"inputs": some_rows(self.inputs, rows), "targets": self.targets[rows]})
        part.weights = None if self.weights is None else self.weights[rows]
        if len(part) == 0:
            raise InputError("the data set holds no examples; give at least one")
        return part

    def _checked(self, rows: np.ndarray) -> np.ndarray:
        """Return the row numbers if all of them exist.

        Raises: `InputError` if one does not.
        """
        if rows.dtype.kind in "iu" and rows.ndim == 1:
            inside = rows.size == 0 or (rows.min() >= -len(self) and rows.max() < len(self))
        else:
            inside = rows.dtype == bool and rows.shape == (len(self),)
        if not inside:
            raise InputError(f"rows must be whole numbers below {len(self):,}, or a bool for each row, received {rows}")
        return rows

    def joined(self, other: DataSet) -> DataSet:
        """Return one data set with the examples of both.

        Raises: `InputError` if their inputs or targets are of different kinds.
        """
        if not isinstance(other, DataSet):
            raise InputError(f"the data set to join must be a DataSet, received {type(other).__name__}")
        self.expect_same_kind(other, "the data set to join")
        if (self.inputs.dtype == np.uint8) != (other.inputs.dtype == np.uint8):
            raise InputError("one of the data sets to join holds bytes, the other numbers; convert one of them")
        inputs, targets = (np.concatenate(p) for p in ((self.inputs, other.inputs), (self.targets, other.targets)))
        weights = None
        if self.weights is not None or other.weights is not None:
            weights = np.concatenate([np.ones(len(p)) if p.weights is None else p.weights for p in (self, other)])
        return DataSet(
            inputs, targets, self.class_names, weights=weights, kind=self.kind, column_names=self.column_names
        )

    def expect_same_kind(self, other: DataSet, what: str) -> None:
        """Raise `InputError` if `other` has examples of another size, other classes, or another kind of targets."""
        for name, mine, theirs in (
            ("examples of shape", self.inputs.shape[1:], other.inputs.shape[1:]),
            ("classes", ", ".join(self.class_names), ", ".join(other.class_names)),
            ("targets that are", self.kind, other.kind),
            ("targets of shape", self.targets.shape[1:], other.targets.shape[1:]),
        ):
            if mine != theirs:
                raise InputError(f"expected {what} to have {name} {mine}, received {theirs}; give data of one kind")

    def sample(self, count: int) -> DataSet:
        """Return `count` random examples, the same ones each time; each class keeps its share.

        Raises: `InputError` if the data set has fewer examples.
        """
        if whole_number(count, "count", most=10**12) > len(self):
            raise InputError(f"a sample must have 1 to {len(self):,} examples, received {count:,}")
        rng = np.random.default_rng(0)
        if self.kind == "classes":
            return self[stratified_split(self.targets, count, rng)[1]]
        return self[np.sort(rng.choice(len(self), count, replace=False))]

    def __repr__(self) -> str:
        sizes = self.inputs.shape[1:]
        what = f"rows of {sizes[0]:,} numbers" if len(sizes) == 1 else f"images of {'x'.join(map(str, sizes))}"
        return f"DataSet({len(self):,} {what})"


Arrays = tuple[Any, Any]  # inputs and targets, as `DataSet` takes them


def as_data_sets(train: DataSet | Arrays, validation: DataSet | Arrays | None) -> tuple[Any, Any]:
    """Return two data sets, made from pairs (inputs, targets) if necessary; labels mean the same in both.

    Anything else is returned unchanged, and rejected later.
    """
    if isinstance(train, tuple) and len(train) == 2:
        train = DataSet(*train)
    if isinstance(validation, tuple) and len(validation) == 2 and isinstance(train, DataSet):
        validation = DataSet(*validation, like=train)
    return train, validation
