"""The sandboxed examination of a file: it runs in its own process, with limits, so that it cannot hang, do harm or forge a report."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from plainnet.checks.code.faults import CATALOGUE, lesson
from plainnet.errors import InputError
from plainnet.foreign.checking import either, listed, nothing, problem, text, whole
from plainnet.foreign.opening import open_file, parse_json
from plainnet.foreign.running import run_apart
from plainnet.foreign.showing import shown

ENDINGS = (".py", ".ipynb", ".md")
_VERDICTS = ("right", "wrong", "undecidable")
_SPARE = 4.0  # seconds of the limit, reserved for starting and reporting
_IN_CATALOGUE = either(nothing, lambda value: isinstance(value, str) and value in CATALOGUE)
_REPORT = {
    "error?": text(3000),
    "unconfined": listed(text()),
    "failed?": listed(text(1000)),
    "stand_ins?": listed(text(1000)),
    "made_up?": listed(whole()),
    "programs?": listed(text(1000)),
    "left_out?": listed({"name": text(1000), "line": either(nothing, whole()), "why": text(1000)}),
    "subjects?": listed(
        {
            "name": text(1000),
            "evidence": text(100_000),
            "verdict": lambda value: isinstance(value, str) and value in _VERDICTS,
            "array": either(nothing, text(1000)),
            "diagnosis": _IN_CATALOGUE,
            "line": either(nothing, whole()),
            "form": text(100),
            "function": either(nothing, text(1000)),
            "remarks": listed({"name": _IN_CATALOGUE, "evidence": text(100_000), "line": either(nothing, whole())}),
        }
    ),
}


@dataclass
class Examination:
    """The result of examining one file.

    - `findings`: tables with name, verdict (right, wrong or undecidable), array, diagnosis (a name of the catalogue or None),
      evidence, line and remarks.
    - `left_out`: what looks like a backward pass but was not examined, and why.
    - `notes`: which parts of the file did not run as they are.
    - `unconfined`: what this system could neither shut off nor limit.
    - `error`: why nothing was examined.
    """

    file: Path
    findings: list[dict[str, Any]] = field(default_factory=list)
    left_out: list[dict[str, Any]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    unconfined: list[str] = field(default_factory=list)
    error: str | None = None

    def names(self, *verdicts: str) -> list[str]:
        """Return the names of the subjects with one of these verdicts, each once."""
        return list(dict.fromkeys(finding["name"] for finding in self.findings if finding["verdict"] in verdicts))

    @property
    def code(self) -> int:
        """The exit code: 1 if something is wrong, 2 if something was not judged, else 0."""
        if self.names("wrong"):
            return 1
        return 2 if self.error or self.left_out or self.names("undecidable") else 0

    def to_table(self) -> dict[str, Any]:
        """Return the examination as plain values, for a JSON file."""
        examined, seen = self.names("right", "wrong"), self.names("right", "wrong", "undecidable")
        return {
            "file": str(self.file),
            "error": self.error,
            "score": {
                "examined": len(examined),
                "seen": len(seen) + len(self.left_out),
                "wrong": len(self.names("wrong")),
            },
            "subjects": self.findings,
            "left_out": self.left_out,
            "notes": self.notes,
        }


def examine_file(path: str | Path, *, only: str | None = None, timeout: float = 60.0) -> list[dict[str, Any]]:
    """Return the findings on the backpropagation in a file: see `examination`."""
    return examination(path, only=only, timeout=timeout).findings


def examination(
    path: str | Path,
    *,
    only: str | None = None,
    timeout: float = 60.0,
    told: dict[str, Any] | None = None,
    run: str | Path | None = None,
) -> Examination:
    """Examine the backpropagation in a Python file, in a notebook, or in the code of a Markdown page.

    `only` names the one class or function to examine. `told` is a table with the user's names for forward, backward and wrt. `run` is a
    program that uses the file; it is run to see which arguments it gives. `timeout` is in seconds. The file may read from its own folder;
    what it writes to a relative path goes to a temporary folder.

    Raises: `InputError` if the file cannot be read or run, or holds nothing that can be examined.
    """
    path = Path(path)
    if path.suffix not in ENDINGS:
        raise InputError(
            f"cannot examine {path}: it is not Python; give a file that ends in .py, .ipynb or .md, or a folder"
        )
    with open_file(path, "Python file"):
        pass
    if run is not None:
        with open_file(Path(run), "Python file"):
            pass
    options = json.dumps(
        {
            "only": only or "",
            "seconds": max(timeout - _SPARE, timeout / 2),
            "told": told,
            "run": str(Path(run).resolve()) if run is not None else "",
        }
    )
    outcome = run_apart("plainnet.checks.code.worker", [str(path.resolve()), options], timeout=timeout)
    if outcome.ended is not None:
        advice = "look for an endless loop, or for training code that runs when the file is imported" + (
            ", or allow more time with --timeout" if "within" in outcome.ended else ""
        )
        raise InputError(f"{path} was stopped: {outcome.ended}; {advice}")
    if outcome.report is None:
        last = shown(outcome.last_words.rpartition("\n")[2]) or f"exit code {outcome.code}"
        raise InputError(f"{path} ended its process before it could be examined: {last}")
    result = _checked(path, outcome.report)
    found = Examination(path, result["subjects"], result["left_out"], list(_notes(result)), result["unconfined"])
    if not found.findings and not found.left_out:
        what = f"nothing called {only}" if only else "nothing"
        failed = f"; not run as written: {result['failed'][0]}" if result["failed"] else ""
        raise InputError(
            f"{path} defines {what} to examine; looked for classes and functions with a backward pass, losses with gradients, "
            f"derivatives, training loops and update rules{failed}"
        )
    return found


def _checked(path: Path, report: bytes) -> dict[str, Any]:
    """Return the report of a worker after checking its form."""
    try:
        result = parse_json(report.decode())
        what = problem(result, _REPORT)
    except ValueError as error:
        what = str(error)
    if what is not None:
        raise InputError(f"{path} has interfered with its examination: {what}")
    if not isinstance(result.get("subjects", result.get("error")), list | str):
        raise InputError(f"{path} has interfered with its examination: the report says nothing")
    if "error" in result:
        raise InputError(f"{path} cannot be examined: {result['error']}")
    return {"left_out": [], "failed": [], "stand_ins": [], "made_up": [], "programs": []} | result


def _notes(result: dict[str, Any]) -> Iterator[str]:
    if result["stand_ins"]:
        yield f"not installed, replaced by stand-ins: {', '.join(result['stand_ins'])}"
    if result["made_up"]:
        lines = ", ".join(map(str, result["made_up"]))
        yield f"missing data was replaced by made-up data in line {lines}: verdicts that depend on it hold for the made-up data"
    if result["programs"]:
        programs = ", ".join(result["programs"])
        yield f"also run, with made-up data for missing data, to see how they call this file: {programs}"
    for failed in result["failed"]:
        yield f"not run as written: {failed}"


def describe(finding: dict[str, Any], path: str | Path) -> str:
    """Return a finding as text."""
    head = f"{shown(finding['name'])}: {finding['verdict']}"
    evidence = shown(finding["evidence"], 1000)
    remarks = "".join(f"\n    remark: {_remark(remark, path)}" for remark in finding.get("remarks", []))
    if finding["verdict"] != "wrong":
        return f"{head}\n    {evidence}{remarks}"
    where = f"{shown(path)}:{finding['line']}" if finding["line"] else shown(path)
    head += f", {shown(finding['array'] or 'backward')} ({where})"
    if finding["diagnosis"] is None:
        return f"{head}\n    {evidence}{remarks}"
    fault = CATALOGUE[finding["diagnosis"]]
    return (
        f"{head}\n    {fault.title} [{finding['diagnosis']}]\n    evidence: {evidence}\n"
        f"    should be: {fault.formula}\n    lesson: {lesson(finding['diagnosis'])}{remarks}"
    )


def _remark(remark: dict[str, Any], path: str | Path) -> str:
    where = f" ({shown(path)}:{remark['line']})" if remark["line"] else ""
    return f"{CATALOGUE[remark['name']].title} [{remark['name']}]{where}: {shown(remark['evidence'], 1000)}"
