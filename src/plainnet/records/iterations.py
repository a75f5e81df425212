"""The original report's six iterations, each as described and as corrected: claimed and measured accuracy.

The report gives the gradient of the output as p - y, summed over the batch although the loss is a mean, and clips it to
[-5, 5]. The first iteration had wrong gradients and ended in NaN; here its gradient adds y instead of subtracting it.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from plainnet.data.splits import Splits
from plainnet.errors import InputError, TrainingDivergedError
from plainnet.foreign.checking import either, listed, nothing, problem, real
from plainnet.foreign.opening import read_json
from plainnet.losses import SoftmaxCrossEntropy
from plainnet.pictures.style import png
from plainnet.pictures.timeline import timeline
from plainnet.recipes import read
from plainnet.runs.environment import hardware, versions
from plainnet.runs.run import Run
from plainnet.writing import to_json, write_atomically

DESCRIBED, RIGHT = "as described", "done right"
ITERATIONS = [  # name, hidden units, learning rate, epochs, claimed test accuracy
    ("128 units, 0.01, wrong gradients", 128, 0.01, 20, None),
    ("128 units, 0.01", 128, 0.01, 20, 0.881),
    ("256 units, 0.01", 256, 0.01, 20, 0.889),
    ("512 units, 0.01", 512, 0.01, 20, 0.892),
    ("1024 units, 0.15", 1024, 0.15, 20, 0.10),
    ("1024 units, 0.01 with decay", 1024, 0.01, 80, 0.9425),
]

_ROW = {
    "iteration": lambda value: value in [name for name, *_ in ITERATIONS],
    "form": lambda value: value in (DESCRIBED, RIGHT),
    "claimed": either(nothing, real(0, 1)),
    "test_accuracy": either(nothing, real(0, 1)),
    "validation_by_epoch": listed(real(0, 1)),
}


class WrongCrossEntropy:
    """A wrong loss: a softmax that can overflow, and a gradient with the wrong sign of the label, p + y, not p - y."""

    reduction, takes, metrics = "sum", ("classes",), SoftmaxCrossEntropy.metrics

    def __call__(self, logits: np.ndarray, labels: np.ndarray) -> tuple[float, np.ndarray]:
        one_hot = np.eye(logits.shape[1], dtype=logits.dtype)[labels]
        shares = np.exp(logits)
        shares /= shares.sum(axis=1, keepdims=True)
        return -(one_hot * np.log(shares)).sum().item(), shares + one_hot


def iterations(data: Splits, out: Path) -> Iterator[dict[str, Any]]:
    """Run all iterations in both forms and yield a row for each; skip those already in `out`/iterations.json."""
    path = out / "iterations.json"
    record = read_json(path, "record") if path.exists() else {"rows": []}
    if (what := problem(record, {"rows": listed(_ROW)})) is not None:
        raise InputError(f"{path} does not hold iterations: {what}; remove it, or choose another --out")
    rows = record["rows"]
    done = {(row["iteration"], row["form"]): row for row in rows}
    for name, units, rate, epochs, claimed in ITERATIONS:
        for form in (DESCRIBED, RIGHT):
            if (name, form) not in done:
                figures = _measure(data, units, rate, epochs, form, wrong=claimed is None)
                rows.append({"iteration": name, "form": form, "claimed": claimed, "epochs": epochs} | figures)
                write_atomically(path, to_json({"rows": rows, "versions": versions(), "hardware": hardware()}))
            yield done.get((name, form)) or rows[-1]
    write_atomically(out / "iterations_timeline.png", png(timeline(rows, [name for name, *_ in ITERATIONS])))


def _measure(data: Splits, units: int, rate: float, epochs: int, form: str, *, wrong: bool) -> dict[str, Any]:
    """Train one iteration in one form and return its figures."""
    changes: dict[str, Any] = {"layers.1.units": units, "schedule.learning_rate": rate, "epochs": epochs}
    if form == DESCRIBED:
        changes["loss.reduction"] = "sum"
    loss = WrongCrossEntropy() if wrong and form == DESCRIBED else None
    run = Run(read("classic", changes), data, seed=0, loss=loss)
    largest = math.nan
    try:
        with np.errstate(all="ignore"):
            for epoch in run.epochs():
                if epoch.number == 1:
                    largest = _largest_gradient(run)
    except TrainingDivergedError as error:
        return {"test_accuracy": None, "validation_by_epoch": [], "stopped": str(error)}
    metrics = run.metrics()
    return {
        **{key: metrics[key] for key in ("test_accuracy", "train_accuracy", "validation_accuracy", "seconds")},
        "largest_gradient": largest,
        "validation_by_epoch": [epoch.validation_accuracy for epoch in run.history],
    }


def _largest_gradient(run: Run) -> float:
    """Return the largest gradient of one batch, which reveals a summed gradient even though clipping hides it later."""
    network, loss, data = run.network, run.recipe.loss_function(), run.data.train
    logits = network.forward(network.as_input(data.images[:128]), training=True)
    network.backward(loss(logits, data.labels[:128])[1])
    return float(np.abs(network.grad).max())
