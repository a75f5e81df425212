"""`plainnet series`: a recipe with several seeds, one record a run."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from plainnet.cli.own_data import OwnData, load_data
from plainnet.cli.own_layers import read_layers
from plainnet.cli.saying import say
from plainnet.cli.whole_number import WholeNumber
from plainnet.errors import InputError, TrainingInterruptedError
from plainnet.foreign.showing import counted


def series(
    recipe: str,
    /,
    *,
    seeds: str = "0:3",
    out: Path = Path("records"),
    own_data: OwnData | None = None,
    threads: WholeNumber | None = None,
    layers: Path | None = None,
) -> None:
    """Train a settled recipe with several seeds, on all training images, and keep a record of each run.

    The images that validate otherwise are trained on as well: there is nothing left to choose. Runs that are on record
    are not made again, and one that was interrupted goes on.

    Parameters
    ----------
    recipe
        A name that `plainnet recipes` lists.
    seeds
        FIRST:END, the end not included: 0:3 means 0, 1 and 2.
    out
        The folder for the records; this recipe's go to a folder of its name in it.
    threads
        Threads for matrix products, over all workers; if left out, what a few timed steps show to be quickest.
    layers
        A Python file with layers of your own that the recipe uses; it is run.
    own_data
        Data of your own.
    """
    import numpy as np

    from plainnet.recipes import read
    from plainnet.records.recorded_runs import MAIN_FIGURE, summarize
    from plainnet.records.series import record_run

    chosen = read(recipe, (own_data or OwnData()).overrides(path_known=True), own_layers=read_layers(layers))
    stop = chosen.stopping()
    if stop is None or not stop.needs_validation:
        chosen = replace(chosen, validate=False)
    numbers = seeds_in(seeds)
    data = load_data(chosen.data)
    folder = out / chosen.name
    with np.errstate(all="ignore"):  # a loss that is not finite is reported, in one sentence
        for seed in numbers:
            try:
                table = record_run(chosen, data, seed, folder, threads)
            except TrainingInterruptedError as error:
                raise TrainingInterruptedError(error.signal, f"{error}; go on with the same command") from None
            judged = MAIN_FIGURE[table.get("task", "classes")]
            name, figure = _named(judged), table[judged]
            say(f"{chosen.name} seed {seed}: {name} {f'{figure:.2%}' if name == 'test' else f'{figure:.4g}'}")
    summary = summarize(folder)
    mean = summary[judged]["mean"]
    say(f"{counted(summary['runs'], 'run')}: mean {f'{mean:.3%}' if name == 'test' else f'{name} {mean:.4g}'}")


def _named(figure: str) -> str:
    """Return what the figure is called by which a run is judged."""
    return "test" if figure == "test_accuracy" else figure.replace("_", " ")


def seeds_in(text: str) -> range:
    """Return the seeds that FIRST:END names.

    Raises: `InputError` if it is not of that form.
    """
    first, _, end = text.partition(":")
    if not (first.isdecimal() and end.isdecimal() and len(text) < 20 and int(first) < int(end)):
        raise InputError(f"--seeds must be FIRST:END, the first below the end, such as 0:3, received {text!r}")
    return range(int(first), int(end))
