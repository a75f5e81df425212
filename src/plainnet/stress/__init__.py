"""Stress: how a classifier of images fares when they are spoiled by chance, or changed against it on purpose."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from plainnet.data.dataset import DataSet
from plainnet.data.preparation import scaled
from plainnet.errors import InputError
from plainnet.model import Model
from plainnet.stress.attacks import ATTACKS
from plainnet.stress.corruptions import CORRUPTIONS, SEVERITIES

LIMITS = (0.1, 0.2, 0.3)  # of what an attack may change each pixel by
_BATCH = 250


@dataclass
class Stress:
    """The accuracy on images as they are, for each corruption at each severity, and for each attack at each limit."""

    examples: int
    clean: float
    corruptions: dict[str, dict[str, float]] = field(default_factory=dict)
    attacks: dict[str, dict[str, float]] = field(default_factory=dict)

    @property
    def mean(self) -> float:
        """The mean accuracy over all corruptions and severities."""
        return float(np.mean([value for row in self.corruptions.values() for value in row.values()]))

    def to_table(self) -> dict[str, Any]:
        """Return the figures as plain values."""
        return {
            "examples": self.examples, "accuracy": self.clean, "mean_corrupted_accuracy": self.mean,
            "corruptions": self.corruptions, "attacks": self.attacks,
        }  # fmt: skip


def stress(
    model: Model, data: DataSet, *, most: int = 2000, attacked: int = 500, seed: int = 0,
    told: Callable[[str], None] = lambda _: None,
) -> Stress:  # fmt: skip
    """Return how a model of images answers `most` examples that are spoiled, and `attacked` that are attacked.

    It answers with one view of each image. `told` is called with the name of what is done next.

    Raises: `InputError` if it is no classifier of images from 0 to 1.
    """
    shape = model.network.in_shape
    images = scaled(data.inputs[: min(most, len(data))])
    if model.kind != "classes" or images.ndim not in (3, 4) or images.min() < 0 or images.max() > 1:
        raise InputError("only classifiers of images, of bytes or of numbers from 0 to 1, can be put under stress")
    labels = np.asarray(data.targets)[: len(images)]
    right = _judge(model, shape, labels)
    found = Stress(len(images), right(images))
    for name, corrupt in CORRUPTIONS.items():
        told(name)
        rng = np.random.default_rng([seed, len(found.corruptions)])
        found.corruptions[name] = {str(level): right(corrupt(images, level, rng)) for level in SEVERITIES}
    few = images[:attacked].reshape(-1, *shape)
    for name, attack in ATTACKS.items():
        told(name)
        changed = (_batches(few, labels, lambda x, t, e=e, a=attack: a(model.network, x, t, e, seed)) for e in LIMITS)  # type: ignore[misc]
        found.attacks[name] = {f"{e:g}": right(x) for e, x in zip(LIMITS, changed, strict=True)}
    return found


def official(model: Model, parts: Mapping[str, tuple[np.ndarray, np.ndarray]]) -> dict[str, float]:
    """Return the accuracy on corrupted images of others, by name: images and labels, as MNIST-C has them."""
    return {
        name: _judge(model, model.network.in_shape, labels)(scaled(images.reshape(-1, *model.network.in_shape)))
        for name, (images, labels) in parts.items()
    }


def _judge(model: Model, shape: tuple[int, ...], labels: np.ndarray) -> Callable[[np.ndarray], float]:
    def right(images: np.ndarray) -> float:
        answers = model.shares(images.reshape(-1, *shape)).argmax(axis=1)
        return float((answers == labels[: len(answers)]).mean())

    return right


def _batches(
    images: np.ndarray, labels: np.ndarray, attack: Callable[[np.ndarray, np.ndarray], np.ndarray]
) -> np.ndarray:
    def parts() -> Iterator[np.ndarray]:
        for start in range(0, len(images), _BATCH):
            yield attack(images[start : start + _BATCH], labels[start : start + _BATCH][: len(images) - start])

    return np.concatenate(list(parts()))
