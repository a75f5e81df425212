"""The anatomy of 94.25 %: the original's iterations with the gradient summed over the batch, and with its mean.

Writes records/anatomy.json, a row as each run ends, and continues where it stopped: python benchmarks/anatomy.py.
Besides the accuracies, each row holds how much of the gradient is clipped and how large a step is against the weights
it changes, both at the first epoch's end: the signature by which a summed gradient is known.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from plainnet import mnist
from plainnet.application.environment import hardware, versions
from plainnet.application.plots import BLUE, GRAY, ORANGE, png
from plainnet.application.run import Run
from plainnet.files import to_json, write_atomically
from plainnet.recipes import read

RECORD = Path(__file__).parent.parent / "records" / "anatomy.json"
PICTURE = RECORD.parent.parent / "docs" / "pictures" / "anatomy.png"
BARS = [(None, GRAY, "claimed"), ("sum", ORANGE, "summed gradient"), ("mean", BLUE, "mean gradient")]
CLAIMS = [  # iteration, hidden units, learning rate, epochs, the accuracy its report claims
    ("128 units, 0.01", 128, 0.01, 20, 88.1),
    ("256 units, 0.01", 256, 0.01, 20, 88.9),
    ("512 units, 0.01", 512, 0.01, 20, 89.2),
    ("1024 units, 0.15", 1024, 0.15, 20, 10.0),
    ("1024 units, 0.01 with decay", 1024, 0.01, 80, 94.25),
]


CONTROLS = {  # what the clip did, and that a summed gradient is a learning rate 128 times as large; 8 epochs each
    "summed, not clipped": {"loss.reduction": "sum", "optimizer.clip": 1e30},
    "mean at 128 times the learning rate": {"schedule.learning_rate": 1.28},
    "mean": {},
}


def control(changes: dict[str, Any], data: Any) -> list[float]:
    """Train 128 units for 8 epochs with some changes and return the validation accuracies."""
    recipe = read("classic", {"layers.1.units": 128, "schedule.at": [], "epochs": 8} | changes)
    with np.errstate(all="ignore"):
        return [round(epoch.validation_accuracy or 0.0, 4) for epoch in Run(recipe, data, seed=0).epochs()]


def measure(units: int, rate: float, epochs: int, reduction: str, data: Any) -> dict[str, Any]:
    """Train one iteration and return its figures."""
    changes = {"layers.1.units": units, "schedule.learning_rate": rate, "epochs": epochs, "loss.reduction": reduction}
    if epochs != 80:
        changes["schedule.at"] = []
    run = Run(read("classic", changes), data, seed=0)
    signature: dict[str, float] = {}
    for epoch in run.epochs():
        if epoch.number == 1:
            signature = look_inside(run, rate)
    metrics = run.metrics()
    figures = {key: metrics[key] for key in ("test_accuracy", "train_accuracy", "validation_accuracy", "seconds")}
    history = [round(epoch.validation_accuracy or 0.0, 4) for epoch in run.history]
    return figures | signature | {"validation_by_epoch": history}


def look_inside(run: Run, rate: float) -> dict[str, float]:
    """Return the share of the first layer's gradients beyond the clip, and the size of a step against the weights."""
    network, loss, data = run.network, run.recipe.loss_function(), run.data.train
    logits = network.forward(network.as_input(data.images[:128]), training=True)
    network.backward(loss(logits, data.labels[:128])[1])
    last = network.parameters[-2]
    clipped = np.clip(network.grad, -5, 5)
    return {
        "clipped_share_of_last_layer": float(np.mean(np.abs(last.grad) > 5)),
        "largest_gradient": float(np.abs(network.grad).max()),
        "step_to_weight_ratio": float(rate * np.linalg.norm(clipped) / np.linalg.norm(network.theta)),
    }


def draw(rows: list[dict[str, Any]]) -> bytes:
    """Draw what was claimed, what the summed gradient gives, and what the mean gives; and how they got there."""
    figure = Figure(figsize=(11.5, 4.6), layout="constrained")
    left, right = figure.subplots(1, 2, width_ratios=[1.35, 1])
    names = [claim[0] for claim in CLAIMS]
    for offset, (reduction, color, label) in enumerate(BARS):
        values = [
            claim[4]
            if reduction is None
            else 100 * next(r["test_accuracy"] for r in rows if key(r) == (name, reduction))
            for name, claim in zip(names, CLAIMS, strict=True)
        ]
        bars = left.bar(np.arange(len(names)) + 0.28 * (offset - 1), values, width=0.26, color=color, label=label)
        left.bar_label(bars, [f"{value:.4g}" for value in values], fontsize=7, padding=1)
    left.set_xticks(range(len(names)), [name.replace(", ", "\n").replace(" with", "\nwith") for name in names])
    left.set(ylim=(0, 118), ylabel="test accuracy (%)", title="each iteration, one run")
    left.legend(frameon=False, ncols=3, loc="upper center", fontsize=9)
    for reduction, color, label in BARS[1:]:
        history = next(row["validation_by_epoch"] for row in rows if key(row) == (names[-1], reduction))
        right.plot(range(1, len(history) + 1), np.multiply(history, 100), color=color, label=label)
    right.set(xlabel="epoch", ylabel="validation accuracy (%)", title="1024 units, decay after epochs 30, 50, 65")
    for axes in (left, right):
        axes.spines[["top", "right"]].set_visible(False)
    return png(figure)


def key(row: dict[str, Any]) -> tuple[str, str]:
    """Return what identifies a row."""
    return row["iteration"], row["reduction"]


def main() -> None:
    """Run what is missing from the record."""
    data = mnist.load()
    record: dict[str, Any] = json.loads(RECORD.read_text()) if RECORD.exists() else {"rows": []}
    record |= {"seeds": 1, "versions": versions(), "hardware": hardware()}
    done = {key(row) for row in record["rows"]}
    for iteration, units, rate, epochs, claimed in CLAIMS:
        for reduction in ("sum", "mean"):
            if (iteration, reduction) not in done:
                row = {"iteration": iteration, "reduction": reduction, "claimed": claimed, "epochs": epochs}
                record["rows"].append(row | measure(units, rate, epochs, reduction, data))
                write_atomically(RECORD, to_json(record))
                print(iteration, reduction, f"{record['rows'][-1]['test_accuracy']:.2%}", flush=True)
    record["controls"] = {name: control(changes, data) for name, changes in CONTROLS.items()}
    write_atomically(RECORD, to_json(record))
    write_atomically(PICTURE, draw(record["rows"]))


if __name__ == "__main__":
    main()
