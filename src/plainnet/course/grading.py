"""Grading: each submission is judged exercise by exercise, in a sandbox; nothing is graded twice."""

from __future__ import annotations

import hashlib
import json
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from plainnet import __version__
from plainnet.course.assignment import Assignment
from plainnet.course.judging import Judgement, judged
from plainnet.course.submissions import Submission, answers, fingerprint, laid_out
from plainnet.errors import InputError
from plainnet.foreign.another_user import let_read
from plainnet.foreign.showing import shown
from plainnet.writing import to_json, write_atomically


@dataclass
class Grade:
    """What a submission gets: a judgement for each exercise; `trouble` says why there was nothing to judge."""

    name: str
    judgements: list[Judgement] = field(default_factory=list)
    trouble: str = ""
    texts: dict[str, str] = field(default_factory=dict)

    @property
    def points(self) -> float:
        """The total number of points."""
        return round(sum(one.points for one in self.judgements), 2)


def graded(submission: Submission, assignment: Assignment, kept: Path | None = None) -> Grade:
    """Grade a submission, or return its grade from the folder `kept` if nothing has changed since."""
    with tempfile.TemporaryDirectory(prefix="plainnet-grade-") as folder:
        place = Path(folder)
        let_read(place)
        found = Grade(submission.name)
        try:
            files = laid_out(submission, place)
        except InputError as error:
            found.trouble, files = str(error), []
        given = answers(files, assignment.exercises)
        found.texts = {name: text for name, (text, _) in given.items()}
        key = hashlib.sha256(f"{_key(assignment)} {fingerprint(place)}".encode()).hexdigest()
        record = None if kept is None else kept / f"{submission.name}.json"
        if record is not None and (before := _before(record, key)) is not None:
            found.judgements = before
            return found
        for one in assignment.exercises:
            if one.name not in given:
                says = found.trouble or f"no answer was handed in; expected a file {one.name}.py"
                found.judgements.append(Judgement(one.name, 0.0, one.told.points, says))
                continue
            text, path = given[one.name]
            judgement = judged(one, text, path)
            if "did not end within" in judgement.says:  # once more: the machine may have been busy
                judgement = judged(one, text, path)
            judgement.says, judgement.evidence = (
                said.replace(f"{folder}/", "") for said in (judgement.says, judgement.evidence)
            )
            found.judgements.append(judgement)
        if record is not None:
            table = {"key": key, "name": submission.name, "judgements": [asdict(one) for one in found.judgements]}
            write_atomically(record, to_json(table))
        return found


def graded_all(
    submissions: list[Submission], assignment: Assignment, jobs: int = 1, kept: Path | None = None
) -> Iterator[Grade]:
    """Grade submissions, `jobs` at a time, and yield each when it is done."""
    with ThreadPoolExecutor(jobs) as pool:
        waiting = [pool.submit(_safely, one, assignment, kept) for one in submissions]
        try:
            for done in as_completed(waiting):
                yield done.result()
        finally:
            for one in waiting:
                one.cancel()


def _safely(submission: Submission, assignment: Assignment, kept: Path | None) -> Grade:
    """Grade a submission; what goes wrong with one does not end the others."""
    try:
        return graded(submission, assignment, kept)
    except Exception as error:
        trouble = f"it could not be graded: {type(error).__name__}: {shown(error, 200)}"
        lost = [Judgement(one.name, 0.0, one.told.points, trouble) for one in assignment.exercises]
        return Grade(submission.name, lost, trouble)


def _key(assignment: Assignment) -> str:
    """Return what a grade depends on besides the submission: the version, the solutions, the checks, the changes."""
    parts = [(one.name, one.text, one.check_text, sorted(one.changes.items())) for one in assignment.exercises]
    return f"{__version__} {parts!r}"


def _before(record: Path, key: str) -> list[Judgement] | None:
    """Return the earlier judgements, if they belong to the same submission and assignment."""
    try:
        table: dict[str, Any] = json.loads(record.read_text(encoding="utf-8"))
        return [Judgement(**one) for one in table["judgements"]] if table["key"] == key else None
    except (OSError, ValueError, KeyError, TypeError):
        return None


def for_gradescope(grade: Grade) -> dict[str, Any]:
    """Return a grade in the form of Gradescope's results.json."""
    tests = [
        {
            "name": one.name,
            "score": one.points,
            "max_score": one.out_of,
            "status": "passed" if one.passed else "failed",
            "output": "right" if one.passed else "\n".join(filter(None, [one.says, one.evidence, *one.remarks])),
            "visibility": "visible",
        }
        for one in grade.judgements
    ]
    seen = {"visibility": "visible", "stdout_visibility": "hidden"}
    return {"score": grade.points, "output": grade.trouble, "tests": tests} | seen
