"""The examination of a file: in a process of its own, within limits, so that no file can hang, harm or deceive us."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

from plainnet.checks.code.faults import CATALOGUE, lesson
from plainnet.errors import InputError
from plainnet.foreign.checking import either, listed, nothing, problem, text, whole
from plainnet.foreign.opening import open_file, parse_json
from plainnet.foreign.running import run_apart
from plainnet.foreign.showing import shown

_VERDICTS = ("right", "wrong", "undecidable")
_REPORT = {
    "error?": text(3000),
    "unconfined": listed(text()),
    "subjects?": listed(
        {
            "name": text(1000),
            "evidence": text(100_000),
            "verdict": lambda value: isinstance(value, str) and value in _VERDICTS,
            "array": either(nothing, text(1000)),
            "diagnosis": either(nothing, lambda value: isinstance(value, str) and value in CATALOGUE),
            "line": either(nothing, whole()),
        }
    ),
}


class Examination(NamedTuple):
    """The findings, a table each, and what this system could neither shut off nor limit while the file ran."""

    findings: list[dict[str, Any]]
    unconfined: list[str]


def examine_file(path: str | Path, *, only: str | None = None, timeout: float = 60.0) -> list[dict[str, Any]]:
    """Return the findings on the backpropagation in a Python file: see `examination`."""
    return examination(path, only=only, timeout=timeout).findings


def examination(path: str | Path, *, only: str | None = None, timeout: float = 60.0) -> Examination:
    """Examine the backpropagation in a Python file.

    A finding has name, verdict (right, wrong or undecidable), array, diagnosis (a slug of the catalogue or None),
    evidence and line. `only` names the one class or function to examine; `timeout` is in seconds. The file may read what
    lies in its own folder; what it writes by a relative path lands in a temporary one.

    Raises: `InputError` if the file cannot be run to its end, or holds nothing that can be examined.
    """
    path = Path(path)
    if path.suffix != ".py":
        raise InputError(f"cannot examine {path}: it is not a Python file; give one that ends in .py")
    with open_file(path, "Python file"):
        pass
    outcome = run_apart("plainnet.checks.code.worker", [str(path.resolve()), only or ""], timeout=timeout)
    if outcome.ended is not None:
        advice = "look for an endless loop, or for a training that runs when the file is imported" + (
            ", or give more with --timeout" if "within" in outcome.ended else ""
        )
        raise InputError(f"{path} was ended: {outcome.ended}; {advice}")
    if outcome.report is None:
        last = shown(outcome.last_words.rpartition("\n")[2]) or f"exit code {outcome.code}"
        raise InputError(f"{path} ended its process before it could be examined: {last}")
    try:
        result = parse_json(outcome.report.decode())
        what = problem(result, _REPORT)
    except ValueError as error:
        what = str(error)
    if what is not None:
        raise InputError(f"{path} has interfered with its examination: {what}")
    if not isinstance(result.get("subjects", result.get("error")), list | str):
        raise InputError(f"{path} has interfered with its examination: the report says nothing")
    if "error" in result:
        raise InputError(f"{path} cannot be examined: {result['error']}")
    if not result.get("subjects"):
        what = f"nothing called {only}" if only else "nothing"
        raise InputError(
            f"{path} defines {what} to examine; looked for classes with forward and backward, pairs name_forward and "
            "name_backward, functions name_loss(x, y), classes with loss(x, y), and update rules"
        )
    return Examination(result["subjects"], result["unconfined"])


def describe(finding: dict[str, Any], path: str | Path) -> str:
    """Return a finding as lines to read."""
    head = f"{shown(finding['name'])}: {finding['verdict']}"
    evidence = shown(finding["evidence"], 1000)
    if finding["verdict"] != "wrong":
        return f"{head}\n    {evidence}"
    where = f"{shown(path)}:{finding['line']}" if finding["line"] else shown(path)
    head += f", {shown(finding['array'] or 'backward')} ({where})"
    if finding["diagnosis"] is None:
        return f"{head}\n    {evidence}"
    fault = CATALOGUE[finding["diagnosis"]]
    return (
        f"{head}\n    {fault.title} [{finding['diagnosis']}]\n    evidence: {evidence}\n"
        f"    should be: {fault.formula}\n    lesson: {lesson(finding['diagnosis'])}"
    )
