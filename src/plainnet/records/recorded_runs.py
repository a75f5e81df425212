"""The runs on record: one JSON file per run, the source of every published figure, is read, checked and summarized."""

from __future__ import annotations

import json
import statistics
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from plainnet.errors import InputError
from plainnet.foreign.checking import problem
from plainnet.foreign.opening import read_json
from plainnet.recipes import Recipe
from plainnet.runs.metrics_file import FIGURES, figures_go_together
from plainnet.writing import to_json, write_atomically

MAIN_FIGURE = {  # the figure that a run is judged by, for each task
    "classes": "test_accuracy", "labels": "test_accuracy", "numbers": "test_mean_absolute_error",
}  # fmt: skip


def model_path(folder: Path, seed: int) -> Path:
    """Return the path of the model of a recorded run."""
    return folder / f"seed-{seed}.safetensors"


def runs(folder: Path) -> list[dict[str, Any]]:
    """Return the records of all runs in a folder, in the order of their seeds.

    Raises: `InputError` if one cannot be read, is incomplete, or has different settings or data from the others.
    """
    found = {path: read_json(path, "record") for path in sorted(folder.glob("seed-*.json"))}
    settings = {path: _settings(path, run) for path, run in found.items()}
    tables = sorted(found.values(), key=lambda run: run["seed"])
    for path, run in found.items():
        if settings[path] != next(iter(settings.values())) or run["data"] != tables[0]["data"]:
            raise InputError(
                f"{path} was made with different settings or data from {next(iter(found)).name} there; restore the "
                "committed files, or move one of the two elsewhere"
            )
    return tables


def _settings(path: Path, run: Any) -> dict[str, Any]:
    """Return the settings, as JSON holds them, of the run that a file records.

    Raises: `InputError` if the record is incomplete, or belongs to a different run than its name says.
    """
    if problem(run, FIGURES) is None and figures_go_together(run) and path.name == f"seed-{run['seed']}.json":
        try:
            return comparable(run["settings"])
        except InputError:
            pass  # the settings are not a recipe
    raise InputError(f"{path} is not a complete record; restore the committed file, or make it again")


def summarize(folder: Path) -> dict[str, Any]:
    """Return, and write to summary.json, the mean and spread of all runs in a folder.

    Raises: `InputError` if there is none.
    """
    found = runs(folder)
    if not found:
        raise InputError(f"no runs of {folder.name} in {folder.parent}; make some with: plainnet series {folder.name}")
    first = found[0]
    summary = {"recipe": first["recipe"], "runs": len(found), "seeds": [run["seed"] for run in found]}
    for key in (*dict.fromkeys(MAIN_FIGURE.values()), "train_accuracy", "seconds"):
        if all(key in run for run in found):
            summary[key] = spread(run[key] for run in found)
    summary |= {key: first.get(key) for key in ("parameters", "epochs", "versions", "threads", "hardware")}
    write_atomically(folder / "summary.json", to_json(summary))
    return summary


def spread(figures: Iterable[float]) -> dict[str, Any]:
    """Return the mean, the sample standard deviation (None for a single figure), the minimum and the maximum."""
    values = list(figures)
    deviation = statistics.stdev(values) if len(values) > 1 else None
    return {"mean": statistics.mean(values), "sd": deviation, "min": min(values), "max": max(values)}


def comparable(settings: dict[str, Any]) -> dict[str, Any]:
    """Return everything that decides a training run, as JSON-compatible values: every setting except the title."""
    table: dict[str, Any] = json.loads(json.dumps(Recipe.completed(settings)))
    if table["data"] is not None:
        table["data"].pop("path", None)  # the data may have moved; their checksum tells whether they are the same
    return {key: value for key, value in table.items() if (key, value) != ("stop", None)} | {"title": ""}
