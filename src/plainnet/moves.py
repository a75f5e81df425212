"""Moves: what is changed while a training goes on, each kept with its step, so that it can be done again.

A training that is given the moves of another, and its seed, comes to the same weights.
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

_USUAL = {"rotation": 15.0, "scale": 0.12, "shear": 0.1, "shift": 2.0, "elastic": 0.7}  # as recipe cnn has it


class Move(NamedTuple):
    """A change before a step, counted from 0: of "learning_rate", "momentum", "dropout" or "augmentation"."""

    step: int
    what: str
    value: float


def move(training: Training, what: str, value: float) -> None:
    """Change a setting of a training from its next batch on.

    `learning_rate`: from now on this one, in place of the schedule. `momentum`: that of SGD. `dropout`: the rate of all
    Dropout layers. `augmentation`: how much images are changed, from 0, not at all, to 1, as in recipe cnn.

    Raises: `InputError` for another setting, a value out of range, or what the training does not have.
    """
    if what not in _MOVES:
        raise InputError(f"what can be moved is {', '.join(_MOVES)}, received {what!r:.40}")
    most, change = _MOVES[what]
    if not 0 <= number(value, what) <= most:
        raise InputError(f"{what} must be from 0 to {most:g}, received {value:g}")
    change(training, float(value))


def settings(training: Training) -> dict[str, float]:
    """Return what can be moved of a training, and how it stands: the rate that the schedule gives now among them."""
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
        raise InputError(f"{type(training.optimizer).__name__} has no momentum to be moved; SGD has")
    training.optimizer.momentum = value


def _dropout(training: Training, value: float) -> None:
    layers = [layer for _, layer in training.network.walk() if isinstance(layer, Dropout)]
    if not layers:
        raise InputError("the network has no Dropout layer; add one to move its rate")
    for layer in layers:
        layer.rate = value
    training.workers.forget()  # processes have copies of the layers


def _augmentation(training: Training, value: float) -> None:
    if training.train.inputs.ndim not in (3, 4):
        raise InputError("the examples are no images, which alone can be turned and bent")
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
