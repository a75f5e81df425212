"""`plainnet series`: train a recipe with several seeds and record each run."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

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
    jobs: WholeNumber = 1,
    dask: str | None = None,
    layers: Path | None = None,
) -> None:
    """Train a recipe with several seeds, on all training images, and keep a record of each run.

    No validation set is needed, because the recipe is fixed. Runs that are already on record are skipped; an
    interrupted run resumes.

    Parameters
    ----------
    recipe
        A name that `plainnet recipes` lists.
    seeds
        FIRST:END, END excluded: 0:3 means 0, 1 and 2.
    out
        The folder for the records. Each recipe gets a subfolder with its name.
    threads
        Total number of threads for matrix products. Default: the number that is fastest in a few timed steps.
    jobs
        How many runs to train at the same time, each in its own process with one thread per worker.
    dask
        The address of a Dask scheduler, such as tcp://HOST:8786. Its workers then train the runs.
    layers
        A Python file with your own layers, which the recipe uses. It is executed.
    own_data
        Your own data.
    """
    import numpy as np

    from plainnet.recipes import read
    from plainnet.records.recorded_runs import MAIN_FIGURE, summarize
    from plainnet.records.series import record_run

    own = read_layers(layers)
    chosen = read(recipe, (own_data or OwnData()).overrides(path_known=True), own_layers=own)
    stop = chosen.stopping()
    if stop is None or not stop.needs_validation:
        chosen = replace(chosen, validate=False)
    numbers = seeds_in(seeds)
    data = load_data(chosen.data)
    folder = out / chosen.name
    if jobs == 1 and dask is None:
        made: Iterator[tuple[int, dict[str, Any]]] = (
            (seed, record_run(chosen, data, seed, folder, threads)) for seed in numbers
        )
    else:
        if threads is not None:
            raise InputError("with --jobs or --dask, each worker has one matrix-product thread; leave out --threads")
        made = _by_crew()(chosen, data, numbers, folder, jobs=jobs, dask=dask, own_layers=own)
    try:
        with np.errstate(all="ignore"):  # a loss that is not finite is reported in one sentence
            for seed, table in made:
                judged = MAIN_FIGURE[table.get("task", "classes")]
                name, figure = _named(judged), table[judged]
                shown = f"{figure:.2%}" if name == "test" else f"{figure:.4g}"
                say(f"{chosen.name} seed {seed}: {name} {shown}")
    except (KeyboardInterrupt, TrainingInterruptedError) as error:
        said = str(error) or "stopped; the finished runs are on record"
        number = getattr(error, "signal", signal.SIGINT)
        raise TrainingInterruptedError(number, f"{said}; resume with the same command") from None
    summary = summarize(folder)
    mean, sd = summary[judged]["mean"], summary[judged]["sd"]
    spread = "" if sd is None else f", standard deviation {f'{100 * sd:.3f} points' if name == 'test' else f'{sd:.2g}'}"
    say(f"{counted(summary['runs'], 'run')}: mean {f'{mean:.3%}' if name == 'test' else f'{name} {mean:.4g}'}{spread}")


def _by_crew() -> Callable[..., Iterator[tuple[int, dict[str, Any]]]]:
    """Return the function that trains the runs of a series in several processes."""
    try:
        from plainnet.sweep.series import record_runs
    except ImportError as error:
        raise InputError("--jobs and --dask need joblib and Dask: pip install 'plainnet[sweep]'") from error
    return record_runs


def _named(figure: str) -> str:
    """Return the name to print for the main figure of a run."""
    return "test" if figure == "test_accuracy" else figure.replace("_", " ")


def seeds_in(text: str) -> range:
    """Return the seeds that FIRST:END names.

    Raises: `InputError` if it is not of that form.
    """
    first, _, end = text.partition(":")
    if not (first.isdecimal() and end.isdecimal() and len(text) < 20 and int(first) < int(end)):
        raise InputError(f"--seeds must be FIRST:END with FIRST below END, such as 0:3, received {text!r}")
    return range(int(first), int(end))
