"""Stories: prepared training runs (one, or two side by side) or drawings that each show one effect."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Start:
    """How training starts: a recipe, values that replace its own, how many images, and whether they are sorted."""

    recipe: str
    name: str
    overrides: dict[str, Any] = field(default_factory=dict)
    limit: int | None = None
    in_order: bool = False  # by label, all zeros first


@dataclass(frozen=True)
class Story:
    """A title, an explanation, one or two training runs if it needs them, and the address on the page."""

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
# A capital R, drawn in one stroke.
_LETTER = (((380, 900), (380, 180), (640, 180), (740, 300), (640, 480), (380, 520), (760, 900)),)


def _at(rate: float) -> dict[str, Any]:
    return _SMALL | {"schedule": {"type": "constant", "learning_rate": rate}}


def _packed(strokes: tuple[tuple[tuple[int, int], ...], ...]) -> str:
    """Return strokes as in the address: numbers in base 36, separated by dots; strokes separated by dashes."""
    return "-".join(".".join(np.base_repr(v, 36).lower() for point in stroke for v in point) for stroke in strokes)


STORIES: dict[str, Story] = {
    "summed": Story(
        "A gradient 128 times too large",
        "One run uses the mean of the gradients in a batch, the other uses their sum: with 128 images per batch, "
        "its steps are 128 times as long. Gradient clipping keeps it from diverging, but its validation accuracy stays "
        "lower. The report that this project began with reached 94.25 % instead of 98.11 % because this division by "
        "the batch size was missing.",
        (
            Start("classic", "mean", {"epochs": 5}, 20_000),
            Start("classic-summed", "sum", {"epochs": 5}, 20_000),
        ),
    ),
    "dead": Story(
        "Dead units",
        "The learning rate is so high at the start that many ReLU units fall below zero for every image. From then on "
        "their gradient is 0, so they never recover. Watch the share of dead units under Inside. After the first "
        "epoch, \"Look closer\" names the cause.",
        (Start("classic", "rate 2", _at(2.0), 10_000),),
    ),
    "rates": Story(
        "Too fast, too slow",
        "The same network, once with too high a learning rate and once with too low a rate. With the high rate, the "
        "loss jumps up and down and stops falling; with the low rate, it falls very slowly. Move either rate to 0.03 "
        "to see what a good one does.",
        (
            Start("classic", "rate 1", _at(1.0), 10_000),
            Start("classic", "rate 0.0001", _at(1e-4), 10_000),
        ),
    ),
    "by-heart": Story(
        "Memorizing",
        "With only 500 images, the training accuracy reaches 100 %, but the validation accuracy stays far below. The "
        "network overfits: it has memorized these images, and has not learned what digits look like.",
        (Start("classic", "500 images", _at(0.03) | {"epochs": 60}, 500),),
    ),
    "forgetting": Story(
        "Forgetting",
        "The images are sorted by label: first all zeros, then all ones, and so on. While it sees only one digit, the "
        "network learns to give this answer to every image, and forgets the earlier digits. In the end it answers 9.",
        (Start("classic", "sorted", _at(0.05) | {"epochs": 3}, 10_000, in_order=True),),
    ),
    "momentum": Story(
        "What momentum does",
        "Two networks start from the same weights with the same small learning rate. The one with momentum 0.9 moves "
        "about ten times as far as the one without.",
        (
            Start("classic", "momentum 0.9", _at(0.002), 10_000),
            Start("classic", "no momentum", _at(0.002) | {"optimizer.momentum": 0.0}, 10_000),
        ),
    ),
    "why": Story(
        "Why is this a 7?",
        "The picture \"for and against\" shows what each pixel contributes to the answer: its value times the "
        "gradient of the answer's log-probability. Blue ink makes the answer more likely, orange ink less "
        "likely. Draw a bar through the 7, or choose another sample, and compare.",
        address="view=draw&sample=7",
    ),
    "moved": Story(
        "The same digit, moved",
        "A dense network has a weight for each pixel, so it knows digits only in the middle, where it has seen them. "
        "A convolutional network looks for the same strokes everywhere. Let both train for a few epochs, then move "
        "the image with the arrows below the paper.",
        (
            Start("classic", "dense", {"epochs": 5}, 10_000),
            Start("classic", "convolutional", {"epochs": 5, "layers": _CONVOLUTIONAL}, 10_000),
        ),
        "view=draw&sample=4&moved=4.0",
    ),
    "sure": Story(
        "Sure, and wrong",
        "This is a letter, but the network knows only ten digits. Softmax still divides 100 % among them, and one of "
        "them gets the most. A high probability means that the other nine digits fit less well, not that the drawing "
        "is a digit. Before the lab answers, it asks a second, small network whether the drawing is a digit at all. "
        "Draw other letters: a few deceive both networks.",
        address=f"view=draw&strokes={_packed(_LETTER)}",
    ),
}  # fmt: skip
