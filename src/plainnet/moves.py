"""Moves: changes of settings during training, each recorded with its step, so that they can be repeated.

A training that gets the moves and the seed of another one ends with the same weights.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

from plainnet.config import number
from plainnet.data.augmentation import Augmentation
from plainnet.errors import InputError
from plainnet.layers import Dropout
from plainnet.optimizers import SGD
from plainnet.schedules import constant

if TYPE_CHECKING:
    from plainnet.training import Training

_USUAL = {"rotation": 15.0, "scale": 0.12, "shear": 0.1, "shift": 2.0, "elastic": 0.7}  # as in recipe cnn


class Move(NamedTuple):
    """A change of "learning_rate", "momentum", "dropout" or "augmentation" before a step, counted from 0."""

    step: int
    what: str
    value: float


def move(training: Training, what: str, value: float) -> None:
    """Change a setting of a training run from its next batch on.

    `learning_rate`: a constant that replaces the schedule. `momentum`: that of SGD. `dropout`: the rate of all Dropout
    layers. `augmentation`: how much images are changed, from 0 (not at all) to 1 (as in recipe cnn).

    Raises: `InputError` for an unknown setting, a value out of range, or a setting that the training does not have.
    """
    if what not in _MOVES:
        raise InputError(f"a training run can change {', '.join(_MOVES)}, received {what!r:.40}")
    most, change = _MOVES[what]
    if not 0 <= number(value, what) <= most:
        raise InputError(f"{what} must be from 0 to {most:g}, received {value:g}")
    change(training, float(value))


def settings(training: Training) -> dict[str, float]:
    """Return the settings that `move` can change, with their current values."""
    found = {"learning_rate": float(training.schedule(training.steps, training.steps_per_epoch, training.epochs))}
    if isinstance(training.optimizer, SGD):
        found["momentum"] = training.optimizer.momentum
    rates = [layer.rate for _, layer in training.network.walk() if isinstance(layer, Dropout)]
    if rates:
        found["dropout"] = rates[0]
    if training.train.inputs.ndim in (3, 4):
        turned = 0.0 if training.augmentation is None else float(training.augmentation.most["rotation"])
        found["augmentation"] = min(1.0, turned / _USUAL["rotation"])
    return found


def _learning_rate(training: Training, value: float) -> None:
    training.schedule = constant(value) if value > 0 else _nothing


def _nothing(step: int, steps_per_epoch: int, epochs: int) -> float:
    return 0.0


def _momentum(training: Training, value: float) -> None:
    if not isinstance(training.optimizer, SGD):
        raise InputError(f"{type(training.optimizer).__name__} has no momentum to change; SGD has")
    training.optimizer.momentum = value


def _dropout(training: Training, value: float) -> None:
    layers = [layer for _, layer in training.network.walk() if isinstance(layer, Dropout)]
    if not layers:
        raise InputError("the network has no Dropout layer; add one to change its rate")
    for layer in layers:
        layer.rate = value
    training.workers.forget()  # processes have copies of the layers


def _augmentation(training: Training, value: float) -> None:
    if training.train.inputs.ndim not in (3, 4):
        raise InputError("the examples are not images; only images can be augmented")
    settings: dict[str, Any] = {name: most * value for name, most in _USUAL.items()}
    made = Augmentation(**settings) if value > 0 else None
    training.augmentation = training.workers.augmentation = made
    training.workers.forget()


_MOVES: dict[str, tuple[float, Callable[[Training, float], Any]]] = {
    "learning_rate": (1e6, _learning_rate),
    "momentum": (0.999999, _momentum),
    "dropout": (0.999, _dropout),
    "augmentation": (1.0, _augmentation),
}
