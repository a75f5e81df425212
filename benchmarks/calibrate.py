"""Calibrate a recipe that trains on all images, by three runs of it that validate: records/RECIPE/calibration.json.

A model that has learned from the validation images cannot be calibrated by them. Its siblings can: the same recipe,
other seeds, trained without them. The mean of their temperatures (of the logarithms) and of their thresholds is taken.

    python benchmarks/calibrate.py cnn --model src/plainnet/models/cnn.safetensors
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
from dataclasses import replace
from math import exp, log
from pathlib import Path

from plainnet import load_model, save_model
from plainnet.writing import to_json, write_atomically

ROOT = Path(__file__).parents[1]
SEEDS = (100, 101, 102)


def sibling(recipe: str, seed: int, folder: Path) -> dict[str, float]:
    """Return temperature and threshold of a run that validates, trained now unless it is there, or gone on with."""
    out = folder / f"{recipe}-{seed}"
    if not (out / "metrics.json").exists():
        command = [sys.executable, "-m", "plainnet", "train"]
        new = [recipe, "--seed", str(seed), "--out", str(out)]
        subprocess.run(
            [*command, *(["--resume", str(out)] if out.exists() else new), "--no-pictures", "--quiet"], check=True
        )
    metrics = json.loads((out / "metrics.json").read_text())
    return {
        "seed": seed, "temperature": metrics["temperature"], "threshold": metrics["threshold"],
        "validation_accuracy": metrics["validation_accuracy"],
    }  # fmt: skip


def main() -> None:
    """Train the siblings, write the record and, if one is named, the model."""
    parser = argparse.ArgumentParser()
    parser.add_argument("recipe")
    parser.add_argument("--model", type=Path)
    parser.add_argument("--work", type=Path, default=ROOT / "results/siblings")
    options = parser.parse_args()
    found = [sibling(options.recipe, seed, options.work) for seed in SEEDS]
    temperature = exp(statistics.mean(log(one["temperature"]) for one in found))
    threshold = statistics.mean(one["threshold"] for one in found)
    record = {"temperature": temperature, "threshold": threshold, "siblings": found}
    write_atomically(ROOT / "records" / options.recipe / "calibration.json", to_json(record))
    if options.model is not None:
        model = load_model(options.model)
        thresholds = (threshold,) * len(model.class_names)
        save_model(options.model, replace(model, temperature=temperature, thresholds=thresholds))


if __name__ == "__main__":
    main()
