"""An overview of data: counts, classes, ranges, duplicates, constant inputs, and labels that are probably wrong."""

from __future__ import annotations

import hashlib
from collections import Counter
from dataclasses import dataclass
from typing import Any

import numpy as np

from plainnet.data.dataset import DataSet
from plainnet.data.splits import Splits
from plainnet.foreign.showing import counted, shown
from plainnet.sources.suspects import Suspect, suspects

_MOST_CLASSES, _MOST_COLUMNS = 20, 30
_UNEVEN = 10  # ratio between the commonest and the rarest class from which to warn


@dataclass(frozen=True)
class Overview:
    """What to know about data before training."""

    data: Splits
    class_counts: dict[str, list[int]]  # for each class, in the training, validation and test parts
    constant: list[str]  # inputs that are the same in all training examples
    duplicates: dict[str, int]  # for example "within the training part": how many examples are repeated
    suspects: list[Suspect]
    test_suspects: list[Suspect]

    def lines(self) -> list[str]:
        """Return the overview as lines of text."""
        train = self.data.train
        parts = dict(zip(("train", "validate", "test"), self.data, strict=True))
        found = [", ".join(f"{len(part):,} to {name}" for name, part in parts.items())]
        sizes = train.inputs.shape[1:]
        kind = f"images of {'x'.join(map(str, sizes))}" if len(sizes) > 1 else f"rows of {counted(sizes[0], 'number')}"
        stored = "bytes" if train.inputs.dtype == np.uint8 else "numbers"
        found.append(f"inputs: {kind}, {stored} from {train.inputs.min():g} to {train.inputs.max():g}")
        found += [self._targets(train), *self._of_classes()]
        if len(sizes) == 1:
            found += self._of_columns(train)
        if self.constant:
            listed = ", ".join(shown(name, 30) for name in self.constant[:8]) + (
                ", ..." if len(self.constant) > 8 else ""
            )
            found.append(f"{counted(len(self.constant), 'input')} constant in all training examples: {listed}")
        for where, number in self.duplicates.items():
            if number:
                found.append(f"{counted(number, 'duplicate')} {where}")
        if not any(self.duplicates.values()):
            found.append("no duplicates")
        if self.suspects:
            found.append("labels that are probably wrong, judged by a small network that was not trained on them:")
            found += [_told(s, int(self.data.training[s.row]), "of the source") for s in self.suspects[:10]]
        if self.test_suspects:
            found.append("labels of the test part that are probably wrong:")
            found += [_told(s, s.row, "of the test part") for s in self.test_suspects[:10]]
        return found

    def _targets(self, train: DataSet) -> str:
        targets = train.targets
        if train.kind == "classes":
            return f"targets: {counted(len(train.class_names), 'class')}"
        if train.kind == "labels":
            return f"targets: {counted(len(train.class_names), 'label')}, {targets.sum(axis=1).mean():.1f} per example"
        return f"targets: numbers from {targets.min():g} to {targets.max():g}, mean {targets.mean():.4g}"

    def _of_classes(self) -> list[str]:
        if not self.class_counts:
            return []
        lines = [f"  {'':<24}{'train':>8}{'validate':>10}{'test':>8}"]
        for name, counts in list(self.class_counts.items())[:_MOST_CLASSES]:
            lines.append(f"  {shown(name, 22):<24}{counts[0]:>8,}{counts[1]:>10,}{counts[2]:>8,}")
        if len(self.class_counts) > _MOST_CLASSES:
            lines.append(f"  ... {len(self.class_counts)} classes in all")
        numbers = [counts[0] for counts in self.class_counts.values() if counts[0]]
        if max(numbers) >= _UNEVEN * min(numbers):
            lines.append(
                f"the most common class has {max(numbers) / min(numbers):.0f} times as many examples as the rarest: "
                "accuracy alone will look too good; check each class"
            )
        return lines

    def _of_columns(self, train: DataSet) -> list[str]:
        names = train.column_names or tuple(f"number {k}" for k in range(train.inputs.shape[1]))
        lines = [f"  {'column':<24}{'least':>12}{'mean':>12}{'largest':>12}"]
        for place, name in enumerate(names[:_MOST_COLUMNS]):
            values = train.inputs[:, place].astype(float)
            lines.append(f"  {shown(name, 22):<24}{values.min():>12.4g}{values.mean():>12.4g}{values.max():>12.4g}")
        return lines + ([f"  ... {len(names):,} columns in all"] if len(names) > _MOST_COLUMNS else [])

    def to_table(self) -> dict[str, Any]:
        """Return the overview as plain values."""
        return {
            "examples": {
                name: len(part) for name, part in zip(("train", "validation", "test"), self.data, strict=True)
            },
            "shape": list(self.data.train.inputs.shape[1:]),
            "task": self.data.train.kind,
            "class_counts": self.class_counts,
            "constant_inputs": self.constant,
            "duplicates": self.duplicates,
            "suspects": [vars(suspect) for suspect in self.suspects],
            "test_suspects": [vars(suspect) for suspect in self.test_suspects],
            "notes": list(self.data.notes),
        }


def overview(data: Splits, *, quick: bool = False) -> Overview:
    """Return an overview of data; `quick` skips the search for wrong labels, which trains networks."""
    train, validation, test = data
    counts: dict[str, list[int]] = {}
    if train.kind == "classes":
        of_parts = [np.bincount(part.targets, minlength=len(train.class_names)).tolist() for part in data]
        counts = {name: [part[k] for part in of_parts] for k, name in enumerate(train.class_names)}
    flat = train.inputs.reshape(len(train), -1)
    same = np.flatnonzero(flat.min(axis=0) == flat.max(axis=0))
    names = train.column_names or tuple(f"number {k}" for k in range(flat.shape[1]))
    found, of_test = ([], []) if quick else (suspects(train), suspects(test, 30, train))
    return Overview(data, counts, [names[k] for k in same], _duplicates(train, validation, test), found, of_test)


def _told(suspect: Suspect, row: int, where: str) -> str:
    label, other = shown(suspect.label, 30), shown(suspect.looks_like, 30)
    return (
        f"  example {row + 1:,} {where}: labeled {label} ({suspect.of_label:.1%}), looks like {other} "
        f"({suspect.of_other:.1%})"
    )


def _duplicates(train: DataSet, validation: DataSet, test: DataSet) -> dict[str, int]:
    hashes = {
        name: Counter(_hashes(part)) for name, part in (("training", train), ("validation", validation), ("test", test))
    }
    found = {f"within the {name} part": sum(n - 1 for n in counts.values()) for name, counts in hashes.items()}
    for name in ("validation", "test"):
        found[f"of training examples in the {name} part"] = sum(
            n for digest, n in hashes[name].items() if digest in hashes["training"]
        )
    return found


def _hashes(part: DataSet) -> list[bytes]:
    return [hashlib.blake2b(np.ascontiguousarray(row).data, digest_size=8).digest() for row in part.inputs]
