"""Judging an answer: its results are compared with those of the solution, and of known mistakes.

A mistake is named only if the solution with this one mistake gives the first wrong result of the answer. If several
do, the one that agrees in most results is named.
"""

from __future__ import annotations

import ast
import json
import re
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from plainnet.course.differences import difference, equal
from plainnet.course.exercise import TO_DO, Assigned, Fault, module_of
from plainnet.course.observing import Observation, imported, observed, unpacked, used_names
from plainnet.doctor import CATALOGUE, examination, weighed
from plainnet.errors import InputError
from plainnet.foreign.another_user import let_read
from plainnet.foreign.checking import either, listed, nothing, problem, text, whole
from plainnet.foreign.opening import parse_json
from plainnet.foreign.running import run_apart
from plainnet.foreign.showing import shown

SEED = 20  # of what is observed: the same answer always gets the same judgement
START = 10.0  # seconds for the sandbox to begin, on a busy machine
LINE = "the number of the line"  # its name in exercises that ask for a line number
_MEMORY, _MOST_LETTERS = 2_000_000_000, 1_000_000
_REPORT = {
    "unconfined": listed(text()),
    "error?": text(1000),
    "line?": either(nothing, whole()),
    "lacking?": listed(text()),
    "observations?": listed(lambda row: isinstance(row, list) and len(row) == 4),
}


@dataclass
class Judgement:
    """The result for one answer: its points, what is wrong, the evidence, and the line."""

    name: str
    points: float
    out_of: float
    says: str = ""
    evidence: str = ""
    fault: str | None = None
    line: int | None = None
    remarks: list[str] = field(default_factory=list)
    right: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)

    @property
    def passed(self) -> bool:
        """Whether all is right."""
        return not self.says


def judged(assigned: Assigned, answer: str, file: Path) -> Judgement:
    """Run the text of an answer, which came from `file`, in a sandbox, and judge it."""
    told = assigned.told
    found = Judgement(assigned.name, 0.0, told.points)
    found.says, found.line = refused(assigned, answer)
    if found.says:
        return found
    seen = _run(assigned, answer, file, found)
    if seen is None:
        return found
    remarks, found = found.remarks, compared(assigned, seen)
    found.remarks = remarks
    if told.doctor:
        _examine(assigned, answer, found)
    return found


def compared(assigned: Assigned, seen: list[Observation]) -> Judgement:
    """Judge what was observed of an answer."""
    told, expected = assigned.told, _expected(assigned)
    if len(expected) != len(seen):  # the checks observe the same in every answer
        return Judgement(assigned.name, 0.0, told.points, "it has interfered with its examination: results are missing")
    right = [_alike(e, s, told.tolerance) for e, s in zip(expected, seen, strict=True)]
    found = Judgement(assigned.name, told.points, told.points)
    if seen:  # else the doctor alone judges
        found.points = round(told.points * _share(assigned, right), 2)
    found.right = [one.what for one, fits in zip(seen, right, strict=True) if fits]
    found.wrong = [one.what for one, fits in zip(seen, right, strict=True) if not fits]
    if found.wrong:
        _explain(assigned, found, expected, seen, right.index(False))
    return found


def _share(assigned: Assigned, right: list[bool]) -> float:
    """Return the share of the points. A part, such as db in all cases, counts if all of it is right.

    A result that is right already in the file as handed out earns no points, but losing it costs points.
    """
    expected, given = _of(assigned, assigned.solution), _of(assigned, assigned.starter)
    if len(given) != len(expected):
        given = [Observation(one.what, error=TO_DO) for one in expected]
    parts: dict[str, list[tuple[bool, bool]]] = {}
    for e, g, fits in zip(expected, given, right, strict=True):
        free = e.expected is None and _alike(e, g, assigned.told.tolerance)
        parts.setdefault(re.split(r" for | with |, case|: ", e.what)[0], []).append((fits, free))
    whole = {part: (all(fits for fits, _ in rows), all(free for _, free in rows)) for part, rows in parts.items()}
    earned = [fits for fits, free in whole.values() if not free]
    lost = sum(free and not fits for fits, free in whole.values())
    return max(0.0, sum(earned) / max(len(earned), 1) - lost / len(whole))


