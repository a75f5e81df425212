"""Splits of a data set: one array with the rows that train and the rows that validate, and a test set."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any

import numpy as np

from plainnet.data.dataset import DataSet


class Splits:
    """The three parts of a data set: training (to learn), validation (to choose settings), test (to measure once).

    `examples` holds the training and validation examples; `training` and `validating` are the row numbers of each.
    Nothing is copied before a part is used. Iterating gives `train`, `validation` and `test`.

    `preparation` says how users' data become inputs (see `Model`), `made` says how the parts were made, and `notes` are
    sentences about what a user should know about the data.
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
        """Return the splits made of three data sets.

        Raises: `InputError` if training and validation data are of different kinds.
        """
        rows = np.arange(len(train) + len(validation))
        return cls(train.joined(validation), rows[: len(train)], rows[len(train) :], test)

    @cached_property
    def train(self) -> DataSet:
        """The training examples."""
        return self.examples[self.training]

    @cached_property
    def validation(self) -> DataSet:
        """The validation examples, held out to choose settings."""
        return self.examples[self.validating]

    @property
    def train_and_validation(self) -> DataSet:
        """The training and then the validation examples, for a recipe with fixed settings."""
        return self.examples[np.concatenate([self.training, self.validating])]

    def __repr__(self) -> str:
        return (
            f"Splits({len(self.training):,} to train, {len(self.validating):,} to validate, {len(self.test):,} to test)"
        )

    def __iter__(self) -> Iterator[DataSet]:
        return iter((self.train, self.validation, self.test))
