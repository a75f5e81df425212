"""The anatomy of 94.25 %: the original's iterations, what the clip did, and the picture of docs/anatomy.md.

`python benchmarks/anatomy.py` writes to records/iterations, and goes on where it stopped.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from plainnet import mnist
from plainnet.recipes import read
from plainnet.records.iterations import iterations
from plainnet.runs.environment import hardware, versions
from plainnet.runs.run import Run
from plainnet.writing import to_json, write_atomically

RECORDS = Path(__file__).parent.parent / "records"
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


def main() -> None:
    """Run what is missing from the record."""
    data = mnist.load()
    for row in iterations(data, RECORDS / "iterations"):
        print(row["iteration"], row["form"], row["test_accuracy"], flush=True)
    controls = {name: control(changes, data) for name, changes in CONTROLS.items()}
    record = {"controls": controls, "versions": versions(), "hardware": hardware()}
    write_atomically(RECORDS / "iterations" / "controls.json", to_json(record))
    picture = RECORDS / "iterations" / "iterations_timeline.png"
    picture.replace(RECORDS.parent / "docs" / "pictures" / "iterations_timeline.png")


if __name__ == "__main__":
    main()
