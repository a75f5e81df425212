"""The mistakes of a model: which images it takes for something else, sorted as one asks."""

from __future__ import annotations

from typing import Any

import numpy as np

from plainnet.data.dataset import DataSet
from plainnet.lab.watching import text_of
from plainnet.metrics import confusion_matrix
from plainnet.model import Model

SORTED_BY = ("surest", "least sure", "class", "label errors")
_MOST = 120


class Mistakes:
    """What a model makes of labeled images; computed once."""

    def __init__(self, model: Model, data: DataSet) -> None:
        self.data = data
        self.shares = model.shares(data.inputs.reshape(-1, *model.network.in_shape))
        self.answers = self.shares.argmax(axis=1)

    def matrix(self) -> dict[str, Any]:
        """Return the confusion matrix, and how many were recognized."""
        counts = confusion_matrix(self.answers, self.data.labels, len(self.data.class_names))
        right = int((self.answers == self.data.labels).sum())
        return {
            "confusion": counts.tolist(), "classes": list(self.data.class_names), "right": right, "of": len(self.data),
        }  # fmt: skip

    def images(self, by: str, label: int | None = None, answer: int | None = None) -> list[dict[str, Any]]:
        """Return mistakes in an order of `SORTED_BY`, those of one cell of the matrix if label and answer are given.

        "label errors" puts those first whose label is least likely beside the answer: the label may be wrong.
        """
        labels = np.asarray(self.data.labels)
        wrong = self.answers != labels
        if label is not None and answer is not None:
            wrong &= (labels == label) & (self.answers == answer)
        rows = np.flatnonzero(wrong)
        sure, given = self.shares[rows, self.answers[rows]], self.shares[rows, labels[rows]]
        keys = {"surest": -sure, "least sure": sure, "class": labels[rows], "label errors": given - sure}
        order = rows[np.argsort(keys[by], kind="stable")][:_MOST]
        return [
            {
                "row": int(row), "label": self.data.class_names[labels[row]],
                "answer": self.data.class_names[self.answers[row]], "share": float(self.shares[row].max()),
                "pixels": text_of(self.data.inputs[row].reshape(-1)),
            }
            for row in order
        ]  # fmt: skip
