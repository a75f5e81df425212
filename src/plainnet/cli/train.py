"""`plainnet train`: train a recipe and write its results."""

from __future__ import annotations

import shlex
import signal
from collections import deque
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter

from plainnet import checkpoint
from plainnet.cli.own_data import OwnData, about, load_data
from plainnet.cli.own_layers import read_layers
from plainnet.cli.saying import say
from plainnet.cli.whole_number import WholeNumber
from plainnet.errors import InputError, TrainingDivergedError, TrainingInterruptedError
from plainnet.evaluation import examples
from plainnet.foreign.showing import counted
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
) -> None:
    """Train a recipe, on MNIST or on data of your own, and write the model, figures and pictures to a folder.

    Parameters
    ----------
    recipe
        A name that `plainnet recipes` lists, or the path of a .toml file; if left out, classic, or with --data what
        suits it.
    out
        The folder for the results; results if left out.
    epochs
        Passes over the training images, instead of the recipe's number.
    seed
        Decides the first weights and the order of the images; 0 if left out.
    limit
        Train on this many examples only, for a quick look.
    folds
        Cross-validate: train this many times, each time with another part of the examples to validate.
    threads
        Threads for matrix products, over all workers; if left out, what a few timed steps show to be quickest.
    quiet
        Print nothing.
    set_
        Replace a value of the recipe: KEY=VALUE, once for each.
    resume
        Go on with the interrupted training in this folder; its settings are known there.
    checkpoint_every
        Seconds between checkpoints, beside the one after each epoch.
    force
        Start anew even if the folder holds a training, and replace its results at the end.
    no_pictures
        Draw nothing and write no report, which saves time.
    layers
        A Python file with layers of your own that the recipe uses; it is run.
    own_data
        Data of your own.
    """
    import numpy as np

    from plainnet.cli.progress import show
    from plainnet.runs import results, saving
    from plainnet.runs.folder_lock import locked
    from plainnet.runs.run import Run

    if seed is not None and seed < 0:
        raise InputError(f"the seed must be at least 0, received {seed}")
    if not checkpoint_every > 0:
        raise InputError(f"--checkpoint-every must be a number of seconds above 0, received {checkpoint_every}")
    if resume is not None and (out is not None or force):
        raise InputError("--resume goes on in the folder it names; leave out --out and --force")
    folder = resume or out or Path("results")
    own = read_layers(layers)
    go_on = shlex.join(
        ["plainnet", "train", "--resume", str(folder), *([] if layers is None else ["--layers", str(layers)])]
    )
    overrides = dict(map(parse_override, set_ or [])) | ({} if epochs is None else {"epochs": epochs})
    known = resume is not None or (recipe or "").endswith(".toml") or any(key.startswith("data") for key in overrides)
    overrides |= (own_data or OwnData()).overrides(path_known=known)
    if resume is not None:
        if (folder / results.DONE).exists() and not checkpoint.present(folder):
            raise InputError(f"the training in {folder} is finished; there is nothing to go on with")
        found = saving.read_checkpoint(folder)
        stored = found.about["run"]
        chosen = (
            read(recipe, overrides, own_layers=own)
            if recipe
            else Recipe.from_table(override(stored["recipe"], overrides), own)
        )
        seed, limit = stored["seed"] if seed is None else seed, stored["limit"] if limit is None else limit
        data = load_data(chosen.data, quiet=quiet)
    else:
        chosen, data = _chosen(recipe, overrides, own, quiet)
    if folds is not None:
        _cross_validate(chosen, folds, folder, quiet=quiet, seed=seed or 0, limit=limit, threads=threads)
        return
    with np.errstate(all="ignore"):  # a loss that is not finite is reported, in one sentence
        run = Run(chosen, data, seed=seed or 0, limit=limit, threads=threads)
        results.check_writable(folder)
        with locked(folder):
            changed = ""
            if resume is not None:
                changed = saving.resume(run, found)
            elif force:
                checkpoint.remove(folder)
            else:
                results.check_free(folder)
            under_way = saving.events(run, folder, every=checkpoint_every)
            try:
                if quiet:
                    deque(under_way, maxlen=0)
                else:
                    say(_introduction(run, resume, changed))
                    show(under_way, run.recipe.epochs)
            except TrainingInterruptedError as error:
                raise TrainingInterruptedError(error.signal, f"{error}; go on with: {go_on}") from None
            except TrainingDivergedError as error:
                look = shlex.join(["plainnet", "diagnose", str(folder)])
                raise TrainingDivergedError(f"{error}; {_likely_cause(folder, own)}; more by: {look}") from None
            try:
                names = results.write_results(run, folder, pictures=not no_pictures)
                names += _report(folder, run.data, own, wanted=not no_pictures)
            except KeyboardInterrupt:
                stopped = "stopped while the results were written; the training is done and saved"
                raise TrainingInterruptedError(signal.SIGINT, f"{stopped}; go on with: {go_on}") from None
    if not quiet and run.test is not None:
        say(results_table(run.metrics(), run.test.lines()) + f"\n\n{folder}/ holds {', '.join(names)}")


