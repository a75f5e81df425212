"""`plainnet train`: train a recipe and write its results."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter

from plainnet.cli.whole_number import WholeNumber
from plainnet.data import mnist
from plainnet.errors import InputError


def train(
    recipe: str = "classic",
    *,
    out: Path = Path("results"),
    epochs: WholeNumber | None = None,
    seed: WholeNumber = 0,
    limit: WholeNumber | None = None,
    data_dir: Path | None = None,
    threads: WholeNumber | None = None,
    quiet: Annotated[bool, Parameter(negative=())] = False,
    set_: Annotated[list[str] | None, Parameter(name="--set", negative=())] = None,
) -> None:
    """Train a recipe on MNIST and write the model, figures and pictures to a folder.

    Parameters
    ----------
    recipe
        A name that `plainnet recipes` lists, or the path of a .toml file.
    out
        The folder for the results.
    epochs
        Passes over the training images, instead of the recipe's number.
    seed
        Decides the first weights and the order of the images.
    limit
        Train on this many images only, for a quick look.
    data_dir
        A folder with four IDX files to use instead of the embedded MNIST.
    threads
        Threads for matrix products; all cores if left out.
    quiet
        Print nothing.
    set_
        Replace a value of the recipe: KEY=VALUE, once for each.
    """
    import numpy as np

    from plainnet.application.results import check_writable, write_results
    from plainnet.application.run import Run
    from plainnet.cli.progress import show
    from plainnet.cli.threads import blas_threads
    from plainnet.recipes import parse_override, read

    overrides = dict(map(parse_override, set_ or []))
    if epochs is not None:
        overrides["epochs"] = epochs
    chosen = read(recipe, overrides)
    if seed < 0:
        raise InputError(f"the seed must be at least 0, received {seed}")
    data = mnist.load(data_dir)
    with (
        blas_threads(threads, chosen.workers),
        np.errstate(all="ignore"),
    ):  # a loss that is not finite is reported, in one sentence
        run = Run(chosen, data, seed=seed, limit=limit)
        check_writable(out)
        if quiet:
            for _ in run.epochs():
                pass
        else:
            to_validate = f", {len(data.validation):,} to validate" if chosen.validate else ""
            print(f"{chosen.title}\n{len(run.train):,} images to train on{to_validate}\n")
            print(run.network.summary() + "\n", flush=True)
            show(run)
        names = write_results(run, out)
    if not quiet:
        print(results_table(run.metrics()) + f"\n\n{out}/ holds {', '.join(names)}")


def results_table(metrics: dict[str, Any]) -> str:
    """Return the figures of a finished run as lines to read."""
    low, high = metrics["test_interval_95"]
    digits = metrics["per_digit_accuracy"]
    best, worst = metrics["best_digit"], metrics["worst_digit"]
    minutes, seconds = divmod(round(metrics["seconds"]), 60)
    rows = {
        "test accuracy": f"{metrics['test_accuracy']:.2%}   (95 % interval {low:.2%} to {high:.2%})",
        "train accuracy": f"{metrics['train_accuracy']:.2%}",
    }
    if metrics["validation_accuracy"] is not None:
        rows["validation accuracy"] = f"{metrics['validation_accuracy']:.2%}"
        rows["gap, train - validation"] = f"{100 * metrics['train_validation_gap']:.2f} points"
    rows |= {
        "best class": f"{best}  ({digits[best]:.2%})",
        "worst class": f"{worst}  ({digits[worst]:.2%})",
        "training time": f"{minutes} min {seconds} s for {metrics['epochs']} epochs",
    }
    return "\n".join(f"{name:<26}{value}" for name, value in rows.items())
