"""The history of a training in the forms in which other programs would have written it."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from spoiling.change import Rows

_KERAS = {
    "train_loss": "loss", "train_accuracy": "accuracy", "validation_loss": "val_loss", "validation_accuracy": "val_accuracy",
    "learning_rate": "learning_rate",
}  # fmt: skip


def _renamed(rows: Rows) -> Rows:
    return [
        {"epoch": number, **{theirs: row[ours] for ours, theirs in _KERAS.items() if ours in row}}
        for number, row in enumerate(rows)
    ]


def _delimited(separator: str) -> Callable[[Rows], str]:
    def write(rows: Rows) -> str:
        renamed = _renamed(rows)
        lines = [list(renamed[0]), *(list(row.values()) for row in renamed)]
        return "".join(separator.join(map(str, line)) + "\n" for line in lines)

    return write


def _lightning(rows: Rows) -> str:
    lines = ["epoch,step,train_acc,train_loss,val_acc,val_loss"]
    for number, row in enumerate(rows):
        lines.append(f"{number},{100 * number + 99},,,{row['validation_accuracy']},{row['validation_loss']}")
        lines.append(f"{number},{100 * number + 99},{row['train_accuracy']},{row['train_loss']},,")
    return "\n".join(lines) + "\n"


def _hugging_face(rows: Rows) -> str:
    history: list[dict[str, Any]] = []
    for number, row in enumerate(rows, start=1):
        shared = {"epoch": float(number), "step": 100 * number}
        history.append({"loss": row["train_loss"], "accuracy": row["train_accuracy"], **shared})
        history.append({"eval_loss": row["validation_loss"], "eval_accuracy": row["validation_accuracy"], **shared})
    return json.dumps({"log_history": history})


def _printed(rows: Rows) -> str:
    return "".join(
        f"Epoch [{number}/{len(rows)}] train loss: {row['train_loss']:.6f} | train acc: {100 * row['train_accuracy']:.4f}% | "
        f"val loss: {row['validation_loss']:.6f} | val acc: {100 * row['validation_accuracy']:.4f}%\n"
        for number, row in enumerate(rows, start=1)
    )


def _columns(rows: Rows) -> str:
    renamed = _renamed(rows)
    return json.dumps({name: [row[name] for row in renamed] for name in renamed[0]})


def _split(rows: Rows) -> str:
    renamed = _renamed(rows)
    return json.dumps({"columns": list(renamed[0]), "data": [list(row.values()) for row in renamed]})


FORMS: dict[str, Callable[[Rows], str]] = {  # by the name of the file
    "training.log": _delimited(","),
    "history.csv": _delimited("\t"),
    "log.txt": _delimited(";"),
    "metrics.csv": _lightning,
    "trainer_state.json": _hugging_face,
    "train.log": _printed,
    "history.json": _columns,
    "split.json": _split,
    "log.jsonl": lambda rows: "".join(json.dumps(row) + "\n" for row in _renamed(rows)),
}
