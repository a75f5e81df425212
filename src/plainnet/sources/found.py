"""The result of every reader: the parts of a data set as they are stored, and notes for the user."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from plainnet.data.targets import Meaning
from plainnet.errors import InputError
from plainnet.foreign.showing import shown

TRAIN, VALIDATION, TEST, ALL = "train", "validation", "test", "all"
_PARTS = {  # words in the names of files, folders and arrays; x or y may precede them: xtrain
    TRAIN: re.compile(r"(?<![a-wz])(train|learn)"),
    VALIDATION: re.compile(r"(?<![a-wz])valid|(?<![a-z])(val|dev)(?![a-z])"),
    TEST: re.compile(r"(?<![a-wz])test|(?<![a-z])(t10k|eval)(?![a-z])"),
}


@dataclass(frozen=True)
class Wanted:
    """The options that a user gives about data: see `plainnet.sources.load`."""

    label: str | None = None
    missing: str | None = None
    validation: float | None = None
    test: float | None = None
    group: str | None = None
    transposed: bool = False
    task: str | None = None


@dataclass(frozen=True)
class Part:
    """Examples as they are stored: images (N, H, W) or (N, H, W, C), rows (N, D), or the columns of a table by name."""

    inputs: np.ndarray | Mapping[str, np.ndarray]
    labels: np.ndarray | None
    groups: np.ndarray | None = None

    @property
    def given(self) -> np.ndarray:
        """The labels, which must exist."""
        assert self.labels is not None
        return self.labels

    @property
    def table(self) -> Mapping[str, np.ndarray]:
        """The inputs, which must be the columns of a table."""
        assert isinstance(self.inputs, Mapping)
        return self.inputs

    def __len__(self) -> int:
        if isinstance(self.inputs, Mapping):
            return len(next(iter(self.inputs.values()), ()))
        return len(self.inputs)

    def __getitem__(self, rows: np.ndarray) -> Part:
        if isinstance(self.inputs, Mapping):
            inputs: np.ndarray | Mapping[str, np.ndarray] = {name: v[rows] for name, v in self.inputs.items()}
        else:
            inputs = self.inputs[rows]
        return Part(inputs, *(None if a is None else a[rows] for a in (self.labels, self.groups)))


@dataclass
class Found:
    """The parts by name (`TRAIN`, `VALIDATION`, `TEST`, or `ALL` if nothing says which), and notes, a sentence each.

    `meaning` is the meaning of the labels, if the files give it; `label` is the name of their column.
    """

    what: str
    parts: dict[str, Part]
    notes: list[str] = field(default_factory=list)
    meaning: Meaning | None = None
    label: str = ""


def part_of(name: str) -> str | None:
    """Return which part a file, a folder or an array holds, by its name, or None if the name does not show it."""
    words = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).lower()
    found = [part for part, pattern in _PARTS.items() if pattern.search(words)]
    return found[0] if len(found) == 1 else None


def by_part(names: list[str], what: str) -> dict[str, str]:
    """Return the name of the file for each part; a single file that names no part holds all examples.

    Raises: `InputError` if two names mean the same part, or if none means any.
    """
    found: dict[str, str] = {}
    for name in names:
        part = part_of(name)
        if part is not None:
            if part in found:
                raise InputError(
                    f"{what} holds {shown(found[part], 60)} and {shown(name, 60)}, which both look like the {part} "
                    "part; give the path of one of them"
                )
            found[part] = name
    if TRAIN in found:
        return found
    if len(names) == 1:
        return {ALL: names[0]}
    listed = ", ".join(shown(name, 60) for name in names[:8])
    raise InputError(
        f"{what} holds {len(names)} files of one kind, {listed}, but none is called train; give the path of one of "
        "them, or call them train and test"
    )
