"""Calibrate a recipe that trains on all images, by three runs of it that validate: records/RECIPE/calibration.json.

A model that has learned from the validation images cannot be calibrated by them. Its siblings can: the same recipe,
other seeds, trained without them. The mean of their temperatures (of the logarithms) and of their thresholds is taken,
those of what is promised among them.

    python benchmarks/calibrate.py cnn --model src/plainnet/models/cnn.safetensors
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from plainnet import load_model, mnist, save_model
from plainnet.calibration import Calibration
from plainnet.writing import to_json, write_atomically

ROOT = Path(__file__).parents[1]
SEEDS = (100, 101, 102)


def sibling(recipe: str, seed: int, folder: Path) -> tuple[dict[str, Any], Calibration]:
    """Return the calibration of a run that validates; the run is made, or finished, if it is not there."""
    out = folder / f"{recipe}-{seed}"
    if not (out / "metrics.json").exists():
        command = [sys.executable, "-m", "plainnet", "train"]
        new = [recipe, "--seed", str(seed), "--out", str(out)]
        subprocess.run(
            [*command, *(["--resume", str(out)] if out.exists() else new), "--no-pictures", "--quiet"], check=True
        )
    metrics = json.loads((out / "metrics.json").read_text())
    model, held_out = load_model(out / "model_final.safetensors"), mnist.load().validation
    shares = model.shares(held_out.inputs, model.test_shifts)
    own = Calibration.found(model.temperature, np.array([metrics["threshold"]]), shares, held_out.targets)
    found = {"seed": seed, "validation_accuracy": metrics["validation_accuracy"], **own.to_table()}
    print(found, flush=True)
    return found, own


def main() -> None:
    """Train the siblings, write the record and, if one is named, the model."""
    parser = argparse.ArgumentParser()
    parser.add_argument("recipe")
    parser.add_argument("--model", type=Path)
    parser.add_argument("--work", type=Path, default=ROOT / "results/siblings")
    options = parser.parse_args()
    found = [sibling(options.recipe, seed, options.work) for seed in SEEDS]
    known = Calibration.of_siblings([own for _, own in found])
    record = known.to_table() | {"siblings": [told for told, _ in found]}
    write_atomically(ROOT / "records" / options.recipe / "calibration.json", to_json(record))
    if options.model is not None:
        model = load_model(options.model)
        thresholds = (known.threshold,) * len(model.class_names)
        told = {"temperature": known.temperature, "certain": known.certain, "sets": known.sets}
        save_model(options.model, replace(model, thresholds=thresholds, **told))


if __name__ == "__main__":
    main()
