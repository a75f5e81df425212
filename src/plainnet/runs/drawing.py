"""The pictures of a finished run, drawn by two processes in parallel if the system can fork."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import Any

from matplotlib.figure import Figure

from plainnet import forking
from plainnet.evaluation import AnyEvaluation, LabelEvaluation, NumberEvaluation
from plainnet.forking import Fork
from plainnet.pictures.confusing_pairs import confusing_pairs
from plainnet.pictures.confusion_matrix import confusion_matrix
from plainnet.pictures.curves import training_curves
from plainnet.pictures.errors import errors
from plainnet.pictures.first_layer import first_layer
from plainnet.pictures.label_figures import label_figures
from plainnet.pictures.recall_and_precision import recall_and_precision
from plainnet.pictures.reliability import reliability
from plainnet.pictures.sample_predictions import sample_predictions
from plainnet.pictures.style import png
from plainnet.runs.run import Run
from plainnet.runs.threads import available_cores

Task = tuple[Callable[..., Figure | None], tuple[Any, ...]]  # a function that draws, and its arguments


def pngs(run: Run, test: AnyEvaluation) -> dict[str, bytes | None]:
    """Return the pictures of a finished run as PNG files, by name; None for pictures that its inputs do not allow."""
    todo, drawn = tasks(run, test), {}
    names, fork = list(todo), None

    def draw_half(connection: Any) -> None:
        connection.send({name: _drawn(todo[name]) for name in names[::2]})

    if forking.possible() and available_cores() > 1:
        with contextlib.suppress(OSError):  # no more processes or memory; this process then draws everything
            fork = Fork(draw_half)
    if fork is not None:
        drawn = {name: _drawn(todo[name]) for name in names[1::2]}
        with contextlib.suppress(EOFError):  # the other process failed; drawing its part below shows why
            drawn |= fork.connection.recv()
        fork.end()
    return {name: drawn[name] if name in drawn else _drawn(todo[name]) for name in names}


def tasks(run: Run, test: AnyEvaluation) -> dict[str, Task]:
    """Return how to draw each picture of a finished run, by its name; the slowest come first."""
    at_first = run.recipe.network(rng=run.seed)
    for_all: dict[str, Task] = {
        "first_layer_weights": (first_layer, (run.network, at_first, test.data.class_names)),
        "training_curves": (training_curves, (run.history, run.recipe.title)),
    }
    if isinstance(test, NumberEvaluation):
        return {"errors": (errors, (test,))} | for_all
    if isinstance(test, LabelEvaluation):
        return {"per_label_figures": (label_figures, (test,))} | for_all
    return {
        "confusion_matrix": (confusion_matrix, (test,)),
        "sample_predictions": (sample_predictions, (test,)),
        "confusing_pairs": (confusing_pairs, (test,)),
        f"per_{test.noun}_accuracy": (recall_and_precision, (test,)),
        "reliability": (reliability, (test,)),
    } | for_all


def _drawn(task: Task) -> bytes | None:
    draw, arguments = task
    figure = draw(*arguments)
    return None if figure is None else png(figure)
