"""Runs a sweep from the first trial to the best, and saves it so that it can resume after any interruption."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from plainnet import sources
from plainnet.config import whole_number
from plainnet.data.fingerprint import fingerprint
from plainnet.data.splits import Splits
from plainnet.errors import InputError
from plainnet.foreign.opening import read_json
from plainnet.layers import Layer
from plainnet.recipes import Recipe, override, read
from plainnet.runs.folder_lock import locked
from plainnet.runs.results import check_writable
from plainnet.runs.run import Run
from plainnet.sweep import crews
from plainnet.sweep.own_layers import OwnLayers
from plainnet.sweep.page import page
from plainnet.sweep.search import Reporter, Search
from plainnet.sweep.space import Dimension, expect_apart, space_of
from plainnet.sweep.telling import RUNNING, OverDask, in_folder, topic_of
from plainnet.sweep.trial import Task
from plainnet.sweep.winner import recipe_text
from plainnet.writing import to_json, write_atomically

_MOST_TRIALS = 100_000
_NAME = "plainnet"  # the name of the study in the database


@dataclass(frozen=True)
class Sweep:
    """The results of a sweep: a record of every trial, in the order of their numbers; see `trial.train`."""

    folder: Path
    direction: str
    records: list[dict[str, Any]] = field(repr=False)

    @property
    def best(self) -> dict[str, Any] | None:
        """The trial with the best validation result, or None if no trial finished."""
        return next(iter(self.ranked), None)

    @property
    def ranked(self) -> list[dict[str, Any]]:
        """The finished trials, best first; among equal figures, the smaller loss comes first."""
        sign = -1 if self.direction == "maximize" else 1
        ended = [one for one in self.records if one["state"] == "complete"]
        losses = {one["number"]: one["history"][one["epoch"] - 1]["validation_loss"] for one in ended}
        return sorted(ended, key=lambda one: (sign * one["value"], losses[one["number"]], one["number"]))


def sweep(
    recipe: str,
    vary: Mapping[str, Any] | Iterable[str],
    *,
    trials: int = 50,
    data: Splits | str | Path | None = None,
    sampler: str = "tpe",
    jobs: int = 1,
    dask: str | None = None,
    storage: str | None = None,
    out: str | Path = "sweep",
    seed: int = 0,
    limit: int | None = None,
    prune: bool = False,
    overrides: Mapping[str, Any] | None = None,
    own_layers: tuple[type[Layer], ...] = (),
    told: Callable[[dict[str, Any], Sweep, int], None] = lambda record, so_far, of: None,
) -> Sweep:
    """Train a recipe with many settings and return the result of each; the test set is not used.

    `sweep("classic", {"optimizer.weight_decay": ("log", 1e-6, 1e-2), "layers.1.units": [256, 512]}, trials=20)`

    `data` are splits, or the path of data as `sources.load` takes it; by default the recipe names them. The trials are
    run by `jobs` processes, or by the workers of the Dask cluster at the address `dask`. Each trial trains with one
    thread. An interrupted sweep resumes when it is called again. `prune` ends a trial early if its validation result is
    worse than the median of earlier trials at the same epoch. `overrides` replace values of the recipe in every trial.
    `told` is called after each trial with its record, the sweep so far, and the number of trials in all.

    Raises: `InputError` for a recipe, space or folder that cannot be used.
    """
    space, folder = space_of(vary), Path(out)
    fixed = {"workers": 1} | dict(overrides or {})
    expect_apart(space, overrides or {})
    if isinstance(data, str | Path):
        fixed["data.path"] = str(Path(data).absolute())
    chosen = read(recipe, fixed, own_layers=own_layers)
    whole_number(trials, "trials", most=_MOST_TRIALS)
    crew = crews.crew_for(whole_number(jobs, "jobs", most=1000), dask)
    data = data if isinstance(data, Splits) else sources.load_described(chosen.data)
    direction = _expect_trainable(chosen, space, data, seed, limit, own_layers)
    database = storage or f"sqlite:///{folder / 'sweep.db'}"
    database = database if "://" in database else f"sqlite:///{database}"
    if prune and dask is not None and database.startswith("sqlite"):
        raise InputError(
            "--prune on a cluster needs a database server that all machines can reach, such as "
            "--storage postgresql://HOST/NAME; SQLite is only a file"
        )
    check_writable(folder)
    (folder / "trials").mkdir(exist_ok=True)
    with locked(folder):
        search = Search(
            database, space, sampler=sampler, trials=trials, seed=seed, direction=direction,
            name=_NAME if storage is None else f"{_NAME} {folder.absolute().name}",
            settings={
                "recipe": chosen.to_table(), "vary": {key: str(one) for key, one in space.items()}, "seed": seed,
                "limit": limit, "sampler": sampler, "prune": prune, "data": fingerprint(data.train),
            },
        )  # fmt: skip
        if search.renewed:
            for path in (folder / "trials").glob("[0-9]*.json"):
                path.unlink()
        records, layers = _on_disk(folder, search), OwnLayers(own_layers)

        def keep(record: dict[str, Any]) -> None:
            write_atomically(_path(folder, record["number"]), to_json(record))
            search.tell(record)
            records[record["number"]] = record
            told(record, Sweep(folder, direction, list(records.values())), search.trials)

        def tasks() -> Iterator[Task]:
            for number, identity, changed in search.ask(records):
                same = next((one for one in records.values() if _as_before(one, changed)), None)
                if same is not None and not prune:
                    keep(same | {"number": number, "made": same["made"] | {"as_trial": same["number"], "seconds": 0.0}})
                else:
                    report = Reporter(database, search.name, identity) if prune else None
                    tells = OverDask(topic_of(folder), number) if dask else in_folder(folder, number)
                    yield Task(number, chosen.to_table(), changed, seed, limit, layers, report, tells)

        running = folder / RUNNING
        running.mkdir(exist_ok=True)
        try:
            for record in crew(tasks(), data, folder):
                keep(record)
        finally:
            shutil.rmtree(running, ignore_errors=True)
        found = Sweep(folder, direction, [records[number] for number in sorted(records)])
        _write_results(found, chosen, recipe, fixed, space, search)
    return found


def _as_before(record: dict[str, Any], changed: dict[str, Any]) -> bool:
    """Return whether a complete trial had these settings; training again would give the same result."""
    return bool(record["state"] == "complete" and record["overrides"] == changed)


def _expect_trainable(
    chosen: Recipe,
    space: Mapping[str, Dimension],
    data: Splits,
    seed: int,
    limit: int | None,
    own_layers: tuple[type[Layer], ...],
) -> Literal["maximize", "minimize"]:
    """Return whether the figure that trials are compared by should be large or small.

    Raises: `InputError` if the recipe cannot be trained, or if it accepts none of the values of a key that varies.
    """

    def refusal(changed: dict[str, Any]) -> InputError | None:
        try:
            recipe = Recipe.from_table(override(chosen.to_table(), changed), own_layers)
            Run(recipe, data, seed=seed, limit=limit, threads=1)
        except InputError as error:
            return error
        return None

    if not chosen.validate:
        raise InputError("a sweep needs validation examples; leave validate = true in the recipe")
    if (error := refusal({})) is not None and all(refusal({k: v}) for k, one in space.items() for v in one.some()):
        raise error
    for key, one in space.items() if error is None else ():
        why = None
        for value in one.some():
            if (found := refusal({key: value})) is None:
                break
            why = why or found
        else:
            raise InputError(f"--vary {key}: {why}")
    accurate = "accuracy" in chosen.fitted(data.examples).loss_function().metrics
    return "maximize" if accurate else "minimize"


def _path(folder: Path, number: int) -> Path:
    return folder / "trials" / f"{number:05}.json"


def _on_disk(folder: Path, search: Search) -> dict[int, dict[str, Any]]:
    """Return the records of finished trials; those that the database has missed are reported to it now.

    Raises: `InputError` for records that are damaged or belong to another sweep.
    """
    found = {}
    for path in sorted((folder / "trials").glob("[0-9]*.json")):
        try:
            found[int(path.stem)] = dict(read_json(path, "record"))
        except (InputError, TypeError, ValueError) as error:
            raise InputError(f"{path} is damaged; remove it, and its trial will be run again") from error
    known = {trial.number for trial in search.study.get_trials(deepcopy=False)}
    for number in set(found) - search.ended():
        if number in known:
            search.tell(found[number])
    if more := set(found) - known:
        raise InputError(
            f"{folder / 'trials'} holds records that the database does not know, such as trial {min(more)}; choose "
            "another --out"
        )
    return found


def _write_results(
    found: Sweep, chosen: Recipe, recipe: str, fixed: Mapping[str, Any], space: Mapping[str, Dimension], search: Search
) -> None:
    """Write sweep.json, the table of all trials, sweep.html, and winner.toml."""
    best, shown = found.best, ("number", "state", "value", "epoch", "overrides", "error")
    table = [{key: one.get(key) for key in shown} for one in found.records]
    number = None if best is None else best["number"]
    whole = {"direction": found.direction, "trials": search.trials, "best": number, "table": table}
    write_atomically(found.folder / "sweep.json", to_json(whole))
    write_atomically(found.folder / "sweep.html", page(found, recipe, space, search.study, search.trials).encode())
    if best is not None:
        figure = f"{best['figure'].replace('_', ' ')} {best['value']:.6g}"
        some = "" if best["limit"] is None else f", --limit {best['limit']}"
        said = f"Trial {number} of {len(table)}, {figure}, --seed {best['seed']}{some}."
        values = {key: value for key, value in fixed.items() if key.partition(".")[0] != "data"} | best["overrides"]
        if chosen.data:
            path = {"path": str(Path(chosen.data["path"]).absolute())} if "path" in chosen.data else {}
            values["data"] = dict(chosen.data) | path
        write_atomically(found.folder / "winner.toml", recipe_text(recipe, values, space, said).encode())
