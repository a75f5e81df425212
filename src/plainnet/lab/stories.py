"""Stories: trainings, alone or two side by side, each of which shows one thing."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


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
    """A title, what it tells, and one or two trainings."""

    title: str
    tells: str
    starts: tuple[Start, ...]


_SMALL = {"epochs": 20, "workers": 1}


def _at(rate: float) -> dict[str, Any]:
    return _SMALL | {"schedule": {"type": "constant", "learning_rate": rate}}


STORIES: dict[str, Story] = {
    "summed": Story(
        "A gradient 128 times too long",
        "One training takes the mean of the gradients of a batch, the other their sum: with 128 images it steps 128 "
        "times as far. Clipping saves it from breaking, but it ends points below the other.",
        (
            Start("classic", "mean", {"epochs": 5}, 20_000),
            Start("classic-summed", "sum", {"epochs": 5}, 20_000),
        ),
    ),
    "dead": Story(
        "Dead units",
        "The learning rate is so high at the start that many ReLU units are pushed below zero for every image. Their "
        "gradient is 0 from then on: they never come back. Watch the share of dead units.",
        (Start("classic", "rate 2", _at(2.0), 10_000),),
    ),
    "rates": Story(
        "Too fast, too slow",
        "The same network with a learning rate that is too high and one that is too low: one jumps about, the other "
        "hardly moves.",
        (
            Start("classic", "rate 0.5", _at(0.5), 10_000),
            Start("classic", "rate 0.0001", _at(1e-4), 10_000),
        ),
    ),
    "by-heart": Story(
        "Learning by heart",
        "With 500 images the training accuracy reaches 100 %, while the validation accuracy stays far below: the "
        "network has learned these images, not digits.",
        (Start("classic", "500 images", {"epochs": 60}, 500),),
    ),
    "forgetting": Story(
        "Forgetting",
        "The images come sorted by label, all zeros first, then all ones. After each digit the network answers that "
        "digit to everything: what it is not shown, it forgets.",
        (Start("classic", "sorted", _SMALL | {"epochs": 3}, 10_000, in_order=True),),
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
}  # fmt: skip
