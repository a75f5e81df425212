"""Records: what a series of runs came to, a JSON file a run, from which every published figure is taken."""

from __future__ import annotations

import json
import shutil
import statistics
from pathlib import Path
from typing import Any

from plainnet import checkpoint
from plainnet.application.environment import hardware, peak_memory_mb
from plainnet.application.results import check_writable
from plainnet.application.run import Run
from plainnet.application.saving import epochs, locked, resume
from plainnet.data.dataset import Splits
from plainnet.errors import InputError
from plainnet.files import to_json, write_atomically
from plainnet.recipes import Recipe


def record_run(recipe: Recipe, data: Splits, seed: int, records: Path) -> dict[str, Any]:
    """Return the record of one run, trained now unless its file is there already; an interrupted one goes on.

    Raises: `InputError` if the record on file was made with other settings than the recipe's of today.
    """
    path = records / recipe.name / f"seed-{seed}.json"
    if path.exists():
        table = _read(path)
        if _plain(table.get("settings", {})) != _plain(recipe.to_table()):
            raise InputError(f"{path} was made with other settings than recipe {recipe.name} has now; remove it first")
        return table
    unfinished = path.with_name(f"unfinished-{seed}")
    check_writable(unfinished)
    run = Run(recipe, data, seed=seed)
    with locked(unfinished):
        if checkpoint.present(unfinished):
            resume(run, checkpoint.Checkpoint(unfinished))
        for _ in epochs(run, unfinished):
            pass
    table = run.metrics() | {
        "hardware": hardware(),
        "peak_memory_mb": round(peak_memory_mb(), 1),
        "history": run.history_table(),
    }
    write_atomically(path, to_json(table))
    shutil.rmtree(unfinished)
    return table


def summarize(name: str, records: Path) -> dict[str, Any]:
    """Return, and write to summary.json, the mean and spread of all runs of a recipe on record.

    Raises: `InputError` if there is none.
    """
    runs = [_read(path) for path in sorted((records / name).glob("seed-*.json"))]
    if not runs:
        raise InputError(f"no runs of {name} in {records}; make some with: plainnet series {name}")
    summary = {"recipe": name, "runs": len(runs), "seeds": sorted(run["seed"] for run in runs)}
    for key in ("test_accuracy", "validation_accuracy", "train_accuracy", "seconds"):
        values = [run[key] for run in runs]
        if None in values:  # of a recipe that does not validate
            continue
        summary[key] = {
            "mean": statistics.mean(values),
            "sd": statistics.stdev(values) if len(values) > 1 else None,
            "min": min(values),
            "max": max(values),
        }
    first = runs[0]
    summary |= {key: first[key] for key in ("parameters", "epochs", "versions", "threads", "hardware")}
    write_atomically(records / name / "summary.json", to_json(summary))
    return summary


def _plain(settings: dict[str, Any]) -> dict[str, Any]:
    """Return what decides a training, as JSON holds it: every setting but the title."""
    table: dict[str, Any] = json.loads(json.dumps(Recipe.from_table(settings).to_table()))
    return table | {"title": ""}


def _read(path: Path) -> dict[str, Any]:
    try:
        table: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InputError(f"cannot read the record {path}: {error}") from error
    return table
