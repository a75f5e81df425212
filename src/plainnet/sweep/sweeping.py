"""Sweeping: from the first trial to the best, kept so that it can be interrupted anywhere and resumed."""

from __future__ import annotations

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
from plainnet.recipes import read
from plainnet.runs.folder_lock import locked
from plainnet.runs.results import check_writable
from plainnet.sweep import crews
from plainnet.sweep.search import Reporter, Search
from plainnet.sweep.space import Dimension, space_of
from plainnet.sweep.trial import Task
from plainnet.sweep.winner import recipe_text
from plainnet.writing import to_json, write_atomically

_MOST_TRIALS = 100_000


@dataclass(frozen=True)
class Sweep:
    """What came of a sweep: a record of every trial, by its number, and the best; see `trial.train`."""

    folder: Path
    direction: str
    records: list[dict[str, Any]] = field(repr=False)

    @property
    def best(self) -> dict[str, Any] | None:
        """The trial that validated best, the first of equals; None if none came to its end."""
        return next(iter(self.ranked), None)

    @property
    def ranked(self) -> list[dict[str, Any]]:
        """The trials that came to their end, the best first."""
        sign = -1 if self.direction == "maximize" else 1
        ended = [one for one in self.records if one["state"] == "complete"]
        return sorted(ended, key=lambda one: (sign * one["value"], one["number"]))


def sweep(
    recipe: str,
    vary: Mapping[str, Any] | Iterable[str],
    *,
    trials: int = 50,
    data: Splits | None = None,
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
    """Train a recipe with many settings and return what came of each; the test set is not opened.

    `sweep("classic", {"optimizer.weight_decay": ("log", 1e-6, 1e-2), "layers.1.units": [256, 512]}, trials=20)`

    The trials are made by `jobs` processes, or the workers of the Dask cluster at the address `dask`. Each trains with
    one thread. A sweep that was interrupted goes on when it is called again. `prune` ends trials that validate worse
    than half of those before them. `overrides` replace values of the recipe in every trial. `told` is called after each
    trial, with its record, what has come of the sweep so far, and how many trials there will be.

    Raises: `InputError` for a recipe, space or folder that cannot be used.
    """
    space, folder = space_of(vary), Path(out)
    fixed = {"workers": 1} | dict(overrides or {})
    if both := set(space) & set(overrides or {}):
        raise InputError(f"{', '.join(sorted(both))} cannot vary and be set; leave out one")
    chosen = read(recipe, fixed, own_layers=own_layers)
    whole_number(trials, "trials", most=_MOST_TRIALS)
    whole_number(jobs, "jobs", most=1000)
    data = sources.load_described(chosen.data) if data is None else data
    accurate = "accuracy" in chosen.fitted(data.examples).loss_function().metrics
    direction: Literal["maximize", "minimize"] = "maximize" if accurate else "minimize"
    check_writable(folder)
    (folder / "trials").mkdir(exist_ok=True)
    database = storage or f"sqlite:///{folder / 'sweep.db'}"
    if prune and dask is not None and database.startswith("sqlite"):
        raise InputError(
            "--prune on a cluster needs a database that all its machines reach, not a file; give --storage"
        )
    with locked(folder):
        search = Search(
            database, space, sampler=sampler, trials=trials, seed=seed, direction=direction,
            settings={
                "recipe": chosen.to_table(), "vary": {key: str(one) for key, one in space.items()}, "seed": seed,
                "limit": limit, "sampler": sampler, "prune": prune, "data": fingerprint(data.train),
            },
        )  # fmt: skip
        records = _on_disk(folder, search)

        def tasks() -> Iterator[Task]:
            for number, identity, changed in search.ask():
                if number not in records:
                    report = Reporter(database, identity) if prune else None
                    yield Task(number, chosen.to_table(), changed, seed, limit, own_layers, report)

        crew = crews.cluster(dask) if dask else crews.processes(jobs) if jobs > 1 else crews.here
        for record in crew(tasks(), data, folder):
            write_atomically(_path(folder, record["number"]), to_json(record))
            search.tell(record)
            records[record["number"]] = record
            told(record, Sweep(folder, direction, list(records.values())), search.trials)
        found = Sweep(folder, direction, [records[number] for number in sorted(records)])
        _write_results(found, recipe, fixed, space, search.trials)
    return found


def _path(folder: Path, number: int) -> Path:
    return folder / "trials" / f"{number:05}.json"


def _on_disk(folder: Path, search: Search) -> dict[int, dict[str, Any]]:
    """Return the records of trials that have ended; one that was written and never told is told now.

    Raises: `InputError` if a trial is said to have ended, and its record is not there.
    """
    found = {}
    for path in sorted((folder / "trials").glob("[0-9]*.json")):
        record = read_json(path, "record")
        found[int(path.stem)] = record
    known = {trial.number for trial in search.study.get_trials(deepcopy=False)}
    for number in set(found) - search.ended():
        if number in known:
            search.tell(found[number])
    if lacking := search.ended() - set(found):
        raise InputError(
            f"the records of {len(lacking)} trials are not in {folder / 'trials'}, though the database has them; put "
            "them back, or choose another --out"
        )
    if more := set(found) - known:
        raise InputError(
            f"{folder / 'trials'} holds records that the database does not know, such as trial {min(more)}; choose "
            "another --out"
        )
    return found


def _write_results(
    found: Sweep, recipe: str, fixed: Mapping[str, Any], space: Mapping[str, Dimension], trials: int
) -> None:
    """Write sweep.json, the table of all trials, and winner.toml."""
    best, shown = found.best, ("number", "state", "value", "epoch", "overrides", "error")
    table = [{key: one.get(key) for key in shown} for one in found.records]
    number = None if best is None else best["number"]
    whole = {"direction": found.direction, "trials": trials, "best": number, "table": table}
    write_atomically(found.folder / "sweep.json", to_json(whole))
    if best is not None:
        figure = f"{best['figure'].replace('_', ' ')} {best['value']:.6g}"
        said = f"Trial {number} of {len(table)}, {figure}, seed {best['seed']}."
        values = {key: value for key, value in fixed.items() if key.partition(".")[0] != "data"} | best["overrides"]
        write_atomically(found.folder / "winner.toml", recipe_text(recipe, values, space, said).encode())
