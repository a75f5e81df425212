"""`plainnet train`: train a recipe and write its results."""

from __future__ import annotations

import shlex
import signal
import sys
from collections import deque
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter

from plainnet import checkpoint
from plainnet.cli.own_data import OwnData, load_data
from plainnet.cli.own_layers import mistake_of_ones_own, read_layers
from plainnet.cli.saying import say
from plainnet.cli.told_of_training import introduction, results_table
from plainnet.cli.whole_number import WholeNumber
from plainnet.errors import InputError, TrainingDivergedError, TrainingInterruptedError
from plainnet.recipes import Recipe, override, parse_override, read, recipe_for
from plainnet.writing import to_json, write_atomically

if TYPE_CHECKING:
    from plainnet.data.splits import Splits
    from plainnet.layers import Layer
    from plainnet.runs.run import Run

EVERY = 60.0  # seconds


def train(
    recipe: str | None = None,
    /,
    *,
    out: Path | None = None,
    epochs: WholeNumber | None = None,
    seed: WholeNumber | None = None,
    limit: WholeNumber | None = None,
    own_data: OwnData | None = None,
    folds: WholeNumber | None = None,
    threads: WholeNumber | None = None,
    quiet: Annotated[bool, Parameter(negative=())] = False,
    set_: Annotated[list[str] | None, Parameter(name="--set", negative=())] = None,
    resume: Path | None = None,
    checkpoint_every: float = EVERY,
    force: Annotated[bool, Parameter(negative=())] = False,
    no_pictures: Annotated[bool, Parameter(negative=())] = False,
    layers: Path | None = None,
    mpi: Annotated[bool, Parameter(negative=())] = False,
    reduction: str | None = None,
) -> None:
    """Train a recipe on MNIST or on your own data. Write the model, metrics and plots to a folder.

    Parameters
    ----------
    recipe
        A name that `plainnet recipes` lists, or the path of a .toml file.
        Default: classic, or with --data the recipe that fits the data.
    out
        The folder for the results. Default: results.
    epochs
        The number of epochs (passes over the training images), instead of the recipe's number.
    seed
        Seed of the initial weights and of the order of the images. Default: 0.
    limit
        Train on this many examples only, for a quick look.
    folds
        Cross-validate: train this many times, each time with a different part of the examples for validation.
    threads
        Total number of threads for matrix products. Default: the number that is fastest in a few timed steps.
        With --mpi, the threads of each process. Default: one per worker.
    quiet
        Print nothing.
    set_
        Replace a value of the recipe: KEY=VALUE. May be repeated.
    resume
        Resume the interrupted run in this folder, with its settings.
    checkpoint_every
        Seconds between checkpoints, in addition to the one after each epoch.
    force
        Start again even if the folder holds a training run, and overwrite its results at the end.
    no_pictures
        Skip the pictures and the report, which saves time.
    layers
        A Python file with your own layers, which the recipe uses. It is executed.
    mpi
        Join the processes that mpirun has started, and share the work of each batch with them.
    reduction
        How MPI processes add up gradients: ordered (always the same bits) or allreduce (as fast as possible).
    own_data
        Your own data.
    """
    import numpy as np

    from plainnet.mpi.job import Alone, joined
    from plainnet.mpi.launcher import rank_by_environment
    from plainnet.runs import results, saving
    from plainnet.runs.folder_lock import locked
    from plainnet.runs.run import Run

    if seed is not None and seed < 0:
        raise InputError(f"the seed must be at least 0, received {seed}")
    if not checkpoint_every > 0:
        raise InputError(f"--checkpoint-every must be a number of seconds above 0, received {checkpoint_every}")
    if resume is not None and (out is not None or force):
        raise InputError("--resume already names the folder; leave out --out and --force")
    if reduction is not None and not mpi:
        raise InputError("--reduction needs --mpi; add --mpi, or leave out --reduction")
    if not mpi and (started := rank_by_environment()[1]) > 1:
        raise InputError(f"{started} processes were started, and each would train alone; add --mpi")
    folder = resume or out or Path("results")
    more = [*([] if layers is None else ["--layers", str(layers)]), *["--mpi"] * mpi]
    command = shlex.join(["plainnet", "train", "--resume", str(folder), *more])
    overrides = dict(map(parse_override, set_ or [])) | ({} if epochs is None else {"epochs": epochs})
    known = resume is not None or (recipe or "").endswith(".toml") or any(key.startswith("data") for key in overrides)
    overrides |= (own_data or OwnData()).overrides(path_known=known)
    with ExitStack() as stack:
        job = stack.enter_context(joined(reduction or "ordered", command)) if mpi else Alone(command)
        stack.enter_context(_mistakes_of_ones_own())
        quiet = quiet or not job.leads
        if mpi and folds is not None:
            job.refuse("--folds does not work with --mpi; leave out one of them")
        own = job.together(partial(read_layers, layers))
        found = None if resume is None else job.same(partial(_unfinished, resume))
        if found is not None:
            stored = found.about["run"]
            seed, limit = stored["seed"] if seed is None else seed, stored["limit"] if limit is None else limit
            recipe_of = partial(_stored, stored["recipe"], recipe, overrides, own, quiet)
        else:
            recipe_of = partial(_chosen, recipe, overrides, own, quiet)
        chosen, data = job.together(recipe_of)
        if folds is not None:
            _cross_validate(chosen, folds, folder, quiet=quiet, seed=seed or 0, limit=limit, threads=threads)
            return
        threads = chosen.workers if mpi and threads is None else threads  # each process might choose another number
        stack.enter_context(np.errstate(all="ignore"))  # a loss that is not finite is reported in one sentence
        run = job.together(lambda: Run(chosen, data, seed=seed or 0, limit=limit, threads=threads, team=job.team))
        job.expect_same(run.settings(), "recipe and data")

        def enter_folder() -> None:
            results.check_writable(folder)
            stack.enter_context(locked(folder))
            if force:
                checkpoint.remove(folder)
            elif resume is None:
                results.check_free(folder)

        job.same(enter_folder)
        changed = "" if found is None else job.together(lambda: saving.resume(run, found))
        if not quiet:
            say(introduction(run, resume, changed, str(job)))
        _follow(saving.events(run, folder, every=checkpoint_every), run, folder, own, job.resume_with, quiet=quiet)
        if not job.leads:
            return
        try:
            names = results.write_results(run, folder, pictures=not no_pictures)
            names += _report(folder, run.data, own, wanted=not no_pictures)
        except KeyboardInterrupt:
            stopped = "stopped while the results were written; the training is done and saved"
            raise TrainingInterruptedError(signal.SIGINT, f"{stopped}; {job.resume_with}") from None
        if not quiet and run.test is not None:
            say(results_table(run.metrics(), run.test.lines()) + f"\n\n{folder}/ holds {', '.join(names)}")