def _examine(assigned: Assigned, answer: str, found: Judgement) -> None:
    """Have the doctor look at the gradients: each name that is wrong, or not judged, costs its share of the points.

    If the answer is wrong already, the doctor may only name the mistake.
    """
    passed = found.passed
    with tempfile.TemporaryDirectory(prefix="plainnet-") as folder:
        let_read(Path(folder))
        path = Path(folder) / "answer.py"
        path.write_text(answer, encoding="utf-8")
        try:
            findings = weighed(examination(path, timeout=120).findings, assigned.told.accepts, assigned.told.minds)
        except InputError as error:
            if passed:
                said = str(error).replace(str(path), "the file")
                found.says, found.points = f"the doctor could not examine it: {shown(said, 300)}", 0.0
            return
    for finding in findings:
        found.remarks += [f"{CATALOGUE[one['name']].title}: {one['evidence']}" for one in finding["remarks"]]
        if finding["verdict"] == "wrong" and found.fault is None:
            known = CATALOGUE.get(finding["diagnosis"])
            found.fault, found.line, found.evidence = finding["diagnosis"], finding["line"], finding["evidence"]
            found.says = f"{finding['name']}: {known.title if known else 'the gradient is wrong'}"
    if not passed:
        return
    right, wrong = ({f["name"].partition(".")[0] for f in findings if f["verdict"] == v} for v in ("right", "wrong"))
    wanted = (set(assigned.told.needs) if assigned.check_file is None else set()) or right | wrong
    found.points = round(found.out_of * len(wanted & (right - wrong)) / max(len(wanted), 1), 2)
    if not findings or not wanted:
        found.says, found.points = "the doctor found no gradient that it could judge", 0.0
    elif not found.says and (open_names := sorted(wanted - right)):
        found.says = f"the doctor could not judge {', '.join(map(shown, open_names))}"


def refused(assigned: Assigned, answer: str) -> tuple[str, int | None]:
    """Return why an answer is not even run, and the line; an empty string if it is run."""
    if len(answer) > _MOST_LETTERS:
        return f"the file has more than {_MOST_LETTERS:,} characters", None
    try:
        tree = ast.parse(answer)
        names, modules = used_names(tree), imported(tree)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        says = f"the file is not valid Python: {shown(getattr(error, 'msg', error), 200)}"
        return says, getattr(error, "lineno", None)
    told = assigned.told
    if used := [name for name in told.forbids if name in names]:
        return f"this exercise must be solved without {used[0]}", None
    if told.allows and (others := sorted(modules - set(told.allows))):
        return f"it imports {shown(others[0], 60)}; it may import only {', '.join(told.allows)}", None
    return "", None


def _run(assigned: Assigned, answer: str, file: Path, found: Judgement) -> list[Observation] | None:
    """Return what was observed of an answer; None if it could not be used, and then `found` says why."""
    seconds = assigned.told.seconds
    with tempfile.TemporaryDirectory(prefix="plainnet-") as folder:
        text_file = Path(folder) / "answer.py"
        text_file.write_text(answer, encoding="utf-8")
        options = json.dumps({"seed": SEED, "memory": _MEMORY, "text": str(text_file)})
        check = Path(folder) / "check.py"
        check.write_text(assigned.check_text, encoding="utf-8")
        outcome = run_apart(
            "plainnet.course.worker", [str(file.resolve()), str(check), options], timeout=seconds + START
        )
    if outcome.ended is not None:
        found.says = f"it was stopped: {outcome.ended}; look for an endless loop, or let it do less"
        return None
    if outcome.report is None:
        last = shown(outcome.last_words.rpartition("\n")[2], 200)
        found.says = f"it ended its process: {last or f'exit code {outcome.code}'}"
        return None
    try:
        report = parse_json(outcome.report.decode())
        if (what := problem(report, _REPORT)) is not None:
            raise ValueError(what)
        rows = report.get("observations", [])
        seen = [Observation(str(w), unpacked(v), e and str(e), int(n) if n else None) for w, v, e, n in rows]
    except (ValueError, TypeError, KeyError) as error:
        found.says = f"it has interfered with its examination: {shown(error, 200)}"
        return None
    if report["unconfined"]:
        found.remarks.append(f"this system did not limit or shut off: {', '.join(map(shown, report['unconfined']))}")
    if "error" in report:
        found.says, found.line = f"the file does not run: {shown(report['error'], 300)}", report.get("line")
        return None
    if report.get("lacking"):
        found.says = f"the file does not define {' and '.join(map(shown, report['lacking']))}"
        return None
    return seen


