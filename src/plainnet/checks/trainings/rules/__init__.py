"""Rules: each looks for one problem of a training run, and returns a finding or None.

The rules of `data`, `network` and `steps` see a cause itself. Those of `remarks` comment on training runs that work.
All others describe what the curves show, which may have several causes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace

import numpy as np

from plainnet.checks.trainings.case import Case
from plainnet.checks.trainings.causes import causes_of
from plainnet.checks.trainings.finding import ERROR, NOTE, TrainingFinding
from plainnet.checks.trainings.rules import (
    chance,
    contradictions,
    data,
    endings,
    held_out,
    network,
    overfitting,
    remarks,
    standing,
    steps,
    written_wrongly,
)  # fmt: skip

Rule = Callable[[Case], TrainingFinding | None]

SEEN = (  # the rules that explain most come first
    data.inputs_alike, data.inputs_not_scaled, data.inputs_far_from_zero, data.one_class, data.class_missing, data.labels_off_by_one,
    data.labels_do_not_fit, data.validation_differs, data.validation_labels, data.validation_small,
    network.equal_weights, network.nothing_moved, network.last_layer_cut, network.narrow,
    steps.summed_gradient, steps.momentum, steps.weight_decay, steps.too_much_dropout, steps.too_much_noise, steps.learning_rate_too_high,
    steps.clipping, steps.uphill, network.batch_statistics, steps.not_shuffled, endings.collapsed, standing.fell_too_early, contradictions.floor,
    steps.vanishing, steps.rate_too_low, steps.few_updates, data.labels_noisy,
)  # fmt: skip
# Symptoms that many causes share; they are named only if none of those causes was seen.
LEFT_BEHIND = (network.saturated, network.weights_began, network.dead_units)
SHOWN = (
    written_wrongly.running_sum, endings.diverged, written_wrongly.zero, contradictions.sure_and_wrong, contradictions.accuracy_not_of_it, endings.constant, endings.rising, held_out.broken, held_out.at_chance, standing.creeping,
    chance.at_chance, standing.still, held_out.exchanged, endings.worsening, endings.unstable, held_out.unstable, overfitting.overfitting,
)  # fmt: skip
REMARKS = (
    written_wrongly.out_of_scale, remarks.not_finite_once, remarks.underfitting, remarks.plateau, remarks.stopped_early, remarks.validation_better,
)  # fmt: skip


def findings(case: Case) -> list[TrainingFinding]:
    """Return the findings about a training run, the likeliest cause of its trouble first and notes last.

    Causes that can be seen directly come before symptoms in the curves. Only the first symptom that fits is named.
    Remarks are made only on training runs without an error.
    """
    appended = remarks.runs_appended(case)
    with np.errstate(all="ignore"):
        found = [*_found(case), *([appended] if appended else [])]
    return sorted(found, key=lambda finding: finding.severity == NOTE)


def _found(case: Case) -> list[TrainingFinding]:
    if (kind := remarks.not_to_be_judged(case)) is not None:
        broken = endings.diverged(case) if case.signs.loss.broken_at_the_end else None
        return [broken or kind]
    for rules in (SEEN, LEFT_BEHIND):
        if found := _all(rules, case):
            slow = [finding.name for finding in found] == ["learning-rate-too-low"]
            return found + (_all([remarks.stopped_early], case) if slow else [])
    if not case.diverged and (short := endings.too_short(case)) is not None:
        return [_explained(endings.diverged(case) or short)]
    shown = _all(SHOWN, case)[:1]
    if not shown or shown[0].severity != ERROR:
        remarked = [rule for rule in REMARKS if not (shown and rule is remarks.underfitting)]
        shown += _all(remarked, case)
    return list(map(_explained, shown))


def _explained(finding: TrainingFinding) -> TrainingFinding:
    """Return a finding about curves, with the causes that give such curves."""
    return replace(finding, causes=causes_of(finding.name))


def _all(rules: Iterable[Rule], case: Case) -> list[TrainingFinding]:
    return [finding for rule in rules if (finding := rule(case)) is not None]
