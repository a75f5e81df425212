"""`plainnet course make` and `plainnet course grade`: assignments for a class."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from plainnet.cli.output_files import check_ending
from plainnet.cli.saying import say
from plainnet.errors import InputError
from plainnet.writing import to_json, write_atomically

if TYPE_CHECKING:
    from plainnet.course.assignment import Assignment
    from plainnet.course.grading import Grade


def make(
    assignment: Path, /, *, out: Path = Path("assignment"), force: Annotated[bool, Parameter(negative=())] = False
) -> None:
    """Make the files of an assignment: for students, for teachers, and for Gradescope.

    Parameters
    ----------
    assignment
        A TOML file with a title and one [[exercise]] table per exercise.
    out
        The folder to write.
    force
        Write to the folder even if it is not empty.
    """
    from plainnet.course import assignment as assignments

    found = assignments.read_assignment(assignment)
    if out.exists() and (not out.is_dir() or any(out.iterdir())) and not force:
        raise InputError(f"{out} already exists; name another folder with --out, or write into it with --force")
    for path in assignments.make(found, assignment, out):
        say(path)
    say(f"\n{len(found.exercises)} exercises, {found.out_of:g} points; hand out {out / 'students'}")


def grade(
    folder: Path,
    /,
    *,
    assignment: Path,
    jobs: int = 1,
    out: Path = Path("grades"),
    csv: Path | None = None,
    gradescope: Path | None = None,
) -> None:
    """Grade submissions: each file, folder or zip in a folder is the submission of one student.

    Every answer is run in a sandbox. Grades are kept in --out, so that interrupted grading can resume.

    Parameters
    ----------
    folder
        The folder with the submissions; with --gradescope, the files of one submission.
    assignment
        The TOML file of the assignment.
    jobs
        How many submissions to grade at a time.
    out
        Write grades and pages of feedback to this folder.
    csv
        Write a table of points to this file as well.
    gradescope
        Grade one submission, and write its results.json for Gradescope.
    """
    from plainnet.course.assignment import read_assignment
    from plainnet.course.grading import for_gradescope, graded, graded_all
    from plainnet.course.submissions import Submission, submissions_in

    check_ending(csv, ".csv", "--csv", folder, assignment)
    check_ending(gradescope, ".json", "--gradescope", folder, assignment)
    if not 1 <= jobs <= 64:
        raise InputError(f"--jobs takes a number from 1 to 64, received {jobs}")
    found = read_assignment(assignment)
    if gradescope is not None:
        if not folder.is_dir():
            raise InputError(f"{folder} is not a folder; give the folder that holds the files of one submission")
        one = graded(Submission(folder.name, folder), found)
        write_atomically(gradescope, to_json(for_gradescope(one)))
        _say(one, found)
        return
    submissions = submissions_in(folder)
    kept = out / "kept"
    kept.mkdir(parents=True, exist_ok=True)
    grades = []
    for done in graded_all(submissions, found, jobs, kept):
        grades.append(done)
        _say(done, found)
    grades.sort(key=lambda one: one.name)
    _write(grades, found, out)
    if csv is not None:
        write_atomically(csv, _table(grades, found).encode())
    mean = sum(one.points for one in grades) / len(grades)
    say(f"\n{len(grades)} submissions, {mean:.1f} of {found.out_of:g} points on average; see {out / 'class.html'}")


def _say(grade: Grade, assignment: Assignment) -> None:
    wrong = [one.name for one in grade.judgements if not one.passed]
    left = f", not right: {', '.join(wrong)}" if wrong else ""
    say(f"{grade.name}: {grade.points:g} of {assignment.out_of:g}{left}")


def _write(grades: list[Grade], assignment: Assignment, out: Path) -> None:
    """Write a page for each student and one for the class."""
    from plainnet.course.grade_pages import page_of_class, page_of_student
    from plainnet.course.similarity import similar

    pairs = {
        one.name: similar({g.name: g.texts[one.name] for g in grades if one.name in g.texts}, one.starter)
        for one in assignment.exercises
    }
    (out / "students").mkdir(exist_ok=True)
    for one in grades:
        write_atomically(out / "students" / f"{one.name}.html", page_of_student(one, assignment).encode())
    write_atomically(out / "class.html", page_of_class(grades, assignment, pairs).encode())


def _table(grades: list[Grade], assignment: Assignment) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["student", *(one.name for one in assignment.exercises), "points", "out of"])
    for grade in grades:
        name = f"'{grade.name}" if grade.name[:1] in "=+-@" else grade.name  # so that a spreadsheet reads no formula
        writer.writerow([name, *(one.points for one in grade.judgements), grade.points, assignment.out_of])
    return text.getvalue()