def _expected(assigned: Assigned) -> list[Observation]:
    """Return what the solution gives, with fixed expectations where the checks have them."""
    given = _of(assigned, assigned.solution)
    return [e._replace(value=e.value if e.expected is None else e.expected) for e in given]


def _of(assigned: Assigned, program: str) -> list[Observation]:
    """Return what one of our own programs gives; each is run once."""
    if program not in assigned.seen:
        try:
            found = observed(assigned.check.observe, module_of(program, assigned.name), SEED, skip_fixed=True)
        except Exception:  # a known mistake may be one that does not even run
            found = []
        assigned.seen[program] = found
    return assigned.seen[program]


def _alike(expected: Observation, seen: Observation, tolerance: float) -> bool:
    return seen.error is None and expected.error is None and equal(expected.value, seen.value, tolerance)


def _explain(
    assigned: Assigned, found: Judgement, expected: list[Observation], seen: list[Observation], first: int
) -> None:
    """Name the mistake if a known one gives the same results, else say how the first wrong result differs."""
    told, one, tolerance = assigned.told, seen[first], assigned.told.tolerance
    found.line = one.line
    if one.error is not None:
        found.evidence = one.error if one.error == TO_DO else f"{one.what}: {one.error}"
    else:
        found.evidence = f"{one.what}: {difference(expected[first].value, one.value, tolerance, tells=told.tells)}"
    given = _of(assigned, assigned.starter)
    untouched = (
        one.value is not None
        and len(given) == len(seen)
        and all(_same(g, s, tolerance, g.value) for g, s in zip(given, seen, strict=True) if s.what != LINE)
    )
    fault = None if untouched else _known(assigned, expected, seen, first)
    if untouched:
        found.says = f"{one.what}: this is what the unchanged file gives; this part is not done yet"
        found.evidence = ""
    elif fault is not None:
        found.fault, found.says = fault.name, fault.says
    else:
        found.says, found.evidence = found.evidence, ""


def _known(assigned: Assigned, expected: list[Observation], seen: list[Observation], first: int) -> Fault | None:
    """Return the known mistake that gives the first wrong result of an answer and at least one wrong value, if any."""
    tolerance, best, most = assigned.told.tolerance, None, 0
    for fault in assigned.told.faults:
        given = _of(assigned, assigned.faulty(fault))
        if len(given) != len(seen):
            continue
        rows = enumerate(zip(given, seen, expected, strict=True))
        same = [k for k, (g, s, e) in rows if _same(g, s, tolerance, e.value)]
        shown_by = [k for k in same if seen[k].error is None and not _alike(expected[k], seen[k], tolerance)]
        if first in same and shown_by and len(same) > most:
            best, most = fault, len(same)
    return best


def _same(one: Observation, other: Observation, tolerance: float, like: Any) -> bool:
    """Return whether two results are equal, with a tolerance relative to a third one, `like`."""
    if one.error is not None or other.error is not None:
        return (one.error or "").partition(":")[0] == (other.error or "").partition(":")[0]
    return equal(one.value, other.value, tolerance, like)
