"""What is spoiled: four kinds of network and four sets of images, all small enough to learn in a few seconds."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from typing import Any

import numpy as np
from matplotlib.font_manager import FontProperties, findfont
from PIL import Image, ImageDraw, ImageFont

from plainnet import DataSet, mnist
from plainnet.data.splits import Splits

Layers = list[dict[str, Any]]
DATA = ("mnist", "digits", "gratings", "letters")
_TRAIN = {"mnist": 3000, "digits": 1100, "gratings": 3000, "letters": 6000}  # images to learn from
_REST = 350  # to validate with, and to test with


@dataclass(frozen=True)
class Kind:
    """A kind of network, with the learning rate that suits it."""

    layers: tuple[dict[str, Any], ...]
    learning_rate: float


def _dense(units: int, *after: str) -> Layers:
    return [{"type": "Dense", "units": units}, *({"type": name} for name in after)]


def _conv(filters: int, *after: str) -> Layers:
    return [{"type": "Conv2D", "filters": filters, "size": 3, "padding": "same"}, *({"type": name} for name in after)]


_FLAT, _LAST = {"type": "Flatten"}, {"type": "Dense"}
KINDS = {
    "dense": Kind((_FLAT, *_dense(64, "ReLU"), _LAST), 0.05),
    "deep": Kind((_FLAT, *_dense(48, "Tanh"), *_dense(48, "Tanh"), *_dense(48, "Tanh"), _LAST), 0.03),
    "convolutional": Kind((*_conv(8, "ReLU", "MaxPool"), *_conv(16, "ReLU", "MaxPool"), _FLAT, _LAST), 0.03),
    "normalized": Kind(
        (_FLAT, *_dense(64, "BatchNorm", "ReLU"), *_dense(64, "BatchNorm", "ReLU"), _LAST), 0.05
    ),
}  # fmt: skip


@cache
def splits(name: str, count: int | None = None) -> Splits:
    """Return the images of one set, `count` of them to learn from."""
    sizes = (count or _TRAIN[name], _REST, _REST)
    if name == "mnist":
        parts: Any = (
            part.sample(min(size, len(part))) for part, size in zip(mnist.load(), sizes, strict=True)
        )  # fmt: skip
    else:
        images, labels, names = {"digits": _digits, "gratings": _gratings, "letters": _letters}[name](sum(sizes))
        ends = np.cumsum([0, *sizes])
        parts = (
            DataSet(images[start:end], labels[start:end], names)
            for start, end in pairwise(ends)
        )  # fmt: skip
    return Splits.of(*parts)


def _digits(count: int) -> tuple[np.ndarray, np.ndarray, list[str]]:
    """Return scikit-learn's 1,797 handwritten digits of 8x8 pixels."""
    from sklearn.datasets import load_digits

    digits = load_digits()
    order = np.random.default_rng(0).permutation(len(digits.images))[:count]
    return (digits.images[order] * 15.9).astype(np.uint8), digits.target[order], [f"{digit}" for digit in range(10)]


def _gratings(count: int) -> tuple[np.ndarray, np.ndarray, list[str]]:
    """Return waves of six directions, of any phase, in noise."""
    rng = np.random.default_rng(1)
    labels = rng.integers(0, 6, count)
    y, x = np.mgrid[:12, :12]
    angle = (labels * np.pi / 6)[:, None, None]
    phase, noise = rng.uniform(0, 2 * np.pi, (count, 1, 1)), rng.normal(0, 0.8, (count, 12, 12))
    waves = np.sin((x * np.cos(angle) + y * np.sin(angle)) * 1.1 + phase) + noise
    return np.clip(waves * 100, 0, 255).astype(np.uint8), labels, [f"{30 * turn} degrees" for turn in range(6)]


def _letters(count: int) -> tuple[np.ndarray, np.ndarray, list[str]]:
    """Return capital letters of matplotlib's fonts, moved about, in noise."""
    rng = np.random.default_rng(2)
    faces = [
        ImageFont.truetype(findfont(FontProperties(family=family, weight=weight)), 14)
        for family in ("DejaVu Sans", "DejaVu Serif", "DejaVu Sans Mono")
        for weight in ("normal", "bold")
    ]
    labels = rng.integers(0, 26, count)
    images = np.empty((count, 16, 16))
    for image, label in zip(images, labels, strict=True):
        paper = Image.new("L", (16, 16))
        place = tuple(rng.uniform((1, -2), (5, 2)))
        ImageDraw.Draw(paper).text(place, chr(65 + label), fill=255, font=faces[rng.integers(len(faces))])
        image[:] = np.asarray(paper)
    images = np.clip(images + rng.normal(0, 25, images.shape), 0, 255)
    return images.astype(np.uint8), labels, [chr(65 + letter) for letter in range(26)]
