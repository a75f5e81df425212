"""All findings about a training, the likeliest cause of its trouble first."""

from __future__ import annotations

from plainnet.checks.trainings.case import Case
from plainnet.checks.trainings.finding import ERROR, NOTE, WARNING, TrainingFinding
from plainnet.checks.trainings.rules import evidence, hints, inference


def findings(case: Case) -> list[TrainingFinding]:
    """Return what is found about a training, the likeliest cause of its trouble first.

    Causes that can be seen themselves come before those concluded from the curves, of which the first one that fits is
    named and the rest left out. Remarks are made on trainings without trouble.
    """
    found = [finding for rule in evidence.RULES if (finding := rule(case))]
    if not found:
        found = [finding for rule in inference.RULES if (finding := rule(case))][:1]
    if not found:
        found = [finding for rule in hints.RULES if (finding := rule(case))]
    return sorted(found, key=lambda finding: (ERROR, WARNING, NOTE).index(finding.severity))
