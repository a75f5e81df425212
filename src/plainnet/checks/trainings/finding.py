"""A finding about a training run, and phrases and tests that several rules share."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

from plainnet.checks.finding import Finding
from plainnet.checks.trainings.case import Case

ERROR, WARNING, NOTE = "error", "warning", "note"


@dataclass(frozen=True)
class Cause:
    """One of several causes with the same curves: its name, its share of the spoiled runs with them, and a check."""

    name: str
    share: float
    telling: str


@dataclass(frozen=True, kw_only=True)
class TrainingFinding(Finding):
    """One finding about a training run: its name, its severity, the evidence, and what to do.

    `change` maps keys of the recipe to values that should help; it is empty if no recipe can help. If several causes give
    the same curves, `causes` lists them, the most frequent first.
    """

    severity: str
    suggestion: str
    change: dict[str, Any] = field(default_factory=dict)
    causes: tuple[Cause, ...] = ()


def trouble(case: Case) -> str:
    """Say how the training ended."""
    accuracy = case.signs.validation if len(case.signs.validation) else case.signs.train
    if diverged(case):
        return "the training diverged"
    if len(accuracy):
        return f"after {case.curves.epochs} {case.curves.unit}s the accuracy is {accuracy.last:.1%}"
    return "nothing was learned"


def diverged(case: Case) -> bool:
    """Return whether the training ended with figures that are not finite."""
    return bool(case.diverged) or case.signs.train_loss.broken_at_the_end


def in_trouble(case: Case) -> bool:
    """Return whether the training diverged, learned little, or goes up and down."""
    signs = case.signs
    accuracy = signs.validation if len(signs.validation) else signs.train
    return diverged(case) or not len(accuracy) or accuracy.last < 0.8 or rough(case)


def rough(case: Case) -> bool:
    """Return whether the training loss goes up and down a lot while it is still far from its final value."""
    loss = case.signs.train_loss
    if len(loss) < 5 or case.signs.near_zero:
        return False
    rises = loss.values[1:] - loss.values[:-1]
    often = max(2, len(rises) / 4)
    return bool((rises > 0.1 * loss.values[:-1]).sum() >= often and (rises < 0).sum() >= often)


def figure(value: float) -> str:
    """Return a loss as text."""
    return f"{value:.3f}" if abs(value) < 1000 else f"{value:.4g}"


def scaled_rate(case: Case, factor: float) -> dict[str, float]:
    """Return the change of the recipe that multiplies its learning rate."""
    if case.recipe is None:
        return {}
    key, schedule = "schedule", case.recipe.schedule
    while "then" in schedule:  # a warm-up ends in another schedule, which holds the learning rate
        key, schedule = f"{key}.then", schedule["then"]
    rate = schedule["learning_rate"] * factor
    return {f"{key}.learning_rate": rate} if math.isfinite(rate) else {}
