"""A series: a recipe trained with several seeds, with a record and a model of each run; each run is made once."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from plainnet import checkpoint
from plainnet.calibration import Calibration
from plainnet.data.splits import Splits
from plainnet.errors import InputError, TrainingDivergedError
from plainnet.foreign.checking import problem, real
from plainnet.foreign.checking import table as any_table
from plainnet.foreign.opening import read_json
from plainnet.model_file import save_model
from plainnet.recipes import Recipe
from plainnet.records.openings import note_opening, openings
from plainnet.records.recorded_runs import comparable, model_path, runs
from plainnet.runs.environment import hardware, peak_memory_mb
from plainnet.runs.folder_lock import locked
from plainnet.runs.results import check_writable
from plainnet.runs.run import Run
from plainnet.runs.saving import events, read_checkpoint, resume
from plainnet.writing import to_json, write_atomically

_CALIBRATION = {"temperature": real(1e-3, 1e3), "threshold": real(0, 1), "certain?": any_table, "sets?": any_table}


def record_run(recipe: Recipe, data: Splits, seed: int, folder: Path, threads: int | None = None) -> dict[str, Any]:
    """Return the record of one run; train it (or resume it, if interrupted) unless its record exists.

    The model is saved beside the record.

    Raises: `InputError` if the folder holds records of different settings or data, or a damaged file.
    """
    run = Run(recipe, data, seed=seed, threads=threads)
    if table := on_record(run, folder):
        return table
    unfinished = unfinished_in(folder, seed)
    check_writable(unfinished)
    with locked(unfinished):
        if table := on_record(run, folder):  # another process made it, just before it released the folder
            return table
        note = partial(note_opening, folder, run.recipe.to_table(), seed)
        table, model = made(run, unfinished, calibration_in(folder), note)
        keep(folder, seed, table, model)
    return table


def made(
    run: Run, unfinished: Path, calibration: Calibration | None, note: Callable[[], object] = lambda: None
) -> tuple[dict[str, Any], bytes]:
    """Train a run, and return its record and the bytes of its model file; `unfinished` holds its checkpoints.

    `note` is called before the test set is opened.
    """
    changed = _train(run, unfinished)
    note()
    run.calibrate_as(calibration)
    table = run.metrics() | {
        "hardware": hardware(),
        "peak_memory_mb": round(peak_memory_mb(), 1),
        "history": run.history_table(),
    }
    if changed:
        table["resumed_after_a_change"] = changed
    save_model(unfinished / "model.safetensors", run.model())
    return table, (unfinished / "model.safetensors").read_bytes()


def keep(folder: Path, seed: int, table: dict[str, Any], model: bytes) -> None:
    """Write a record and its model, and remove the run's checkpoints."""
    write_atomically(model_path(folder, seed), model)
    write_atomically(folder / f"seed-{seed}.json", to_json(table))
    shutil.rmtree(unfinished_in(folder, seed), ignore_errors=True)


def unfinished_in(folder: Path, seed: int) -> Path:
    """Return the folder of an unfinished run's checkpoints."""
    return folder / f"unfinished-{seed}"


def calibration_in(folder: Path) -> Calibration | None:
    """Return the calibration of the recipe's runs that validated, if it is on record.

    Raises: `InputError` for a damaged record.
    """
    path = folder / "calibration.json"
    if not path.exists():
        return None
    found = read_json(path, "record")
    if (what := problem(found, _CALIBRATION)) is not None:
        raise InputError(f"{path} is not a calibration: {what}; restore the committed file")
    tables = ({share: float(least) for share, least in found.get(name, {}).items()} for name in ("certain", "sets"))
    return Calibration(float(found["temperature"]), float(found["threshold"]), *tables)


def on_record(run: Run, folder: Path) -> dict[str, Any] | None:
    """Return the record of this run, if there is one.

    Raises: as `record_run`.
    """
    if run.recipe.name in ("chance", "ensemble"):
        raise InputError(f"a recipe named {run.recipe.name} would replace that rung of the ladder; rename the recipe")
    recorded, _ = runs(folder), openings(folder)
    for table in recorded[:1]:
        if (comparable(table["settings"]), table["data"]) != (
            comparable(run.recipe.to_table()),
            run.settings()["data"],
        ):
            raise InputError(
                f"the runs in {folder} were made with different settings or data from the recipe {run.recipe.name} and "
                "the data now have; remove them first, or choose another --out"
            )
    return next((table for table in recorded if table["seed"] == run.seed), None)


def _train(run: Run, unfinished: Path) -> str:
    """Train the run to its end, from its checkpoint if there is one; return what has changed since that was saved."""
    changed = ""
    if checkpoint.present(unfinished):
        found = read_checkpoint(unfinished)
        if found.about.get("diverged"):  # the process ended before it could remove this useless checkpoint
            checkpoint.remove(unfinished)
        else:
            changed = resume(run, found)
    try:
        for _ in events(run, unfinished):
            pass
    except TrainingDivergedError:
        checkpoint.remove(unfinished)  # it cannot be resumed
        raise
    return changed
