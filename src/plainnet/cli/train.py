"""`plainnet train`: train a recipe and write its results."""

from __future__ import annotations

import shlex
import signal
from collections import deque
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter

from plainnet import checkpoint
from plainnet.cli.own_layers import read_layers
from plainnet.cli.saying import say
from plainnet.cli.whole_number import WholeNumber
from plainnet.data import mnist
from plainnet.errors import InputError, TrainingDivergedError, TrainingInterruptedError
from plainnet.foreign.showing import counted
from plainnet.recipes import Recipe, override, parse_override, read

if TYPE_CHECKING:
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
    data_dir: Path | None = None,
    threads: WholeNumber | None = None,
    quiet: Annotated[bool, Parameter(negative=())] = False,
    set_: Annotated[list[str] | None, Parameter(name="--set", negative=())] = None,
    resume: Path | None = None,
    checkpoint_every: float = EVERY,
    force: Annotated[bool, Parameter(negative=())] = False,
    no_pictures: Annotated[bool, Parameter(negative=())] = False,
    layers: Path | None = None,
) -> None:
    """Train a recipe on MNIST and write the model, figures and pictures to a folder.

    Parameters
    ----------
    recipe
        A name that `plainnet recipes` lists, or the path of a .toml file; classic if left out.
    out
        The folder for the results; results if left out.
    epochs
        Passes over the training images, instead of the recipe's number.
    seed
        Decides the first weights and the order of the images; 0 if left out.
    limit
        Train on this many images only, for a quick look.
    data_dir
        A folder with four IDX files to use instead of the embedded MNIST.
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
        Draw nothing, which saves time.
    layers
        A Python file with layers of your own that the recipe uses; it is run.
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
        data_dir = data_dir or (found.about["data_dir"] and Path(found.about["data_dir"]))
    else:
        chosen = read(recipe or "classic", overrides, own_layers=own)
    data = mnist.load(data_dir)
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
            under_way = saving.events(run, folder, every=checkpoint_every, data_dir=data_dir)
            try:
                if quiet:
                    deque(under_way, maxlen=0)
                else:
                    say(_introduction(run, resume, changed))
                    show(under_way, chosen.epochs)
            except TrainingInterruptedError as error:
                raise TrainingInterruptedError(error.signal, f"{error}; go on with: {go_on}") from None
            except TrainingDivergedError as error:
                look = shlex.join(["plainnet", "diagnose", str(folder)])
                raise TrainingDivergedError(f"{error}; {_likely_cause(folder, own)}; more by: {look}") from None
            try:
                names = results.write_results(run, folder, data_dir, pictures=not no_pictures)
            except KeyboardInterrupt:
                stopped = "stopped while the results were written; the training is done and saved"
                raise TrainingInterruptedError(signal.SIGINT, f"{stopped}; go on with: {go_on}") from None
    if not quiet:
        say(results_table(run.metrics()) + f"\n\n{folder}/ holds {', '.join(names)}")


def _likely_cause(folder: Path, own_layers: tuple[type[Layer], ...]) -> str:
    """Return the first finding about a training that diverged, in a few words."""
    from plainnet.diagnosis import findings, read_case

    first = findings(read_case(folder, own_layers=own_layers))[0]
    return f"likely cause: {first.name}, {first.evidence}"


def _introduction(run: Run, resumed: Path | None, changed: str) -> str:
    """Return what is about to be trained, and where it goes on if it was interrupted."""
    to_validate = f", {len(run.validation):,} to validate" if run.validation else ""
    lines = [run.recipe.title, f"{len(run.train):,} images to train on{to_validate}", "", run.network.summary(), ""]
    if resumed is not None:
        done = f"{counted(len(run.history), 'epoch')} and {counted(run.training.batch, 'batch')}"
        lines.append(f"going on in {resumed} after {done}")
        if changed:
            lines.append(f"since then {changed}: the result may differ from an uninterrupted one in its last bits")
        lines.append("")
    return "\n".join(lines)


def _of_some(metrics: dict[str, Any]) -> str:
    """Say of how many images the training accuracy is, if not of all."""
    seen = metrics["train_accuracy_images"]
    return "" if seen == metrics["train_images"] else f"   (of {seen:,} of them)"


def results_table(metrics: dict[str, Any]) -> str:
    """Return the figures of a finished run as lines to read."""
    low, high = metrics["test_interval_95"]
    digits = metrics["per_digit_accuracy"]
    best, worst = metrics["best_digit"], metrics["worst_digit"]
    minutes, seconds = divmod(round(metrics["seconds"]), 60)
    shifts = metrics["settings"]["test_shifts"]
    views = f"   by {(2 * shifts + 1) ** 2} views of each image; those below by one" if shifts else ""
    rows = {
        "test accuracy": f"{metrics['test_accuracy']:.2%}   (95 % interval {low:.2%} to {high:.2%}){views}",
        "train accuracy": f"{metrics['train_accuracy']:.2%}{_of_some(metrics)}",
    }
    if metrics["validation_accuracy"] is not None:
        rows["validation accuracy"] = f"{metrics['validation_accuracy']:.2%}"
        rows["gap, train - validation"] = f"{100 * metrics['train_validation_gap']:.2f} points"
    rows |= {
        "best class": f"{best}  ({digits[best]:.2%})",
        "worst class": f"{worst}  ({digits[worst]:.2%})",
        "training time": f"{minutes} min {seconds} s for {counted(metrics['epochs'], 'epoch')}",
    }
    return "\n".join(f"{name:<26}{value}" for name, value in rows.items())
