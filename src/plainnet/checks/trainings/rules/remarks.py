"""Remarks on training runs that work: what could be better, and what looks odd but is not."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from plainnet.checks.histories.reading import History
from plainnet.checks.trainings.case import Case
from plainnet.checks.trainings.finding import NOTE, WARNING, TrainingFinding


def underfitting(case: Case) -> TrainingFinding | None:
    """Find a network that has stopped learning at a low accuracy."""
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
        evidence=f"the training accuracy is {shown:.1%}, and the training loss has hardly moved in the second half of the {signs.unit}s, from "
        f"{half:.3f} to {loss.last:.3f}: either the network is too small, or these inputs hold no more information "
        "about their targets",
        suggestion="give the network more units or another layer; if the training accuracy does not rise, the remaining errors are noise",
        change=units,
    )  # fmt: skip


def plateau(case: Case) -> TrainingFinding | None:
    """Find epochs without progress before the learning rate fell."""
    signs = case.signs
    rates, losses = signs.rate.values, signs.train_loss.values
    if not np.array_equal(signs.rate.at, signs.train_loss.at):
        return None
    for place, (before, after) in enumerate(pairwise(rates)):
        if place > 4 and after < before / 2 and losses[place] > 0.98 * losses[place - 5]:
            when = signs.epoch(signs.rate.epoch_of(place))
            return TrainingFinding(
                name="plateau-before-decay", severity=NOTE,
                evidence=f"in the five {signs.unit}s before the learning rate fell after {when}, the loss only went from "
                f"{losses[place - 5]:.4f} to {losses[place]:.4f}",
                suggestion=f"lower the learning rate earlier than after {when}; these epochs brought no progress",
            )  # fmt: skip
    return None


def validation_better(case: Case) -> TrainingFinding | None:
    """Find a validation accuracy above the training accuracy, which dropout can cause."""
    train, validation = case.signs.train, case.signs.validation
    loss = case.signs.train_loss
    if (hard := _hard_to_learn_from(case) or _lower_validation_loss(case)) is not None:
        return hard
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
        "dropout, augmentation or mixup may make training examples harder, or the training figure may be a mean over the epoch",
        "",
    )
    if harder:
        why = f"with {' and '.join(harder)} the training examples are harder than the validation examples"
    elif case.recipe is not None:
        why = "the training accuracy is a mean over the epoch, and the validation accuracy is measured at its end"
    else:
        what = ", if one of these is true; otherwise check whether the two names are exchanged"
    return TrainingFinding(
        name="training-harder", severity=NOTE,
        evidence=f"at the end the validation accuracy is {validation.last:.1%}, and the training accuracy is {train.last:.1%}; {why}",
        suggestion=f"nothing{what}",
    )  # fmt: skip


def _hard_to_learn_from(case: Case) -> TrainingFinding | None:
    """Find training examples that the network recognizes far better without what makes them harder in training."""
    harder, train, loss, held_out = (
        case.made_harder_by,
        case.signs.train,
        case.signs.train_loss,
        case.signs.validation_loss,
    )
    if not harder or case.metrics is None or not len(train):
        return None
    without = case.metrics["train_accuracy"]
    evidence = f"in training, with {' and '.join(harder)}, the accuracy is {train.last:.1%}; on the same examples without, it is {without:.1%}"
    if without < train.end + 0.015:
        if len(held_out) < 3 or len(loss) < 3 or held_out.end > 0.4 * loss.end:
            return None
        evidence = f"the validation loss is {held_out.last:.2g} and the training loss {loss.last:.2g}: with {' and '.join(harder)}, the training examples are harder"
    return TrainingFinding(
        name="training-harder", severity=NOTE, evidence=evidence,
        suggestion="nothing; compare the validation figures with those of the training examples without it",
    )  # fmt: skip


def _lower_validation_loss(case: Case) -> TrainingFinding | None:
    """Find a validation loss that is far below the training loss in nearly all epochs."""
    train, validation = case.signs.train_loss, case.signs.validation_loss
    if (
        (len(case.signs.train) and case.metrics)
        or len(train) != len(validation)
        or len(train) < 4
        or validation.least <= 0
    ):
        return None
    if len(case.signs.train) and len(case.signs.validation) and case.signs.validation.end < case.signs.train.end:
        return None
    if float((validation.values < 0.8 * train.values).mean()) < 0.8:
        return None
    return TrainingFinding(
        name="training-harder", severity=NOTE,
        evidence=f"at the end the validation loss is {validation.last:.3g}, and the training loss {train.last:.3g}; dropout, augmentation or a penalty may add to the training "
        "loss, or it may be a mean over the epoch",
        suggestion="nothing, if one of these is true; otherwise check whether both losses are computed in the same way",
    )  # fmt: skip


def stopped_early(case: Case) -> TrainingFinding | None:
    """Find a training run that ends while its figures still improve quickly."""
    signs = case.signs
    loss, accuracy = signs.train_loss, signs.validation if len(signs.validation) else signs.train
    if len(loss) < 4 or len(accuracy) < 4 or signs.unit == "step" or accuracy.end > 0.9:
        return None
    last = (loss.values[-3] - loss.last) / max(abs(loss.values[-3]), 1e-30)
    gained = accuracy.last - float(np.max(accuracy.values[:-2]))
    learns = len(signs.train) > 3 and signs.train.last > float(np.max(signs.train.values[:-2])) + 0.02
    slowly = last >= 0.02 and gained >= 0.03 and accuracy.end < 0.6
    quickly = (last >= 0.08 and gained >= 0.02) or (last >= 0.2 and learns and len(loss) < 10) or slowly
    if not quickly or accuracy.last < accuracy.most or len(loss) > 30:
        return None
    return TrainingFinding(
        name="stopped-too-early", severity=NOTE,
        evidence=f"in the last two {signs.unit}s the training loss still fell by {last:.0%}"
        + f", and the accuracy rose by {100 * gained:.1f} points" * (gained > 0),
        suggestion="train longer",
    )  # fmt: skip


def runs_appended(case: Case) -> TrainingFinding | None:
    """Find several training runs in one file, one after the other, or one that was resumed."""
    if case.history is None:
        return None
    if case.history.runs < 2:
        return _resumed(case.history)
    return TrainingFinding(
        name="runs-appended", severity=NOTE,
        evidence=f"{case.history.why}, so the file holds {case.history.runs} runs; run {case.history.run} is judged",
        suggestion="to judge another run, use --history-run N; write each training run to its own file",
    )  # fmt: skip


def _resumed(history: History) -> TrainingFinding | None:
    unit, places = history.curves.unit, history.resumed
    if not places:
        return None
    more = f" and {len(places) - 1} more times" * (len(places) > 1)
    return TrainingFinding(
        name="runs-appended", severity=NOTE,
        evidence=f"the file goes back to {unit} {places[0]:,.0f}{more}, as if training had been resumed there; of {unit}s that come twice, the later figures count",
        suggestion="nothing, if it is one training run; otherwise write each to its own file",
    )  # fmt: skip


def not_to_be_judged(case: Case) -> TrainingFinding | None:
    """Find a kind of training in which losses do not tell how well it goes."""
    kind = "" if case.history is None else case.history.kind
    if not kind:
        return None
    told = {
        "reinforcement": "the file holds rewards: in reinforcement learning, a loss may rise while the policy gets better",
        "adversarial": "the file holds losses of a generator and a discriminator, which work against each other: neither should fall for long",
    }[kind]
    return TrainingFinding(
        name="not-to-be-judged", severity=NOTE, evidence=told,
        suggestion="judge the training by its rewards, or by the outputs of the generator",
    )  # fmt: skip


def not_finite_once(case: Case) -> TrainingFinding | None:
    """Find a loss that was not finite for a while, and recovered."""
    loss = case.signs.train_loss
    if loss.broken is None or loss.broken_at_the_end:
        return None
    return TrainingFinding(
        name="not-finite-once", severity=NOTE,
        evidence=f"the training loss of {case.signs.epoch(loss.broken)} is not a finite number, but later ones are",
        suggestion="look for an empty batch, a logarithm of 0 or a division by 0",
    )  # fmt: skip
