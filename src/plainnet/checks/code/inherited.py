"""Backward passes of classes that cannot run alone, such as a base class of activations: judged by classes that inherit them."""

from __future__ import annotations

from dataclasses import replace
from types import ModuleType

from plainnet.checks.code.looks import own_classes
from plainnet.checks.code.verdicts import CodeFinding
from plainnet.checks.gradients.central import RIGHT, UNDECIDABLE


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
