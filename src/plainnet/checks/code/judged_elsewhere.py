"""Backward passes that cannot run alone: judged by the classes that inherit them, by a common loss, by what calls them, or by a misuse."""

from __future__ import annotations

import ast
import re
from dataclasses import replace
from types import ModuleType
from typing import Any

from plainnet.checks.code.common_losses import judge_common_losses
from plainnet.checks.code.coverage import functions_in
from plainnet.checks.code.looks import own_classes
from plainnet.checks.code.verdicts import CodeFinding
from plainnet.checks.gradients.central import RIGHT, UNDECIDABLE, WRONG

_EVIDENCE = "it ran in {}, whose gradients are right when it does"
_NOT_RUN = "it could not be run|.* do not fit the sum of the output times the upstream gradient"


def judged_by_subclasses(findings: list[CodeFinding], module: ModuleType) -> list[CodeFinding]:
    """Return the findings, with an undecidable pass as right if it is right in all classes that inherit it."""
    classes = own_classes(module)
    found = []
    for finding in findings:
        base, back = classes.get(finding.name.partition(".")[0]), finding.function
        if finding.verdict == UNDECIDABLE and finding.form in (None, "", "class") and base is not None and back:
            heirs = [
                name
                for name, kind in classes.items()
                if issubclass(kind, base) and kind is not base and getattr(kind, back, None) is getattr(base, back, 0)
            ]
            verdicts = [
                other.verdict for other in findings if other.function == back and other.name.partition(".")[0] in heirs
            ]
            if verdicts and set(verdicts) == {RIGHT}:
                evidence = f"right in {', '.join(heirs)}, which inherit it"
                finding = replace(finding, verdict=RIGHT, evidence=evidence, form="class")
        found.append(finding)
    return found


def judged_by_common_losses(findings: list[CodeFinding], module: ModuleType) -> list[CodeFinding]:
    """Return the findings, with the gradient of a loss that cannot be run as right if it is that of a common loss."""
    not_run = [f.name for f in findings if f.verdict == UNDECIDABLE and re.match(_NOT_RUN, f.evidence)]
    common = judge_common_losses(module, defined_too=True) if not_run else {}
    return [common.get(f.name, f) if f.name in not_run else f for f in findings]


def judged_by_callers(findings: list[CodeFinding], left_out: list[dict[str, Any]]) -> list[CodeFinding]:
    """Return the findings, with an undecidable pass, or one left out, as right if it ran in a pass or loop that is right.

    A pass may be right in some settings, such as with one of several activations, and wrong in others.
    """
    callers = {name: finding.name for finding in findings for name in finding.ran}
    found = []
    for finding in findings:
        whole = finding.form == "class" and "." not in finding.name  # the only pass of a class has its name
        name = f"{finding.name}.{finding.function}" if whole else finding.name
        if finding.verdict == UNDECIDABLE and name in callers and finding.form in ("class", "functions"):
            finding = replace(finding, verdict=RIGHT, evidence=_EVIDENCE.format(callers[name]))
        found.append(finding)
    for name in [one["name"] for one in left_out if one["name"] in callers]:
        evidence, function = _EVIDENCE.format(callers[name]), name.rpartition(".")[2]
        found.append(CodeFinding(name=name, verdict=RIGHT, evidence=evidence, form="called", function=function))
    return found


def judged_by_misuse(findings: list[CodeFinding], tree: ast.Module) -> list[CodeFinding]:
    """Return the findings, with a pass that is not right as wrong if it gives the derivative of an activation the output instead of the input."""
    found = list(findings)
    for misuse in [f for f in findings if f.form == "derivative" and f.verdict == RIGHT and f.line is not None]:
        name = _function_at(tree, misuse.line or 0)
        kind, _, back = name.rpartition(".")
        same = [f for f in found if f.name == name or (f.name == kind and f.function == back)]
        if not name or any(f.verdict != UNDECIDABLE for f in same):
            continue
        evidence = f"{misuse.name} is the derivative as a function of the input, but line {misuse.line} gives it the output of the activation"
        before = same or [CodeFinding(name=name, verdict=UNDECIDABLE, form="misuse", function=back)]
        found = [f for f in found if f not in same] + [
            replace(f, verdict=WRONG, array="derivative", evidence=evidence, line=misuse.line) for f in before
        ]
    return found


def _function_at(tree: ast.Module, line: int) -> str:
    """Return the name of the function, or of the class and its method, that contains a line; an empty text for none."""
    at = (pair for pair in functions_in(tree) if pair[1].lineno <= line <= (pair[1].end_lineno or 0))
    kind, node = next(at, ("", None))
    return "" if node is None else f"{kind}.{node.name}" if kind else node.name
