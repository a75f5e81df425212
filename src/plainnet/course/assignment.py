"""Assignments: exercises for a class, described in a TOML file, and the files that are made from them.

    title = "Homework 2: a layer"

    [[exercise]]
    file = "dense.py"                # the solution, with markers; students get what `marking` leaves of it
    check = "dense_check.py"         # EXERCISE and observe, as in `exercise`; without it the doctor judges
    points = 4

    [[exercise]]
    course = "softmax"               # an exercise of the course

Without `needs`, the doctor judges all it finds in the file. Each exercise may change `title`, `points`, `needs`,
`forbids`, `allows`, `accepts`, `minds`, `doctor` and `seconds`.
"""

from __future__ import annotations

import re
import shutil
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from plainnet.course import lessons
from plainnet.course.exercise import Assigned
from plainnet.doctor import CATALOGUE
from plainnet.errors import InputError
from plainnet.foreign.checking import listed, problem, real, text
from plainnet.foreign.opening import parse_toml, read_text
from plainnet.foreign.showing import shown
from plainnet.writing import write_atomically

_NAMES = listed(text())
_EXERCISE = {
    "course?": text(), "file?": text(), "check?": text(), "title?": text(), "points?": real(0, 1000), "needs?": _NAMES,
    "forbids?": _NAMES, "allows?": _NAMES, "accepts?": _NAMES, "minds?": _NAMES,
    "doctor?": lambda value: isinstance(value, bool),
    "seconds?": real(1, 3600),
}  # fmt: skip
_FORM = {"title": text(), "exercise": listed(_EXERCISE, least=1)}


@dataclass
class Assignment:
    """An assignment: its title and its exercises."""

    title: str
    exercises: list[Assigned]

    @property
    def out_of(self) -> float:
        """The total number of points."""
        return sum(one.told.points for one in self.exercises)


def read_assignment(path: Path) -> Assignment:
    """Read an assignment.

    Raises: `InputError` if the file does not have the right form, or a file that it names is missing or wrong.
    """
    try:
        table = parse_toml(read_text(path, "assignment"))
    except ValueError as error:
        raise InputError(f"{path} is not TOML: {error}") from error
    if (what := problem(table, _FORM)) is not None:
        raise InputError(f"{path} is not an assignment: {what}; an assignment has a title and [[exercise]] tables")
    found = [_exercise(path, row) for row in table["exercise"]]
    if len({one.name for one in found}) < len(found):
        raise InputError(f"{path} has two exercises with the same name; rename a file")
    return Assignment(table["title"], found)


def _exercise(path: Path, row: dict[str, Any]) -> Assigned:
    course, file, check = (row.get(key) for key in ("course", "file", "check"))
    changes = {key: tuple(value) if isinstance(value, list) else value for key, value in row.items()}
    changes = {key: value for key, value in changes.items() if key not in ("course", "file", "check")}
    known = [key.rstrip("?") for key in _EXERCISE]
    if unknown := [key for key in row if key not in known]:
        raise InputError(f"{path} has an unknown key {shown(unknown[0])} in [[exercise]]; keys: {', '.join(known)}")
    if unknown := [slug for key in ("accepts", "minds") for slug in row.get(key, []) if slug not in CATALOGUE]:
        raise InputError(f"{path}: the catalogue has no fault {shown(unknown[0], 60)}; docs/faults.md lists them")
    if (course is None) == (file is None):
        raise InputError(f"{path}: each [[exercise]] has either course = NAME or file = FILE")
    for name in (file, check):
        if name is not None and not (path.parent / name).is_file():
            raise InputError(f"{path} names {shown(name)}, which is not in the same folder")
    if course is not None:
        found = replace(lessons.exercise(course), changes=changes, seen={})
    else:
        assert file is not None
        changes = ({"doctor": True} if check is None else {}) | changes
        found = Assigned(Path(file).stem, path.parent / file, None if check is None else path.parent / check, changes)
    found.starter, found.told  # noqa: B018  (read now, so that a mistake shows before class)
    return found


def make(assignment: Assignment, source: Path, folder: Path) -> list[Path]:
    """Write what students get, what teachers keep, and a folder for Gradescope; return the files."""
    files = {folder / "students" / f"{one.name}.py": one.starter for one in assignment.exercises}
    files |= {folder / "teachers" / f"{one.name}.py": one.solution for one in assignment.exercises}
    files[folder / "students" / "README.md"] = readme(assignment)
    scope = folder / "gradescope"
    files |= {scope / name: content for name, content in _GRADESCOPE.items()}
    kept = {source} | {
        path
        for one in assignment.exercises
        if not one.answer.is_relative_to(lessons.HERE)
        for path in (one.answer, one.check_file)
        if path is not None
    }
    for path, content in files.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(path, content.encode())
    copies = [scope / "assignment" / ("assignment.toml" if path == source else path.name) for path in kept]
    (scope / "assignment").mkdir(parents=True, exist_ok=True)
    for path, copy in zip(kept, copies, strict=True):
        shutil.copyfile(path, copy)
    for name in ("setup.sh", "run_autograder"):
        (scope / name).chmod(0o755)
    return [*files, *copies]


def readme(assignment: Assignment) -> str:
    """Return what students are told."""
    parts = [f"# {assignment.title}\n\nFill in the files and hand them in under the names they have.\n"]
    for one in assignment.exercises:
        told = one.told
        parts.append(f"## {one.name}.py: {told.title or one.name} ({told.points:g} points)\n\n{lessons.task(one)}\n")
        rules = [f"It must define {', '.join(f'`{name}`' for name in told.needs)}."] if told.needs else []
        rules += [f"It may import {', '.join(f'`{name}`' for name in told.allows)} only."] if told.allows else []
        rules += [f"Solve it without {', '.join(told.forbids)}."] if told.forbids else []
        parts.append(" ".join(rules) + "\n")
    return re.sub(r"\n{3,}", "\n\n", "\n".join(parts))


_GRADESCOPE = {
    "setup.sh": "#!/usr/bin/env bash\nset -e\napt-get update -qq && apt-get install -y -qq python3 python3-venv\n"
    "python3 -m venv /autograder/venv\n/autograder/venv/bin/pip install -q plainnet\n",
    "run_autograder": "#!/usr/bin/env bash\n/autograder/venv/bin/plainnet course grade /autograder/submission \\\n"
    "  --assignment /autograder/source/assignment/assignment.toml --gradescope /autograder/results/results.json\n",
}
