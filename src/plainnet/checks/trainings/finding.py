"""A finding, and what several rules need: signs of trouble, and what to say of a learning rate."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

from plainnet.checks.finding import Finding
from plainnet.checks.trainings.case import Case

ERROR, WARNING, NOTE = "error", "warning", "note"


@dataclass(frozen=True, kw_only=True)
class TrainingFinding(Finding):
    """One thing found about a training: what it is called, how bad it is, the evidence, and what to do.

    `change` maps keys of the recipe to values that should help; it is empty where no recipe can.
    """

    severity: str
    suggestion: str
    change: dict[str, Any] = field(default_factory=dict)


def oscillation(case: Case) -> str | None:
    """Return the evidence that the training loss goes up and down, if it does."""
    losses = case.curves.train_loss
    rises = [(after - before) / before for before, after in pairwise(losses) if before > 0]
    bad = [rise for rise in rises if rise > 0.1]
    if len(rises) < 3 or len(bad) < max(2, len(rises) / 4):
        return None
    return f"the training loss rose by more than 10 % in {len(bad)} of {len(rises)} epochs, once by {max(bad):.0%}"


def trouble(case: Case) -> str:
    """Say how the training ended."""
    accuracy = case.curves.validation_accuracy or case.curves.train_accuracy
    if _diverged(case):
        return "the training diverged"
    return (
        f"after {case.curves.epochs} epochs the accuracy is {accuracy[-1]:.1%}"
        if accuracy and math.isfinite(accuracy[-1])
        else "nothing was learned"
    )


def _diverged(case: Case) -> bool:
    return bool(case.diverged) or any(map(math.isnan, case.curves.train_loss))


def in_trouble(case: Case) -> bool:
    """Tell whether it diverged, learned little, or goes up and down."""
    accuracy = case.curves.validation_accuracy or case.curves.train_accuracy
    return _diverged(case) or not accuracy or accuracy[-1] < 0.8 or oscillation(case) is not None


def too_high(case: Case, evidence: str) -> TrainingFinding:
    """Return the finding that the learning rate is too high."""
    return TrainingFinding(
        name="learning-rate-too-high",
        severity=ERROR,
        evidence=evidence,
        suggestion="a tenth of the learning rate",
        change=scaled_rate(case, 0.1),
    )


def too_low(case: Case) -> TrainingFinding:
    """Return the finding that the learning rate is too low."""
    losses = case.curves.train_loss
    steps = f"; an update is {case.steps.ratio:.3%} of the length of the weights" if case.steps else ""
    return TrainingFinding(
        name="learning-rate-too-low",
        severity=ERROR,
        evidence=f"in {case.curves.epochs} epochs the training loss went from {losses[0]:.3f} to {losses[-1]:.3f} only{steps}",
        suggestion="ten times the learning rate, or a hundred times",
        change=scaled_rate(case, 100.0),
    )


def scaled_rate(case: Case, factor: float) -> dict[str, float]:
    """Return the change of the recipe that multiplies its learning rate."""
    if case.recipe is None:
        return {}
    key, schedule = "schedule", case.recipe.schedule
    while "then" in schedule:  # a warm-up leads to another schedule, whose learning rate it is
        key, schedule = f"{key}.then", schedule["then"]
    return {f"{key}.learning_rate": schedule["learning_rate"] * factor}
