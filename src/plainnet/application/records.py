"""Records: what a series of runs came to, a JSON file a run, from which every published figure is taken.

Beside the runs lies `openings.json`, a line for every time the test set was opened for the recipe. Runs may be removed
and made anew; the openings stay, so that nobody chooses by the test set unseen.
"""

from __future__ import annotations

import json
import math
import shutil
import statistics
import zlib
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from filelock import FileLock

from plainnet import checkpoint
from plainnet.application.environment import hardware, peak_memory_mb
from plainnet.application.results import check_writable
from plainnet.application.run import Run
from plainnet.application.saving import events, locked, resume
from plainnet.data.dataset import Splits
from plainnet.errors import InputError, TrainingDivergedError
from plainnet.files import to_json, write_atomically
from plainnet.model_file import save_model
from plainnet.recipes import Recipe

OPENINGS = "openings.json"
_KINDS = {  # what every record holds
    "recipe": str, "seed": int, "parameters": int, "seconds": int | float, "test_images": int, "test_accuracy": float,
    "mistakes": list, "settings": dict, "data": dict,
}  # fmt: skip


def record_run(
    recipe: Recipe, data: Splits, seed: int, folder: Path, data_dir: Path | None = None, threads: int | None = None
) -> dict[str, Any]:
    """Return the record of one run, trained now unless its file is there already; an interrupted one goes on.

    The model is saved beside the record.

    Raises: `InputError` if there are records of other settings or data in the folder, or a file there is damaged.
    """
    if recipe.name in ("chance", "ensemble"):
        raise InputError(f"a recipe called {recipe.name} would take the place of that rung of the ladder; rename it")
    run = Run(recipe, data, seed=seed, threads=threads)
    if table := _on_record(run, folder):
        return table
    unfinished = folder / f"unfinished-{seed}"
    check_writable(unfinished)
    with locked(unfinished):
        if table := _on_record(run, folder):  # made by another process, just before it let go of the folder
            return table
        changed = _train(run, unfinished, data_dir)
        note_opening(folder, run.recipe.to_table(), seed)
        table = run.metrics() | {
            "hardware": hardware(),
            "peak_memory_mb": round(peak_memory_mb(), 1),
            "history": run.history_table(),
        }
        if changed:
            table["resumed_after_a_change"] = changed
        save_model(model_path(folder, seed), run.model())
        write_atomically(folder / f"seed-{seed}.json", to_json(table))
        shutil.rmtree(unfinished)
    return table


def _on_record(run: Run, folder: Path) -> dict[str, Any] | None:
    """Return the record of this run, if there is one.

    Raises: as `record_run`.
    """
    on_record, _ = runs(folder), openings(folder)
    for table in on_record[:1]:
        if (_plain(table["settings"]), table["data"]) != (_plain(run.recipe.to_table()), run.settings()["data"]):
            raise InputError(
                f"the runs in {folder} were made with other settings or data than recipe {run.recipe.name} and the "
                "images have now; remove them first, or choose another --out"
            )
    return next((table for table in on_record if table["seed"] == run.seed), None)


def _train(run: Run, unfinished: Path, data_dir: Path | None) -> str:
    """Train the run to its end, from its checkpoint if there is one; return what else changed since that was saved."""
    changed = ""
    if checkpoint.present(unfinished):
        found = checkpoint.Checkpoint(unfinished)
        if found.about.get("diverged"):  # the process ended before it could remove what nobody can go on from
            checkpoint.remove(unfinished)
        else:
            changed = resume(run, found)
    try:
        for _ in events(run, unfinished, data_dir=data_dir):
            pass
    except TrainingDivergedError:
        checkpoint.remove(unfinished)  # nobody can go on from there
        raise
    return changed


def model_path(folder: Path, seed: int) -> Path:
    """Return where the model of a recorded run lies."""
    return folder / f"seed-{seed}.safetensors"


def note_opening(folder: Path, settings: dict[str, Any], seed: int, **more: Any) -> None:
    """Write down, before it happens, that the test set is opened for a run with these settings, and `more` about it."""
    checksum = zlib.crc32(json.dumps(_plain(settings), sort_keys=True).encode())
    line = {"when": datetime.now(UTC).isoformat(timespec="seconds"), "seed": seed, "settings_crc32": checksum} | more
    with FileLock(folder / ".openings.lock"):
        write_atomically(folder / OPENINGS, to_json([*openings(folder), line]))


