"""`plainnet sweep`: train a recipe with many settings and find those with the best validation result."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter

from plainnet.cli.own_data import OwnData, about, load_data
from plainnet.cli.own_layers import read_layers
from plainnet.cli.running_trials import running_trials
from plainnet.cli.saying import say
from plainnet.cli.whole_number import WholeNumber
from plainnet.errors import InputError, TrainingInterruptedError
from plainnet.foreign.opening import read_json
from plainnet.foreign.showing import counted, shown
from plainnet.recipes import parse_override, read

if TYPE_CHECKING:
    from plainnet.data.splits import Splits
    from plainnet.layers import Layer
    from plainnet.sweep import Sweep

_SHOWN = 10  # trials in the table at the end


def sweep(
    recipe: str,
    /,
    *,
    vary: Annotated[list[str], Parameter(negative=())],
    trials: WholeNumber = 50,
    sampler: str = "tpe",
    jobs: WholeNumber = 1,
    dask: str | None = None,
    storage: str | None = None,
    out: Path = Path("sweep"),
    seed: WholeNumber = 0,
    limit: WholeNumber | None = None,
    prune: Annotated[bool, Parameter(negative=())] = False,
    set_: Annotated[list[str] | None, Parameter(name="--set", negative=())] = None,
    own_data: OwnData | None = None,
    layers: Path | None = None,
    final: Annotated[bool, Parameter(negative=())] = False,
) -> None:
    """Train a recipe with many settings, and find the settings with the best validation result.

    The same command resumes an interrupted sweep. It writes a record of each trial, sweep.json with all trials, and
    winner.toml, the recipe with the best settings.

    Parameters
    ----------
    recipe
        A name that `plainnet recipes` lists, or the path of a .toml file.
    vary
        What to vary: KEY=log(LOW, HIGH), uniform, int or logint, or a list [A, B, ...]. May be repeated.
    trials
        How many trials to train. A grid search runs each combination of values at most once.
    sampler
        How to choose settings: tpe learns from earlier trials, random draws at random, grid tries all combinations.
    jobs
        How many trials to train at the same time, each in its own process with one thread.
    dask
        The address of a Dask scheduler, such as tcp://HOST:8786. Its workers then train the trials.
    storage
        The database of the search. Default: sweep.db in the --out folder.
    out
        The folder for the results.
    seed
        Seed of the search, and of the initial weights and the order of examples in every trial.
    limit
        Train on this many examples only.
    prune
        End a trial early if its validation result is worse than the median of earlier trials at the same epoch.
    set_
        Replace a value of the recipe in every trial: KEY=VALUE. May be repeated.
    own_data
        Your own data.
    layers
        A Python file with your own layers, which the recipe uses. It is executed.
    final
        At the end, train the winner and measure it once on the test set. Its results go to the folder final.
    """
    try:
        from plainnet.sweep import sweep as search
    except ImportError as error:
        raise InputError(str(error)) from error
    if jobs > 1 and dask is not None:
        raise InputError("--jobs is for this machine, --dask is for a cluster; leave one out")
    known = recipe.endswith(".toml")
    overrides = dict(map(parse_override, set_ or [])) | (own_data or OwnData()).overrides(path_known=known)
    own = read_layers(layers)
    chosen = read(recipe, overrides, own_layers=own)
    data = load_data(chosen.data)
    say("\n".join([chosen.title, *about(chosen.data, data), "trials are compared by their validation result", ""]))
    began: list[float] = [time.monotonic()]

    def told(record: dict[str, Any], sweep: Sweep, of: int) -> None:
        said = f"{_figure(record)} {_value(record)}" if record["state"] == "complete" else record["state"]
        best, ended = sweep.best, len(sweep.records)
        so_far = "" if best is None else f"; best {_value(best)}, trial {best['number']}"
        began.append(time.monotonic())
        left = (of - ended) * (began[-1] - began[0]) / (len(began) - 1)
        say(f"trial {record['number']}: {said}{so_far}; {ended} of {of}, {_minutes(left)} left")

    try:
        with running_trials(out):
            found = search(
                recipe, vary, trials=trials, data=data, sampler=sampler, jobs=jobs, dask=dask, storage=storage, out=out,
                seed=seed, limit=limit, prune=prune, overrides=overrides, own_layers=own, told=told,
            )  # fmt: skip
    except (KeyboardInterrupt, TrainingInterruptedError) as error:
        number = getattr(error, "signal", 2)
        kept = "stopped; the finished trials are kept; resume with the same command"
        raise TrainingInterruptedError(number, kept) from None
    _tell(found)
    if found.best is None:
        raise InputError(f"no trial finished; {out}/sweep.json gives the reason for each")
    if not final:
        say(f"{out}/ holds winner.toml, sweep.html, sweep.json and trials/; the test set has not been used")
        return
    if _finished(out / "final", out / "winner.toml", data, own):
        say(f"{out}/final holds the results of this winner; the test set was not used again")
        return
    from plainnet.cli.train import train

    train(str(out / "winner.toml"), out=out / "final", seed=seed, limit=limit, own_data=own_data, layers=layers)


def _tell(sweep: Sweep) -> None:
    """Print how many trials ended in which state, and show the best ones."""
    states = [one["state"] for one in sweep.records]
    say(", ".join(counted(states.count(state), f"{state} trial") for state in dict.fromkeys(states)))
    ranked = sweep.ranked
    keys = list(ranked[0]["overrides"]) if ranked else []
    rows = [["trial", _figure(one), *keys] for one in ranked[:1]]
    for one in ranked[:_SHOWN]:
        rows.append([str(one["number"]), _value(one), *(_brief(one["overrides"][key]) for key in keys)])
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        say("  ".join(cell.ljust(wide) for cell, wide in zip(row, widths, strict=True)).rstrip(), fold=False)
    if len(ranked) > _SHOWN:
        say(f"and {len(ranked) - _SHOWN} more in sweep.html")
    for why in dict.fromkeys(one["error"] for one in sweep.records if one["state"] == "refused"):
        say(f"refused: {why}")


def _figure(record: dict[str, Any]) -> str:
    return str(record["figure"]).replace("_", " ")


def _value(record: dict[str, Any]) -> str:
    accurate = record["figure"].endswith("accuracy")
    return f"{record['value']:.2%}" if accurate else f"{record['value']:.5g}"


def _brief(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value)
    return f"{value:.4g}" if isinstance(value, float) else shown(text, 40)


def _finished(folder: Path, recipe: Path, data: Splits, own: tuple[type[Layer], ...]) -> bool:
    """Return whether a folder holds the test results of this winner.

    Raises: `InputError` if it holds those of an earlier winner.
    """
    from plainnet.runs.results import DONE

    if not (folder / DONE).exists():
        return False
    settings = read_json(folder / DONE, "record")["settings"]
    now = json.loads(json.dumps(read(str(recipe), own_layers=own).fitted(data.examples).to_table()))
    named = {"name", "title", "data"}
    if any(settings.get(key) != value for key, value in now.items() if key not in named):
        raise InputError(
            f"{folder} holds the results of an earlier winner, for which the test set has been used; to test the new "
            f"winner as well, train {recipe} with another --out"
        )
    return True


def _minutes(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 100 else f"{seconds / 60:.0f} min"