def _chosen(
    name: str | None, overrides: dict[str, Any], own: tuple[type[Layer], ...], quiet: bool
) -> tuple[Recipe, Splits]:
    """Return the recipe, and the data that it says; without a name, the recipe that suits the data."""
    if name is not None or not any(key.partition(".")[0] == "data" for key in overrides):
        chosen = read(name or "classic", overrides, own_layers=own)
        return chosen, load_data(chosen.data, quiet=quiet)
    described = override({}, {key: value for key, value in overrides.items() if key.partition(".")[0] == "data"})
    data = load_data(described["data"], quiet=quiet)
    suits = recipe_for(data.examples)
    if not quiet:
        say(f"recipe {suits}, which suits these data; plainnet train NAME takes another")
    return read(suits, overrides, own_layers=own), data


def _cross_validate(recipe: Recipe, count: int, folder: Path, *, quiet: bool, **settings: Any) -> None:
    """Train a recipe once a fold, say how good each was, and write the figures to folds.json."""
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
            say(f"fold {fold['fold'] + 1} of {count}: {fold['examples']:,} examples validate: {told}")
    summary = mean_and_spread(figures)
    table = {"recipe": recipe.to_table(), "folds": figures, "mean_and_sd": summary}
    write_atomically(folder / "folds.json", to_json(table))
    if not quiet:
        for name, (mean, deviation) in summary.items():
            say(f"{name.replace('_', ' ')}: mean {shown(name, mean)}, standard deviation {shown(name, deviation)}")
        say(f"{folder}/ holds folds.json; the test part has not been opened")


def _report(folder: Path, data: Splits, own: tuple[type[Layer], ...], *, wanted: bool) -> list[str]:
    """Write the report of a finished training into its folder, or remove that of an earlier one."""
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
    """Return the first finding about a training that diverged, in a few words."""
    from plainnet.diagnosis import findings, read_case

    first = findings(read_case(folder, own_layers=own_layers))[0]
    return f"likely cause: {first.name}, {first.evidence}"


def _introduction(run: Run, resumed: Path | None, changed: str) -> str:
    """Return what is about to be trained, and where it goes on if it was interrupted."""
    to_validate = f", {len(run.validation):,} to validate" if run.validation else ""
    found = about(run.recipe.data, run.data)
    counts = f"{len(run.train):,} {examples(run.train)} to train on{to_validate}, {len(run.data.test):,} to test"
    lines = [run.recipe.title, *found, counts, "", run.network.summary(), ""]
    if resumed is not None:
        done = f"{counted(len(run.history), 'epoch')} and {counted(run.training.batch, 'batch')}"
        lines.append(f"going on in {resumed} after {done}")
        if changed:
            lines.append(f"since then {changed}: the result may differ from an uninterrupted one in its last bits")
        lines.append("")
    return "\n".join(lines)


def results_table(metrics: dict[str, Any], judged: list[tuple[str, str]]) -> str:
    """Return the figures of a finished run, and what the test part `judged`, as lines to read."""
    minutes, seconds = divmod(round(metrics["seconds"]), 60)
    shifts = metrics["settings"]["test_shifts"]
    (name, figure), *rest = judged
    views = f"   by {(2 * shifts + 1) ** 2} views of each image; those below by one" if shifts else ""
    rows = [(name, figure + views)]
    seen, trained_on = (
        metrics.get(f"{key}_images") or metrics[f"{key}_examples"] for key in ("train_accuracy", "train")
    )
    of_some = "" if seen == trained_on else f"   (of {seen:,} of them)"
    names = [key.removeprefix("train_") for key in metrics if f"validation_{key.removeprefix('train_')}" in metrics]
    for name in names:
        for part, remark in (("train", of_some), ("validation", "")):
            if (value := metrics[f"{part}_{name}"]) is not None:
                figure = f"{value:.2%}" if name == "accuracy" else f"{value:.4g}"
                rows.append((f"{part} {name.replace('_', ' ')}", figure + remark))
    if metrics.get("train_validation_gap") is not None:
        rows.append(("gap, train - validation", f"{100 * metrics['train_validation_gap']:.2f} points"))
    rows += [*rest, ("training time", f"{minutes} min {seconds} s for {counted(metrics['epochs'], 'epoch')}")]
    return "\n".join(f"{name:<26}{value}" for name, value in rows)
