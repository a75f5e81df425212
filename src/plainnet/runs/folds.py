"""Cross-validation: one training run per fold, validated on the part that it has not seen; the test set is not used."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from plainnet.errors import InputError
from plainnet.recipes import Recipe
from plainnet.runs.run import Run
from plainnet.sources import load_described


def folds(recipe: Recipe, count: int, **settings: Any) -> Iterator[dict[str, Any]]:
    """Train once for each of `count` folds, and yield the last validation figures of each, by name.

    `settings` are those of `Run`. Every example outside the test set is used for validation once.

    Raises: `InputError` for the embedded MNIST, which has a fixed split, or fewer than 2 folds.
    """
    if recipe.data is None:
        raise InputError("--folds splits your own data; give them with --data")
    for number in range(count):
        data = load_described(recipe.data, fold=(number, count))
        run = Run(recipe, data, **settings)
        for _ in run.epochs():
            pass
        kept = run.stop.best if run.stop is not None and run.stop.best is not None else len(run.history)
        last = run.history[kept - 1]
        assert last.validation is not None
        yield {"fold": number, "examples": len(data.validation), "epochs": len(run.history), **last.validation}


def mean_and_spread(figures: list[dict[str, Any]]) -> dict[str, tuple[float, float]]:
    """Return the mean and the standard deviation over the folds of each figure."""
    names = [name for name in figures[0] if name not in ("fold", "examples", "epochs")]
    return {
        name: (float(np.mean([f[name] for f in figures])), float(np.std([f[name] for f in figures], ddof=1)))
        for name in names
    }