@contextmanager
def _mistakes_of_ones_own() -> Iterator[None]:
    """Report an error in the user's own layers with its file and line, in whichever process it happens."""
    try:
        yield
    except Exception as error:
        if isinstance(error, InputError) or (said := mistake_of_ones_own(error)) is None:
            raise
        raise InputError(said) from error


def _unfinished(folder: Path) -> checkpoint.Checkpoint:
    """Return the checkpoint from which the run in a folder can resume."""
    from plainnet.runs import results, saving

    if (folder / results.DONE).exists() and not checkpoint.present(folder):
        raise InputError(f"the run in {folder} is finished; there is nothing to resume")
    found = saving.read_checkpoint(folder)
    if found.path.name != checkpoint.NEWEST and (folder / checkpoint.NEWEST).exists():
        say(f"plainnet: {folder / checkpoint.NEWEST} is damaged; using the checkpoint before it", to=sys.stderr)
    return found


def _follow(
    events: Iterable[object], run: Run, folder: Path, own: tuple[type[Layer], ...], resume_with: str, *, quiet: bool
) -> None:
    """Train to the end, and show its progress."""
    from plainnet.cli.progress import show

    try:
        if quiet:
            deque(events, maxlen=0)
        else:
            show(events, run.recipe.epochs)
    except TrainingInterruptedError as error:
        raise TrainingInterruptedError(error.signal, f"{error}; {resume_with}") from None
    except TrainingDivergedError as error:
        if not run.training.workers.leads:
            raise
        look = shlex.join(["plainnet", "diagnose", str(folder)])
        raise TrainingDivergedError(f"{error}; {_likely_cause(folder, own)}; for more, run: {look}") from None


