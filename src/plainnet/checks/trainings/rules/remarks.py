"""Remarks on a training that works: what could be better, and what only looks as if it could."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from plainnet.checks.trainings.case import Case
from plainnet.checks.trainings.finding import NOTE, WARNING, TrainingFinding


def underfitting(case: Case) -> TrainingFinding | None:
    """Find a network that has learned all it can, and that is little."""
    signs = case.signs
    right = case.metrics["train_accuracy"] if case.metrics else (signs.train.end if len(signs.train) else None)
    loss = signs.train_loss
    if right is None or not right < 0.85 or len(loss) < 6 or case.made_harder_by or case.curves.measure != "accuracy":
        return None
    shown = case.metrics["train_accuracy"] if case.metrics else signs.train.last
    half = loss.values[len(loss) // 2]
    still = 0.97 * half < loss.end < 1.03 * half and loss.end > 0.2 * loss.first and signs.unit == "epoch"
    if not still or (len(signs.validation) and signs.validation.end > signs.train.end + 0.02):
        return None
    units = {
        f"layers.{i}.units": 256
        for i, layer in enumerate(case.recipe.layers[:-1] if case.recipe else [])
        if layer["type"] == "Dense"
    }
    return TrainingFinding(
        name="underfitting", severity=WARNING if case.recipe or right < 0.4 else NOTE,
        evidence=f"{shown:.1%} of the training examples are recognized, and the training loss has hardly moved in the second half of the {signs.unit}s, from "
        f"{half:.3f} to {loss.last:.3f}: the network is too small for more, or what is left cannot be told from these inputs",
        suggestion="give the network more units or another layer; if the training accuracy does not rise, the rest is noise",
        change=units,
    )  # fmt: skip


def plateau(case: Case) -> TrainingFinding | None:
    """Find epochs that bought nothing before the learning rate fell."""
    signs = case.signs
    rates, losses = signs.rate.values, signs.train_loss.values
    if not np.array_equal(signs.rate.at, signs.train_loss.at):
        return None
    for place, (before, after) in enumerate(pairwise(rates)):
        if place > 4 and after < before / 2 and losses[place] > 0.98 * losses[place - 5]:
            when = signs.epoch(signs.rate.epoch_of(place))
            return TrainingFinding(
                name="plateau-before-decay", severity=NOTE,
                evidence=f"in the five {signs.unit}s before the learning rate fell after {when}, the loss went from "
                f"{losses[place - 5]:.4f} to {losses[place]:.4f} only",
                suggestion=f"let the learning rate fall earlier than after {when}; what came before it bought nothing",
            )  # fmt: skip
    return None


def validation_better(case: Case) -> TrainingFinding | None:
    """Find a validation that is better than the training, as with dropout."""
    train, validation = case.signs.train, case.signs.validation
    loss = case.signs.train_loss
    if (
        len(train) < 2
        or len(validation) < 2
        or not min(validation.end - train.end, validation.last - train.last) > 0.02
    ):
        return None
    if case.signs.at_chance(train.end) or (len(loss) > 2 and loss.end > loss.first):
        return None
    often = float((validation.values[-len(train) :] > train.values[-len(validation) :]).mean())
    harder = case.made_harder_by
    if often < 0.7 and not harder:
        return None
    why, what = (
        "dropout, augmentation or mixup make training examples harder, or the training figure is a mean while learning",
        "",
    )
    if harder:
        why = f"with {' and '.join(harder)} the training examples are harder than those to validate"
    elif case.recipe is not None:
        why = "the training figure is a mean while the weights were still learning, that of the validation comes after"
    else:
        what = ", if one of these is so; else see whether the two are written under each other's names"
    return TrainingFinding(
        name="training-harder", severity=NOTE,
        evidence=f"at the end the validation accuracy is {validation.last:.1%}, that of the training {train.last:.1%}; {why}",
        suggestion=f"nothing{what}",
    )  # fmt: skip


def stopped_early(case: Case) -> TrainingFinding | None:
    """Find a training that ends while all curves still rise steeply."""
    signs = case.signs
    loss, accuracy = signs.train_loss, signs.validation if len(signs.validation) else signs.train
    if len(loss) < 4 or len(accuracy) < 4 or signs.unit == "step" or accuracy.end > 0.9:
        return None
    last = (loss.values[-3] - loss.last) / max(abs(loss.values[-3]), 1e-30)
    gained = accuracy.last - float(np.max(accuracy.values[:-2]))
    if last < 0.08 or gained < 0.02 or accuracy.last < accuracy.most or len(loss) > 30:
        return None
    return TrainingFinding(
        name="stopped-too-early", severity=NOTE,
        evidence=f"in the last two {signs.unit}s the training loss still fell by {last:.0%}, and the accuracy rose by {100 * gained:.1f} points",
        suggestion="train longer",
    )  # fmt: skip


def runs_appended(case: Case) -> TrainingFinding | None:
    """Find several trainings in one file, one after the other."""
    if case.history is None or case.history.runs < 2:
        return None
    return TrainingFinding(
        name="runs-appended", severity=NOTE,
        evidence=f"{case.history.why}: there are {case.history.runs} runs in the file, and run {case.history.run} is judged",
        suggestion="judge another with --history-run N; write each training to a file of its own",
    )  # fmt: skip


def not_to_be_judged(case: Case) -> TrainingFinding | None:
    """Find a kind of training whose losses do not tell how well it goes."""
    kind = "" if case.history is None else case.history.kind
    if not kind:
        return None
    told = {
        "reinforcement": "the file speaks of rewards: in reinforcement learning a loss may rise while the policy gets better",
        "adversarial": "there are losses of a generator and of a discriminator, which work against each other: neither is to fall for long",
    }[kind]
    return TrainingFinding(
        name="not-to-be-judged", severity=NOTE, evidence=told,
        suggestion="judge by the rewards, or by what is generated",
    )  # fmt: skip


def not_finite_once(case: Case) -> TrainingFinding | None:
    """Find a loss that was no finite number for a while, and recovered."""
    loss = case.signs.train_loss
    if loss.broken is None or loss.broken_at_the_end:
        return None
    return TrainingFinding(
        name="not-finite-once", severity=NOTE,
        evidence=f"the training loss of {case.signs.epoch(loss.broken)} is no finite number; later ones are",
        suggestion="look for an empty batch, or the logarithm or a division of 0",
    )  # fmt: skip
