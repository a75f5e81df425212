"""Stress test: an image classifier's accuracy on corrupted images, and on images changed on purpose to mislead it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from plainnet.data.dataset import DataSet
from plainnet.data.preparation import scaled
from plainnet.errors import InputError
from plainnet.model import Model
from plainnet.stress.attacks import ATTACKS
from plainnet.stress.corruptions import CORRUPTIONS, SEVERITIES

LIMITS = (0.1, 0.2, 0.3)  # the most that an attack may change each pixel by
_BATCH = 250


@dataclass
class Stress:
    """The accuracy on unchanged images, for each corruption at each severity, and for each attack at each limit."""

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


def stress(model: Model, data: DataSet, *, most: int = 2000, attacked: int = 500, seed: int = 0) -> Stress:
    """Measure a model's accuracy on the first `most` examples, corrupted, and on the first `attacked`, under attack.

    It answers with one view of each image.

    Raises: `InputError` if it is not a classifier of images with pixels from 0 to 1.
    """
    images, labels = scaled(data.inputs[:most]), np.asarray(data.targets)[:most]
    if model.kind != "classes" or images.ndim not in (3, 4) or images.min() < 0 or images.max() > 1:
        raise InputError("the stress test needs a classifier of images, with pixels as bytes or numbers from 0 to 1")
    found = Stress(len(images), _accuracy(model, images, labels))
    for number, (name, corrupt) in enumerate(CORRUPTIONS.items()):
        rng = np.random.default_rng([seed, number])
        spoiled = {level: corrupt(images, level, rng) for level in SEVERITIES}
        found.corruptions[name] = {str(level): _accuracy(model, x, labels) for level, x in spoiled.items()}
    few, labels = images[:attacked].reshape(-1, *model.network.in_shape), labels[:attacked]
    batches = [slice(start, start + _BATCH) for start in range(0, len(few), _BATCH)]
    for name, attack in ATTACKS.items():
        for limit in LIMITS:
            changed = [attack(model.network, few[rows], labels[rows], limit, seed) for rows in batches]
            accuracy = _accuracy(model, np.concatenate(changed), labels)
            found.attacks.setdefault(name, {})[f"{limit:g}"] = accuracy
    return found


def official(model: Model, parts: Mapping[str, tuple[np.ndarray, np.ndarray]]) -> dict[str, float]:
    """Return the accuracy on sets of corrupted images by name, such as MNIST-C; each set holds images and labels.

    Raises: `InputError` for images of a size that the model does not take, or a different number of labels.
    """
    for name, (images, labels) in parts.items():
        if len(images) != len(labels) or math.prod(images.shape[1:]) != math.prod(model.network.in_shape):
            raise InputError(
                f"{name} holds images {images.shape} and labels {labels.shape}; the model takes images of "
                f"{'x'.join(map(str, model.network.in_shape))}, each with a label"
            )
    return {name: _accuracy(model, scaled(images), labels) for name, (images, labels) in parts.items()}


def _accuracy(model: Model, images: np.ndarray, labels: np.ndarray) -> float:
    answers = model.shares(images.reshape(-1, *model.network.in_shape)).argmax(axis=1)
    return float((answers == labels).mean())
