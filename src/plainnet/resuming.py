"""Resuming: save everything that decides how a training run continues, and restore it in another one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import numpy as np

from plainnet.events import Epoch
from plainnet.history import History
from plainnet.moves import Move, move
from plainnet.workers import Figures

_MOST = 1e30  # the largest plausible value of a figure

if TYPE_CHECKING:
    from plainnet.training import Training


def state(training: Training) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    """Return everything that decides how training continues: arrays and JSON-compatible values, all copied.

    Raises: `TrainingDivergedError` if the weights are not finite; `InputError` if no file can hold the optimizer's
    memory.
    """
    training._check_weights()
    training.workers.gather()
    arrays = {name: tensor.copy() for name, tensor in training.network.tensors().items()}
    numbers = {}
    for name, value in training.optimizer.state().items():
        if isinstance(value, np.ndarray):
            arrays[f"optimizer.{name}"] = value
        else:
            numbers[name] = value
    if training.average is not None:
        arrays["average"] = training.average.values.copy()
    if training._best is not None:
        arrays |= {f"best.{name}": tensor.copy() for name, tensor in training._best[1].items()}
    return arrays, {
        "training": identity(training),
        "history": [epoch.to_table() for epoch in training.history],
        "batch": training.batch,
        "figures": asdict(training._figures) | {"seconds": training._seconds},
        "optimizer": numbers,
        "moves": [list(one) for one in training.moves],
        "best": None if training._best is None else training._best[0],
        "shuffle": _as_lists(training._shuffle_state),
        "generators": [_as_lists(generator.bit_generator.state) for generator in training.workers.generators],
    }


def for_other_workers(values: Mapping[str, Any], training: Training) -> dict[str, Any]:
    """Return the plain values of a state for a training run that differs only in its number of workers.

    Additional workers get new generators, as at the beginning of a training run.
    """
    fresh = [_as_lists(generator.bit_generator.state) for generator in training.workers.generators]
    kept = list(values["generators"])[: len(fresh)]
    who = dict(values["training"]) | {"workers": training.workers.number}
    return dict(values) | {"training": who, "generators": kept + fresh[len(kept) :]}


def restore(training: Training, arrays: Mapping[str, np.ndarray], values: Mapping[str, Any]) -> None:
    """Resume the training from where `state` was called.

    Raises: `KeyError`, `TypeError` or `ValueError` if it is the state of another training run; this one is then
    unchanged.
    """
    if (other := values.get("training", identity(training))) != identity(training):
        raise ValueError(f"it is the state of a training run with {other}; this one has {identity(training)}")
    tensors = _like(training.network.tensors(), arrays)
    training.network.expect_fitting(tensors)
    average = None if training.average is None else _like({"average": training.average.values}, arrays)["average"]
    of_best = {name[5:]: array for name, array in arrays.items() if name.startswith("best.")}
    best = values["best"] and (int(values["best"]), _like(training.network.tensors(), of_best))
    if best and not 1 <= best[0] <= len(values["history"]):
        raise ValueError(f"its best epoch is {best[0]} of {len(values['history'])}")
    history = History(Epoch.from_table(table) for table in values["history"])
    batch, so_far = values["batch"], values["figures"]
    if type(batch) is not int or not 0 <= batch <= training.steps_per_epoch or len(history) > training.epochs:
        raise ValueError(f"its {len(history)} epochs and {batch!r} batches do not fit")
    sums = {str(name): float(value) for name, value in dict(so_far["metrics"]).items()}
    figures = Figures(float(so_far["loss"]), sums, float(so_far["weight"]), float(so_far["counted"]))
    seconds = float(so_far["seconds"])
    if not all(abs(f) < _MOST for f in (figures.loss, figures.weight, figures.counted, seconds, *sums.values())):
        raise ValueError("the figures of its epoch are not finite numbers")
    _expect_of_training(history, training)
    generators = [training._shuffle, *training.workers.generators]
    states = [values["shuffle"], *values["generators"]]
    for generator, state in zip(generators, states, strict=True):
        type(generator.bit_generator)().state = state  # raises if it is not one
    moves = [Move(int(step), str(what), float(value)) for step, what, value in values.get("moves", [])]
    memory = {k.removeprefix("optimizer."): a for k, a in arrays.items() if k.startswith("optimizer.")}
    training.optimizer.restore(values["optimizer"] | memory)
    # Nothing below can fail.
    for generator, state in zip(generators, states, strict=True):
        generator.bit_generator.state = state
    training._shuffle_state = training._shuffle.bit_generator.state
    training.history, training.batch, training._figures, training._seconds, training._best = (
        history,
        batch,
        figures,
        seconds,
        best,
    )
    training.moves = moves
    training._to_come = [one for one in training._to_come if one not in moves]
    for one in moves:
        move(training, one.what, one.value)
    training.network.restore(tensors)
    if training.average is not None and average is not None:
        training.average.values[:] = average
    training._keep_finite("of the checkpoint")


def _expect_of_training(history: History, training: Training) -> None:
    """Raise `ValueError` if these cannot be the first epochs of the training."""
    metrics, validated = training.workers.metrics.keys(), training.validation is not None
    for number, epoch in enumerate(history, start=1):
        figures = (epoch.train_loss, epoch.learning_rate, *epoch.train.values())
        whole = (
            epoch.number == number
            and epoch.train.keys() == metrics
            and (epoch.validation_loss is not None) == validated
            and all(abs(figure) < _MOST for figure in figures)  # False for NaN
            and 0 <= epoch.seconds < _MOST
        )
        if not whole:
            raise ValueError(f"its history holds {epoch.to_table()} as epoch {number}")


def identity(training: Training) -> dict[str, Any]:
    """Return what two training runs must have in common for one to resume from the other's state."""
    return {
        "examples": len(training.train),
        "batch_size": training.batch_size,
        "workers": training.workers.number,
        "optimizer": type(training.optimizer).__name__,
        "averaging": None if training.average is None else training.average.decay,
    }


def _as_lists(state: Any) -> Any:
    """Return a JSON-compatible copy of a generator's state, with lists instead of arrays."""
    if isinstance(state, Mapping):
        return {key: _as_lists(value) for key, value in state.items()}
    return state.tolist() if isinstance(state, np.ndarray) else state


def _like(mine: Mapping[str, np.ndarray], given: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Return copies of the arrays in `given` that have the names of `mine`.

    Raises: `KeyError` or `ValueError` if one is missing, is not finite, or has another shape or type.
    """
    given = {name: np.asarray(given[name]) for name in mine}
    for name, array in mine.items():
        if not np.isfinite(np.asarray(given[name])).all():
            raise ValueError(f"{name} holds numbers that are not finite")
        if (given[name].shape, given[name].dtype) != (array.shape, array.dtype):
            raise ValueError(
                f"{name} is {given[name].dtype} of shape {given[name].shape}, not {array.dtype} of shape {array.shape}"
            )
    return {name: given[name].copy() for name in mine}
