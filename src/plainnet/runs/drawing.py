"""The pictures of a finished run, drawn by two processes at once where the system can fork them."""

from __future__ import annotations

import signal
import sys
from collections.abc import Callable
from concurrent.futures.process import BrokenProcessPool, ProcessPoolExecutor
from multiprocessing import get_context
from typing import Any

from matplotlib.figure import Figure

from plainnet.evaluation import Evaluation
from plainnet.pictures.confusing_pairs import confusing_pairs
from plainnet.pictures.confusion_matrix import confusion_matrix
from plainnet.pictures.curves import training_curves
from plainnet.pictures.first_layer import first_layer
from plainnet.pictures.recall_and_precision import recall_and_precision
from plainnet.pictures.sample_predictions import sample_predictions
from plainnet.pictures.style import png
from plainnet.runs.run import Run
from plainnet.runs.threads import available_cores

Task = tuple[Callable[..., Figure | None], tuple[Any, ...]]  # a function that draws, and its arguments


_todo: dict[str, Task] = {}  # of a process that draws for another one


def pngs(run: Run, test: Evaluation) -> dict[str, bytes | None]:
    """Return the pictures of a finished run as PNG files, by name; None for what its inputs do not allow."""
    todo = tasks(run, test)
    if sys.platform == "linux" and available_cores() > 1:
        try:
            with ProcessPoolExecutor(2, get_context("fork"), initializer=_begin, initargs=(todo,)) as pool:
                return dict(zip(todo, pool.map(_drawn_by_name, todo), strict=True))
        except (OSError, BrokenProcessPool):  # there was no process or no memory to be had; it can be done without
            pass
    return {name: _drawn(task) for name, task in todo.items()}


def tasks(run: Run, test: Evaluation) -> dict[str, Task]:
    """Return how to draw each picture of a finished run, by its name, those first that take longest."""
    at_first = run.recipe.network(rng=run.seed)
    return {
        "confusion_matrix": (confusion_matrix, (test,)),
        "sample_predictions": (sample_predictions, (test,)),
        "first_layer_weights": (first_layer, (run.network, at_first, test.data.class_names)),
        "confusing_pairs": (confusing_pairs, (test,)),
        "per_digit_accuracy": (recall_and_precision, (test,)),
        "training_curves": (training_curves, (run.history, run.recipe.title)),
    }


def _begin(todo: dict[str, Task]) -> None:
    """Make a new process ready to draw; Ctrl-C is answered by the one that it draws for."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _todo.update(todo)


def _drawn_by_name(name: str) -> bytes | None:
    return _drawn(_todo[name])


def _drawn(task: Task) -> bytes | None:
    draw, arguments = task
    figure = draw(*arguments)
    return None if figure is None else png(figure)