def _stored(
    table: dict[str, Any], name: str | None, overrides: dict[str, Any], own: tuple[type[Layer], ...], quiet: bool
) -> tuple[Recipe, Splits]:
    """Return the recipe of a resumed training run, or the named one, and the data that it names."""
    chosen = read(name, overrides, own_layers=own) if name else Recipe.from_table(override(table, overrides), own)
    return chosen, load_data(chosen.data, quiet=quiet)


def _chosen(
    name: str | None, overrides: dict[str, Any], own: tuple[type[Layer], ...], quiet: bool
) -> tuple[Recipe, Splits]:
    """Return the recipe and the data that it names; without a name, the recipe that fits the data."""
    if name is not None or not any(key.partition(".")[0] == "data" for key in overrides):
        chosen = read(name or "classic", overrides, own_layers=own)
        return chosen, load_data(chosen.data, quiet=quiet)
    described = override({}, {key: value for key, value in overrides.items() if key.partition(".")[0] == "data"})
    data = load_data(described["data"], quiet=quiet)
    suits = recipe_for(data.examples)
    if not quiet:
        say(f"recipe {suits}, which fits these data; plainnet train NAME uses another")
    return read(suits, overrides, own_layers=own), data


def _cross_validate(recipe: Recipe, count: int, folder: Path, *, quiet: bool, **settings: Any) -> None:
    """Train a recipe once per fold, print the result of each, and write the figures to folds.json."""
    from plainnet.runs.folds import folds, mean_and_spread
    from plainnet.runs.results import check_writable

    def shown(name: str, value: float) -> str:
        return f"{value:.2%}" if name == "accuracy" else f"{value:.4g}"

    if (folder / "folds.json").exists():
        raise InputError(f"{folder} holds a cross-validation, folds.json; choose another --out, or remove it")
    check_writable(folder)
    figures: list[dict[str, Any]] = []
    for fold in folds(recipe, count, **settings):
        figures.append(fold)
        if not quiet:
            told = ", ".join(f"{n.replace('_', ' ')} {shown(n, fold[n])}" for n in list(fold)[3:])
            say(f"fold {fold['fold'] + 1} of {count}: {fold['examples']:,} examples for validation: {told}")
    summary = mean_and_spread(figures)
    table = {"recipe": recipe.to_table(), "folds": figures, "mean_and_sd": summary}
    write_atomically(folder / "folds.json", to_json(table))
    if not quiet:
        for name, (mean, deviation) in summary.items():
            say(f"{name.replace('_', ' ')}: mean {shown(name, mean)}, standard deviation {shown(name, deviation)}")
        say(f"{folder}/ holds folds.json; the test part has not been used")


def _report(folder: Path, data: Splits, own: tuple[type[Layer], ...], *, wanted: bool) -> list[str]:
    """Write the report of a finished run into its folder, or remove that of an earlier one."""
    from plainnet.runs.results import REPORT

    path = folder / REPORT
    path.unlink(missing_ok=True)
    if not wanted:
        return []
    from plainnet.report.gathering import gathered
    from plainnet.report.writing import page

    write_atomically(path, page([gathered(folder, own_layers=own, data=data)]).encode())
    return [path.name]


def _likely_cause(folder: Path, own_layers: tuple[type[Layer], ...]) -> str:
    """Return the first finding about a diverged training run, in a few words."""
    from plainnet.diagnosis import findings, read_case

    first = findings(read_case(folder, own_layers=own_layers))[0]
    return f"likely cause: {first.name}, {first.evidence}"
