"""The parts of a data set: one array to learn from and the rows of it that train and validate; and a test set."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any

import numpy as np

from plainnet.data.dataset import DataSet


class Splits:
    """The three parts of a data set: to learn from, to choose by, and to judge with, once.

    `examples` are those to learn from and to choose by, `training` and `validating` the rows of each; nothing is copied
    before a part is asked for. Iterating gives `train`, `validation` and `test`.

    `preparation` says how inputs are made of what users bring (see `Model`), `made` how the parts were made, and
    `notes` what a user should know about the data, a sentence each.
    """

    def __init__(
        self,
        examples: DataSet,
        training: np.ndarray,
        validating: np.ndarray,
        test: DataSet,
        *,
        preparation: Mapping[str, Any] | None = None,
        made: Mapping[str, Any] | None = None,
        notes: Sequence[str] = (),
    ) -> None:
        self.examples, self.training, self.validating, self.test = examples, training, validating, test
        self.preparation = dict(preparation or {})
        self.made = dict(made or {})
        self.notes = tuple(notes)

    @classmethod
    def of(cls, train: DataSet, validation: DataSet, test: DataSet) -> Splits:
        """Return the splits that three data sets make.

        Raises: `InputError` if those to train and to validate are not of one kind.
        """
        rows = np.arange(len(train) + len(validation))
        return cls(train.joined(validation), rows[: len(train)], rows[len(train) :], test)

    @cached_property
    def train(self) -> DataSet:
        """The examples to learn from."""
        return self.examples[self.training]

    @cached_property
    def validation(self) -> DataSet:
        """The examples to choose by."""
        return self.examples[self.validating]

    @property
    def train_and_validation(self) -> DataSet:
        """The examples of both, in this order: for a recipe that is settled."""
        return self.examples[np.concatenate([self.training, self.validating])]

    def __repr__(self) -> str:
        return (
            f"Splits({len(self.training):,} to train, {len(self.validating):,} to validate, {len(self.test):,} to test)"
        )

    def __iter__(self) -> Iterator[DataSet]:
        return iter((self.train, self.validation, self.test))
