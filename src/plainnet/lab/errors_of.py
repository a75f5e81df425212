"""The mistakes of a model: the misclassified images, sorted in several ways."""

from __future__ import annotations

from typing import Any

import numpy as np

from plainnet.data.dataset import DataSet
from plainnet.lab.watching import text_of
from plainnet.metrics import confusion_matrix
from plainnet.model import Model

SORTED_BY = ("surest", "least sure", "class", "label errors", "disagreement")
_MOST = 120


class Mistakes:
    """A model's answers to labeled images, computed once."""

    def __init__(self, model: Model, data: DataSet) -> None:
        self.data = data
        self.shares = model.shares(data.inputs.reshape(-1, *model.network.in_shape))
        self.answers = self.shares.argmax(axis=1)

    def matrix(self) -> dict[str, Any]:
        """Return the confusion matrix, and how many images are classified correctly."""
        counts = confusion_matrix(self.answers, self.data.labels, len(self.data.class_names))
        right = int((self.answers == self.data.labels).sum())
        return {
            "confusion": counts.tolist(), "classes": list(self.data.class_names), "right": right, "of": len(self.data),
        }  # fmt: skip

    def images(
        self, by: str, label: int | None = None, answer: int | None = None, other: Mistakes | None = None
    ) -> dict[str, Any]:
        """Return mistakes in an order of `SORTED_BY`; with label and answer, those of one cell of the matrix.

        "label errors" begins with the images whose label is least likely compared with the answer: the label may be
        wrong. "disagreement" returns all images that another model answers differently, even if this model is right,
        beginning with those that both models are surest of.
        """
        labels, names = np.asarray(self.data.labels), self.data.class_names
        differ = None if other is None else self.answers != other.answers
        shown = self.answers != labels if by != "disagreement" or differ is None else differ
        if label is not None and answer is not None:
            shown = shown & (labels == label) & (self.answers == answer)
        rows = np.flatnonzero(shown)
        sure, given = self.shares[rows, self.answers[rows]], self.shares[rows, labels[rows]]
        both = sure if other is None else sure * other.shares[rows].max(axis=1)
        keys = {
            "surest": -sure,
            "least sure": sure,
            "class": labels[rows],
            "label errors": given - sure,
            "disagreement": -both,
        }
        order = rows[np.argsort(keys[by], kind="stable")][:_MOST]
        found = [
            {
                "row": int(row), "label": names[labels[row]], "answer": names[self.answers[row]],
                "share": float(self.shares[row].max()), "pixels": text_of(self.data.inputs[row].reshape(-1)),
            }
            for row in order
        ]  # fmt: skip
        if other is not None:
            for one, row in zip(found, order, strict=True):
                one |= {"other": names[other.answers[row]], "other_share": float(other.shares[row].max())}
        return {"images": found, "count": len(rows)}
