"""Judge losses that are not two plain functions, and their gradients: behind a flag, or as methods of a class."""

from __future__ import annotations

from dataclasses import replace
from types import ModuleType

from plainnet.checks.code.choosing import search
from plainnet.checks.code.examining import verdict_of
from plainnet.checks.code.functions import episodes_of_function
from plainnet.checks.code.rewritten import rewritten_losses
from plainnet.checks.code.verdicts import CodeFinding
from plainnet.checks.gradients.central import RIGHT, UNDECIDABLE

_SECONDS = 6.0  # for one loss


def judge_losses(module: ModuleType) -> dict[str, CodeFinding]:
    """Return the findings on such losses of a module, as far as they can be decided."""
    found: dict[str, CodeFinding] = {}
    for name, stem, functions, sure in rewritten_losses(module):
        episodes = episodes_of_function(module, f"{stem}_backward", [(f"{stem}_forward",)], functions)
        for finding in verdict_of(name, search(episodes, _SECONDS), "functions"):
            if finding.verdict == RIGHT or (sure and finding.verdict != UNDECIDABLE):
                found[name] = replace(finding, function=name.rpartition(".")[2])
    return found
