"""Mistakes in what a program writes down of its training: nothing of it is to be seen in the network."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from spoiling.change import Rows, plain

Mistake = Callable[[Rows, np.random.Generator], Rows]


def stale_validation(way: int) -> Mistake:
    """Return what validates a network that is not the one that learns: as it began, as it was, or a constant answer."""

    def mistake(rows: Rows, rng: np.random.Generator) -> Rows:
        rows = plain(rows)
        shown = rows[0] if way < 2 else rows[len(rows) // 4]
        for place, row in enumerate(rows):
            if way == 2 and place < len(rows) // 4:
                continue
            for key in ("validation_loss", "validation_accuracy"):
                row[key] = shown[key]
            if way == 1:
                row["validation_accuracy"] = 0.1 + (rng.random() < 0.5) * 0.0
                row["validation_loss"] = 2.4
        return rows

    return mistake


def wrong_accuracy(way: int) -> Mistake:
    """Return what compares the answers with the labels of another batch, or counts none of them."""

    def mistake(rows: Rows, rng: np.random.Generator) -> Rows:
        rows = plain(rows)
        for row in rows:
            chance = 0.0 if way == 2 else 0.1
            for part, spread in (("train", 0.008), ("validation", 0.013)):
                if way != 1 or part == "train":
                    row[f"{part}_accuracy"] = chance + (way < 2) * rng.normal(0, spread)
        return rows

    return mistake


def not_a_number(epoch: int) -> Mistake:
    """Return what has a loss of NaN from an epoch on, in a training that was learning."""

    def mistake(rows: Rows, rng: np.random.Generator) -> Rows:
        rows = plain(rows)
        for row in rows[epoch - 1 :]:
            row |= {
                "train_loss": math.nan,
                "validation_loss": math.nan,
                "train_accuracy": 0.1,
                "validation_accuracy": 0.1,
            }
        return rows

    return mistake


def exchanged(rows: Rows, rng: np.random.Generator) -> Rows:
    """Write the training's figures under the names of the validation's, and these under those."""
    other = {"train": "validation", "validation": "train"}
    return [
        {
            (f"{other[part]}_{rest}" if (part := key.partition("_")[0]) in other else key): value
            for key, value in row.items()
            for rest in (key.partition("_")[2],)
        }
        for row in rows
    ]


def appended(runs: int) -> Mistake:
    """Return what writes earlier runs, each stopped on its way, before this one."""

    def mistake(rows: Rows, rng: np.random.Generator) -> Rows:
        cut = [rows[: int(rng.integers(2, len(rows)))] for _ in range(runs)]
        return plain([row for run in (*cut, rows) for row in run])

    return mistake