def openings(folder: Path) -> list[dict[str, Any]]:
    """Return when, for which seed and with which settings the test set was opened for a recipe.

    Raises: `InputError` if the file is damaged.
    """
    path = folder / OPENINGS
    lines = read_record(path) if path.exists() else []
    if not isinstance(lines, list) or not all(
        isinstance(i, dict) and type(i.get("settings_crc32")) is int for i in lines
    ):
        raise InputError(f"{path} is not a list of openings; put the committed one back")
    return lines


def runs(folder: Path) -> list[dict[str, Any]]:
    """Return the records of all runs in a folder, in the order of their seeds.

    Raises: `InputError` if one cannot be read, lacks what every record holds, or has other settings or data than the
    others.
    """
    found = {path: read_record(path) for path in sorted(folder.glob("seed-*.json"))}
    settings = {path: _settings(path, run) for path, run in found.items()}
    tables = sorted(found.values(), key=lambda run: run["seed"])
    for path, run in found.items():
        if settings[path] != next(iter(settings.values())) or run["data"] != tables[0]["data"]:
            raise InputError(
                f"{path} was made with other settings or data than {next(iter(found)).name} there; put the committed "
                "ones back, or move one of the two elsewhere"
            )
    return tables


def _settings(path: Path, run: Any) -> dict[str, Any]:
    """Return the settings, as JSON holds them, of the run that a file records.

    Raises: `InputError` if it is not a whole record, or that of another run than its name says.
    """
    try:
        whole = all(isinstance(run[key], kind) for key, kind in _KINDS.items()) and _is_possible(run)
        if whole and path.name == f"seed-{run['seed']}.json":
            return _plain(run["settings"])
    except (KeyError, TypeError, InputError):
        pass
    raise InputError(f"{path} is not a whole record; put the committed one back, or make it anew")


def _is_possible(run: dict[str, Any]) -> bool:
    """Tell whether the figures of a run, of the right kinds, go together."""
    images, mistakes = run["test_images"], run["mistakes"]
    return (
        0 < images < 10**9
        and all(type(row) is int and 0 <= row < images for row in mistakes)
        and abs(run["test_accuracy"] - (1 - len(mistakes) / images)) < 1e-9
        and 0 <= run["seconds"] < math.inf
        and run["parameters"] >= 0
    )


def summarize(folder: Path) -> dict[str, Any]:
    """Return, and write to summary.json, the mean and spread of all runs in a folder.

    Raises: `InputError` if there is none.
    """
    found = runs(folder)
    if not found:
        raise InputError(f"no runs of {folder.name} in {folder.parent}; make some with: plainnet series {folder.name}")
    first = found[0]
    summary = {"recipe": first["recipe"], "runs": len(found), "seeds": [run["seed"] for run in found]}
    for key in ("test_accuracy", "train_accuracy", "seconds"):
        if all(key in run for run in found):
            summary[key] = spread(run[key] for run in found)
    summary |= {key: first.get(key) for key in ("parameters", "epochs", "versions", "threads", "hardware")}
    write_atomically(folder / "summary.json", to_json(summary))
    return summary


def spread(figures: Iterable[float]) -> dict[str, Any]:
    """Return mean, standard deviation of the sample (None if it is a single one), least and largest."""
    values = list(figures)
    deviation = statistics.stdev(values) if len(values) > 1 else None
    return {"mean": statistics.mean(values), "sd": deviation, "min": min(values), "max": max(values)}


def read_record(path: Path) -> Any:
    """Return what a JSON file of records holds.

    Raises: `InputError` if it cannot be read.
    """
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        reason = getattr(error, "strerror", None) or error
        raise InputError(f"cannot read the record {path}: {reason}; put the committed one back") from error


def _plain(settings: dict[str, Any]) -> dict[str, Any]:
    """Return what decides a training, as JSON holds it: every setting but the title."""
    table: dict[str, Any] = json.loads(json.dumps(Recipe.from_table(settings).to_table()))
    return table | {"title": ""}
