"""Trainings that nothing is wrong with: many recipes, rates, sizes and lengths, from which nothing may be said."""

from __future__ import annotations

import numpy as np

from spoiling.change import Change, Subject
from spoiling.subjects import DATA, KINDS

_SCHEDULES = (
    {"type": "constant"}, {"type": "cosine"}, {"type": "one_cycle"}, {"type": "exponential", "factor": 0.9},
    {"type": "warm_up", "epochs": 1.0}, {"type": "step_decay", "factor": 0.1},
)  # fmt: skip
_OPTIMIZERS = ("SGD", "SGD", "Adam")


def healthy(count: int, other: int = 0) -> list[Subject]:
    """Return so many trainings, each drawn by its number; every second sixteen by a number that far away."""
    return [_drawn(number, other * (number // 16 % 2)) for number in range(count)]


def _drawn(number: int, other: int) -> Subject:
    rng = np.random.default_rng(1000 + number + other)
    kind, data = list(KINDS)[number % 4], DATA[number // 4 % 4]
    epochs = int(rng.choice([4, 6, 8, 12, 20, 30]))
    optimizer = str(rng.choice(_OPTIMIZERS))
    own = KINDS[kind].learning_rate
    rate = float(own * rng.uniform(0.4, 1.5)) if optimizer == "SGD" else float(rng.choice([5e-4, 1e-3, 2e-3]))
    schedule = dict(_SCHEDULES[int(rng.integers(len(_SCHEDULES)))])
    if schedule["type"] == "warm_up":
        schedule["then"] = {"type": "cosine", "learning_rate": rate}
    else:
        schedule["learning_rate"] = rate
    if schedule["type"] == "step_decay":
        schedule["at"] = [max(1, epochs * 2 // 3), max(2, epochs * 5 // 6)]
    settings = {
        "epochs": epochs, "schedule": schedule, "batch_size": int(rng.choice([16, 32, 64])),
        "optimizer": {"type": "SGD", "momentum": 0.9, "weight_decay": float(rng.choice([0.0, 1e-4, 5e-4]))}
        if optimizer == "SGD" else {"type": "Adam"},
    }  # fmt: skip
    if rng.random() < 0.2:
        settings["loss"] = {"type": "SoftmaxCrossEntropy", "label_smoothing": 0.05}
    return Subject(kind, data, Change(settings=settings), number + other)
