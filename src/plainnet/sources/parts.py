"""Makes the training, validation and test parts: as the data give them, otherwise split off in a fixed way."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from plainnet.data.columns import Columns, gaps_of
from plainnet.data.dataset import DataSet
from plainnet.data.mnist import SPLIT_SEED
from plainnet.data.splits import Splits
from plainnet.data.stratified import stratified_split
from plainnet.data.targets import Meaning, meaning, plain
from plainnet.errors import InputError
from plainnet.foreign.showing import counted, shown
from plainnet.sources.found import ALL, TEST, TRAIN, VALIDATION, Found, Part, Wanted
from plainnet.sources.inputs_as_numbers import pixels_or_numbers

SHARE = 0.15  # of the examples, for each part that the data do not have
_LEAST = 6  # the fewest examples
_FEW = 20  # the largest number of distinct integers that count as classes
_MOST_COLUMNS = 5000


def splits(found: Found, wanted: Wanted, fold: tuple[int, int] | None = None, columns: Columns | None = None) -> Splits:
    """Return the parts of the found data in the form that networks take; missing parts are split off with a fixed seed.

    Everything that is learned from data, such as the words in a column, is learned from the training part. With `fold`
    (i, k), the examples for training and validation are cut into k equal parts, and the i-th is used for validation.
    `columns`, from a model, replace what would be learned.

    Raises: `InputError` if there are too few examples, or if a share, a group or a label is invalid.
    """
    if _share(wanted.test, "test", 0.0) + _share(wanted.validation, "validation", 0.0) >= 1:
        raise InputError(
            f"validation {wanted.validation} and test {wanted.test} leave nothing to train on; give shares that add up "
            "to less than 1"
        )
    notes = list(found.notes)
    parts = {name: _with_labels(name, part, notes) for name, part in found.parts.items()}
    learn = parts.get(TRAIN) or parts.get(ALL)
    if learn is None:
        raise InputError(f"{found.what} holds only a {next(iter(parts), 'test')} part; add a training part")
    _expect_one_shape(found, parts)
    meant = _meaning(found, wanted, parts)
    targets = {name: meant.targets(part.given, f"the labels{_of(name)}") for name, part in parts.items()}
    of_learn = targets[TRAIN if TRAIN in parts else ALL]
    if len(learn) < _LEAST:
        raise InputError(
            f"{found.what} holds {counted(len(learn), 'example')}; at least {_LEAST} are needed to train and test"
        )
    made: dict[str, Any] = {"seed": SPLIT_SEED}
    rows = np.arange(len(learn))
    testing = np.array([], int)
    if TEST not in parts:
        count = _count(len(learn), _share(wanted.test, "test", SHARE))
        rows, testing = _split_off(rows, of_learn, learn, meant, count)
        made[TEST] = {"share": len(testing) / len(learn), "examples": len(testing)}
    else:
        made[TEST] = "given"
    validating = np.array([], int)
    if fold is not None:
        rows, validating = _fold(rows, of_learn, learn, meant, *fold)
        made[VALIDATION] = {"fold": list(fold), "examples": len(validating)}
    elif VALIDATION not in parts:
        if TEST in parts and wanted.validation is None:
            count = max(1, len(learn) // 6)  # as for MNIST
        else:
            count = _count(len(learn), _share(wanted.validation, "validation", SHARE))
        rows, validating = _split_off(rows, of_learn, learn, meant, count)
        made[VALIDATION] = {"share": len(validating) / len(learn), "examples": len(validating)}
    else:
        made[VALIDATION] = "given"
    if found.label:
        made["label"] = found.label
    if wanted.group is not None:
        made["group"] = wanted.group
    _remark(meant, of_learn[rows], targets, notes)
    if isinstance(learn.inputs, Mapping) and len(learn.inputs) > _MOST_COLUMNS:
        raise InputError(
            f"{found.what} has {len(learn.inputs):,} columns to learn from, but a model can store the names of at most "
            f"{_MOST_COLUMNS:,}; save the numbers as .npz, which has no column names"
        )
    if columns is None and isinstance(learn.inputs, Mapping):
        columns = Columns.learned(learn[rows].table, wanted.missing)
    whole = {name: _data_set(name, part, targets[name], meant, columns, notes) for name, part in parts.items()}
    examples = whole[TRAIN if TRAIN in parts else ALL]
    test = whole[TEST] if TEST in parts else examples[testing]
    preparation = {} if columns is None else columns.to_table()
    for name, word in sorted(columns.unknown)[:3] if columns is not None else ():
        notes.append(
            f"the word {shown(word, 40)!r} in column {shown(name, 40)!r} is not in the training part; it is ignored"
        )
    about: dict[str, Any] = {"preparation": preparation, "made": made, "notes": notes}
    if VALIDATION in parts and fold is None:
        joined = Splits.of(examples[rows], whole[VALIDATION], test)
        return Splits(joined.examples, joined.training, joined.validating, test, **about)
    return Splits(examples, rows, validating, test, **about)


def _expect_one_shape(found: Found, parts: Mapping[str, Part]) -> None:
    """Raise `InputError` if the parts have inputs of different shapes, or with too many dimensions."""
    ordered = [name for name in (ALL, TRAIN, VALIDATION, TEST) if name in parts]
    arrays = {name: parts[name].inputs for name in ordered}
    shapes = {name: array.shape[1:] for name, array in arrays.items() if isinstance(array, np.ndarray)}
    if deep := next((shape for shape in shapes.values() if len(shape) > 3), None):
        raise InputError(
            f"{found.what} hold examples of {'x'.join(map(str, deep))}; give rows of numbers, or images of height x "
            "width x channels"
        )
    if len(set(shapes.values())) > 1:
        told = " and ".join(f"{'x'.join(map(str, shape))} ({name})" for name, shape in shapes.items())
        raise InputError(f"{found.what} hold examples of {told}; give examples of one size")


def everything(found: Found, wanted: Wanted, columns: Columns | None) -> DataSet:
    """Return the test part of the found data, or all data if there is none, for a model with these `columns`.

    Raises: `InputError` if the data do not fit.
    """
    notes: list[str] = []
    name = next(part for part in (TEST, ALL, TRAIN) if part in found.parts)
    part = _with_labels(name, found.parts[name], notes)
    meant = _meaning(found, wanted, {name: part})
    targets = meant.targets(np.asarray(part.labels), "the labels")
    if isinstance(part.inputs, Mapping) and columns is None:
        columns = Columns.learned(part.table, wanted.missing)
    return _data_set(name, part, targets, meant, columns, notes, door=True)


def _share(given: float | None, name: str, default: float) -> float:
    if given is None:
        return default
    if isinstance(given, bool) or not isinstance(given, int | float) or not 0 < given < 1:
        raise InputError(f"{name} must be a share between 0 and 1, such as 0.15, received {given!r:.60}")
    return float(given)


def _count(examples: int, share: float) -> int:
    return max(1, round(examples * share))


def _with_labels(name: str, part: Part, notes: list[str]) -> Part:
    """Return the examples that have a label, and add a note on how many have none."""
    assert part.labels is not None
    if len(part.labels) == 0:
        raise InputError(f"the {name} part holds no examples; give at least {_LEAST}")
    if part.labels.ndim > 1:
        return part
    if part.labels.dtype.kind == "f":
        part = Part(part.inputs, _whole_if_few(part.labels), part.groups)
    gaps = gaps_of(part.given)
    if not gaps.any():
        return part
    if gaps.all():
        raise InputError(f"no example{_of(name)} has a label; if another column holds the labels, name it with --label")
    number, first = int(gaps.sum()), int(gaps.argmax()) + 1
    notes.append(
        f"left out: {counted(number, 'example')}{_of(name)} without a label (empty, NA or the like), the first in row "
        f"{first:,}"
    )
    return part[np.flatnonzero(~gaps)]


def _whole_if_few(labels: np.ndarray) -> np.ndarray:
    """Return numbers such as 0.0, 1.0 and 2.0 as whole numbers if there are few different ones, as for classes."""
    there = labels[~np.isnan(labels)]
    values = np.unique(there)
    if len(values) > _FEW or len(values) * 2 > len(there) or not (values == np.floor(values)).all():
        return labels
    if len(there) == len(labels):
        return labels.astype(np.int64)
    return np.array([None if value != value else int(value) for value in labels], object)


def _of(name: str) -> str:
    return "" if name == ALL else f" of the {name} part"


def _meaning(found: Found, wanted: Wanted, parts: dict[str, Part]) -> Meaning:
    if found.meaning is not None and wanted.task in (None, found.meaning.kind):
        return found.meaning
    labels = [
        plain(part.labels) if part.labels.ndim == 1 else part.labels
        for part in parts.values()
        if part.labels is not None
    ]
    if len({array.ndim for array in labels}) > 1 or len({array.shape[1:] for array in labels}) > 1:
        raise InputError(
            f"the labels of the parts of {found.what} have different shapes; give all parts labels of one kind"
        )
    return meaning(np.concatenate(labels), wanted.task)


def _split_off(
    rows: np.ndarray, targets: np.ndarray, part: Part, meant: Meaning, count: int
) -> tuple[np.ndarray, np.ndarray]:
    """Split off `count` rows at random, with classes in proportion and groups together; return the rest and these."""
    rng = np.random.default_rng(SPLIT_SEED)
    count = min(count, len(rows) - 1)
    if part.groups is not None:
        return _by_group(rows, part.groups[rows], count, rng)
    if meant.kind == "classes":
        kept, held_out = stratified_split(targets[rows], count, rng)
    else:
        held_out = np.sort(rng.choice(len(rows), count, replace=False))
        kept = np.setdiff1d(np.arange(len(rows)), held_out)
    return rows[kept], rows[held_out]


def _by_group(
    rows: np.ndarray, groups: np.ndarray, count: int, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    names, places, sizes = np.unique(groups, return_inverse=True, return_counts=True)
    if len(names) < 3:
        raise InputError(
            f"the --group column has {counted(len(names), 'value')}; at least 3 are needed, one for each part"
        )
    chosen, filled = [], 0
    for group in rng.permutation(len(names))[: len(names) - 2 if filled == 0 else None]:
        if filled >= count:
            break
        chosen.append(group)
        filled += int(sizes[group])
    out = np.isin(places, chosen)
    return rows[~out], rows[out]


def _fold(
    rows: np.ndarray, targets: np.ndarray, part: Part, meant: Meaning, number: int, of: int
) -> tuple[np.ndarray, np.ndarray]:
    """Cut the rows into `of` equal parts, with classes in proportion; return all others and the `number`-th part."""
    if not 2 <= of <= len(rows):
        raise InputError(f"folds must be from 2 to {len(rows):,}, the number of examples, received {of}")
    rng = np.random.default_rng(SPLIT_SEED)
    order = rng.permutation(len(rows))
    if part.groups is not None:
        names, places = np.unique(part.groups[rows], return_inverse=True)
        if len(names) < of:
            raise InputError(f"there are {len(names)} groups to keep together, too few for {of} folds; make fewer")
        inside = rng.permutation(len(names))[places] % of == number
    else:
        if meant.kind == "classes":
            order = order[np.argsort(targets[rows][order], kind="stable")]
        inside = np.zeros(len(rows), bool)
        inside[order[number::of]] = True
    return rows[~inside], rows[inside]


def _remark(meant: Meaning, train: np.ndarray, targets: dict[str, np.ndarray], notes: list[str]) -> None:
    """Add notes on classes with no or only one training example; raise `InputError` if all labels are the same."""
    if meant.kind == "numbers" and (train == train[:1]).all():
        raise InputError(f"the numbers to learn are all {train.ravel()[0]:g}; give data with different ones")
    if meant.kind != "classes":
        return
    counts = np.bincount(train, minlength=len(meant.names))
    present = np.bincount(np.concatenate(list(targets.values())), minlength=len(meant.names))
    if (counts > 0).sum() < 2:
        only = meant.names[int(counts.argmax())]
        gaps = "".join(f" ({note})" for note in notes if "without a label" in note)
        raise InputError(f"the labels to learn from are all {shown(only, 40)!r}{gaps}; give at least two classes")
    for number, sentence in ((0, "no training example"), (1, "a single training example")):
        names = [meant.names[k] for k in np.flatnonzero((counts == number) & (present > 0))]
        if names:
            listed = ", ".join(shown(name, 30) for name in names[:8]) + (", ..." if len(names) > 8 else "")
            notes.append(f"{counted(len(names), 'class')} with {sentence}: {listed}")
    absent = [meant.names[k] for k in np.flatnonzero(present == 0)]
    if absent:
        listed = ", ".join(shown(name, 30) for name in absent[:8]) + (", ..." if len(absent) > 8 else "")
        notes.append(f"{counted(len(absent), 'class')} without any example: {listed}")


def _data_set(
    name: str,
    part: Part,
    targets: np.ndarray,
    meant: Meaning,
    columns: Columns | None,
    notes: list[str],
    *,
    door: bool = False,
) -> DataSet:
    names: tuple[str, ...] = ()
    if isinstance(part.inputs, Mapping):
        assert columns is not None
        inputs, names = (
            columns.encoded(part.inputs, f"the {name} part" if name != ALL else "the table", door=door),
            columns.inputs,
        )
    else:
        inputs = pixels_or_numbers(part.inputs, _of(name), notes)
    if meant.names:
        return DataSet(inputs, targets, meant.names, kind=meant.kind, column_names=names)
    return DataSet(inputs, targets, kind=meant.kind, column_names=names)
