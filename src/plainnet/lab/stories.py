"""Stories: trainings, alone or two side by side, or a drawing, each of which shows one thing."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Start:
    """How a training begins: a recipe, values in place of its own, how many images, and whether these are sorted."""

    recipe: str
    name: str
    overrides: dict[str, Any] = field(default_factory=dict)
    limit: int | None = None
    in_order: bool = False  # by label, all zeros first


@dataclass(frozen=True)
class Story:
    """A title, what it tells, one or two trainings if it needs them, and where on the page it is told."""

    title: str
    tells: str
    starts: tuple[Start, ...] = ()
    address: str = "view=train"


_SMALL = {"epochs": 20, "workers": 1}
_CONVOLUTIONAL = [
    {"type": "Conv2D", "filters": 16, "size": 5},
    {"type": "ReLU"},
    {"type": "MaxPool", "size": 2},
    {"type": "Conv2D", "filters": 32, "size": 5},
    {"type": "ReLU"},
    {"type": "MaxPool", "size": 8},
    {"type": "Flatten"},
    {"type": "Dense", "units": 10},
]
# A capital R, as a pen draws it in one stroke.
_LETTER = (((380, 900), (380, 180), (640, 180), (740, 300), (640, 480), (380, 520), (760, 900)),)


def _at(rate: float) -> dict[str, Any]:
    return _SMALL | {"schedule": {"type": "constant", "learning_rate": rate}}


def _packed(strokes: tuple[tuple[tuple[int, int], ...], ...]) -> str:
    """Return strokes as the address has them, numbers to the base 36 between dots, strokes between dashes."""
    return "-".join(".".join(np.base_repr(v, 36).lower() for point in stroke for v in point) for stroke in strokes)


STORIES: dict[str, Story] = {
    "summed": Story(
        "A gradient 128 times too long",
        "One training takes the mean of the gradients of a batch, the other their sum: with 128 images it steps 128 "
        "times as far. Clipping saves it from breaking, but its validation accuracy stays below the other's. One "
        "missing division by the batch size is how a report came to 94.25 % where 98.11 % is right.",
        (
            Start("classic", "mean", {"epochs": 5}, 20_000),
            Start("classic-summed", "sum", {"epochs": 5}, 20_000),
        ),
    ),
    "dead": Story(
        "Dead units",
        "The learning rate is so high at the start that many ReLU units are pushed below zero for every image. Their "
        "gradient is 0 from then on: they never come back. Watch the share of dead units under Inside; after the first "
        "epoch, \"Look closer\" names the cause.",
        (Start("classic", "rate 2", _at(2.0), 10_000),),
    ),
    "rates": Story(
        "Too fast, too slow",
        "The same network with a learning rate that is too high and one that is too low: the loss of one jumps about "
        "and falls no further, that of the other creeps. Move either rate to 0.03 and see what a good one does.",
        (
            Start("classic", "rate 1", _at(1.0), 10_000),
            Start("classic", "rate 0.0001", _at(1e-4), 10_000),
        ),
    ),
    "by-heart": Story(
        "Learning by heart",
        "With 500 images the training accuracy reaches 100 %, while the validation accuracy stays far below: the "
        "network has learned these images, not digits.",
        (Start("classic", "500 images", _at(0.03) | {"epochs": 60}, 500),),
    ),
    "forgetting": Story(
        "Forgetting",
        "The images come sorted by label, all zeros first, then all ones. While a digit is shown, the network learns "
        "to answer it to everything: it forgets what it is no longer shown, and ends with nines.",
        (Start("classic", "sorted", _at(0.05) | {"epochs": 3}, 10_000, in_order=True),),
    ),
    "momentum": Story(
        "What momentum does",
        "Two trainings from the same weights with the same small learning rate, one with momentum 0.9: "
        "it moves about ten times as far as the one without.",
        (
            Start("classic", "momentum 0.9", _at(0.002), 10_000),
            Start("classic", "no momentum", _at(0.002) | {"optimizer.momentum": 0.0}, 10_000),
        ),
    ),
    "why": Story(
        "Why is this a 7?",
        "The picture \"for and against\" shows, pixel by pixel, what speaks for the answer: the input times "
        "the gradient of the log of its probability. Blue ink makes the answer likelier, orange ink less "
        "likely. Draw a bar through the 7, or take another sample, and look again.",
        address="view=draw&sample=7",
    ),
    "moved": Story(
        "The same digit, moved",
        "A dense network has a weight for each pixel: it knows digits only in the middle, where it has seen them. A "
        "convolutional network looks for the same strokes everywhere. Let both learn for a few epochs, then move what "
        "they see with the arrows below the paper.",
        (
            Start("classic", "dense", {"epochs": 5}, 10_000),
            Start("classic", "convolutional", {"epochs": 5, "layers": _CONVOLUTIONAL}, 10_000),
        ),
        "view=draw&sample=4&moved=4.0",
    ),
    "sure": Story(
        "Sure, and wrong",
        "This is a letter, and the network knows ten digits only: softmax divides 100 % among them all the same, and "
        "one of them gets most of it. A high probability says that the other nine are less like it, not that it is a "
        "digit. The lab asks a second, small network whether it is a digit at all before it gives an answer. "
        "Draw other letters: a few deceive both.",
        address=f"view=draw&strokes={_packed(_LETTER)}",
    ),
}  # fmt: skip
