"""Runs a series with a crew: one recipe with several seeds, several runs at the same time."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from plainnet.calibration import Calibration
from plainnet.data.splits import Splits
from plainnet.layers import Layer
from plainnet.recipes import Recipe
from plainnet.records.openings import note_opening
from plainnet.records.series import calibration_in, keep, made, on_record, unfinished_in
from plainnet.runs.folder_lock import locked
from plainnet.runs.results import check_writable
from plainnet.runs.run import Run
from plainnet.sweep.crews import crew_for
from plainnet.sweep.own_layers import OwnLayers


@dataclass(frozen=True)
class _Task:
    """One run; `number` is its seed. Checkpoints go to the folder `unfinished`, if this machine has it."""

    number: int
    recipe: dict[str, Any]
    threads: int
    calibration: Calibration | None
    unfinished: Path | None
    own_layers: OwnLayers

    def run(self, data: Splits) -> dict[str, Any]:
        """Train, use the test set, and return the record and the model file."""
        recipe = Recipe.from_table(self.recipe, self.own_layers.kinds)
        with tempfile.TemporaryDirectory() as elsewhere, np.errstate(all="ignore"):
            unfinished = self.unfinished or Path(elsewhere)
            run = Run(recipe, data, seed=self.number, threads=self.threads)
            table, model = made(run, unfinished, self.calibration)
        return {"number": self.number, "table": table, "model": model}


def record_runs(
    recipe: Recipe,
    data: Splits,
    seeds: Iterable[int],
    folder: Path,
    *,
    jobs: int = 1,
    dask: str | None = None,
    own_layers: tuple[type[Layer], ...] = (),
) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield seed and record of each run as it ends, recorded runs first; each worker has one matrix-product thread.

    Raises: as `records.series.record_run`.
    """
    crew, layers, calibration = crew_for(jobs, dask), OwnLayers(own_layers), calibration_in(folder)
    with ExitStack() as locks:
        tasks, settings = [], {}
        for seed in seeds:
            run, unfinished = Run(recipe, data, seed=seed, threads=1), unfinished_in(folder, seed)
            if (table := on_record(run, folder)) is None:
                check_writable(unfinished)
                locks.enter_context(locked(unfinished))
                table = on_record(run, folder)  # another process may have made it just before it released the lock
            if table is not None:
                yield seed, table
                continue
            here, settings = None if dask else unfinished, run.recipe.to_table()
            tasks.append(_Task(seed, recipe.to_table(), run.recipe.workers, calibration, here, layers))

        def noted() -> Iterator[_Task]:
            for task in tasks:
                note_opening(folder, settings, task.number)
                yield task

        for found in crew(noted(), data, folder):
            keep(folder, found["number"], found["table"], found["model"])
            yield found["number"], found["table"]
