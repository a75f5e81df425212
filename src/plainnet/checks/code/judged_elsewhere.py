"""Backward passes that cannot run alone: judged by the classes that inherit them, by a common loss, or by what calls them."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import replace
from types import ModuleType

from plainnet.checks.code.common_losses import judge_common_losses
from plainnet.checks.code.coverage import functions_in
from plainnet.checks.code.looks import own_classes
from plainnet.checks.code.loops import Loop
from plainnet.checks.code.verdicts import CodeFinding
from plainnet.checks.gradients.central import RIGHT, UNDECIDABLE

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


def judged_by_callers(
    findings: list[CodeFinding], left_out: list[dict[str, object]], loops: list[Loop], tree: ast.Module
) -> list[CodeFinding]:
    """Return the findings, with an undecidable pass, or one left out, as right if a pass or loop that is right calls it.

    Calls count if they lead to it through functions of the file, by name, or through methods of the same object.
    """
    defined = {(kind, node.name): node for kind, node in functions_in(tree.body)}
    bodies: list[tuple[CodeFinding, str, list[ast.stmt]]] = []
    for finding in findings:
        kind = finding.name.partition(".")[0] if "." in finding.name or finding.form == "class" else ""
        loop = next((loop for loop in loops if finding.form == "loop" and loop.name == finding.name), None)
        node = defined.get((kind, finding.function or ""))
        if finding.verdict == RIGHT and (loop or node):
            bodies.append((finding, kind, loop.body if loop else node.body if node else []))
    judged: dict[tuple[str, str], CodeFinding] = {}
    for finding, kind, body in bodies:
        for key in _reached(kind, body, defined):
            name = ".".join(filter(None, key))
            evidence = f"{finding.name}, which calls it, gives right gradients"
            made = CodeFinding(name=name, verdict=RIGHT, evidence=evidence, form="called", function=key[1])
            judged.setdefault(key, made)
    found = []
    for finding in findings:
        kind = finding.name.partition(".")[0] if "." in finding.name or finding.form == "class" else ""
        caller = judged.get((kind, finding.function or ""))
        is_open = finding.verdict == UNDECIDABLE and caller is not None
        found.append(replace(caller, name=finding.name, form=finding.form) if is_open and caller else finding)
    names = {str(one["name"]) for one in left_out}
    return found + [made for made in judged.values() if made.name in names]


def _reached(
    kind: str, body: list[ast.stmt], defined: dict[tuple[str, str], ast.FunctionDef]
) -> Iterator[tuple[str, str]]:
    """Yield the class and name of the functions that statements call, directly or through others."""
    todo, seen = [(kind, node) for node in body], set()
    while todo:
        owner, statement = todo.pop()
        for node in ast.walk(statement):
            called = ast.unparse(node.func) if isinstance(node, ast.Call) else ""
            key = (owner, called[5:]) if called.startswith("self.") else ("", called)
            if key in defined and key not in seen:
                seen.add(key)
                yield key
                todo += [(key[0], inner) for inner in defined[key].body]
