"""`plainnet course`: lessons to read, exercises that grade themselves."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from plainnet.cli.saying import say
from plainnet.errors import InputError
from plainnet.foreign.showing import shown
from plainnet.writing import write_atomically

if TYPE_CHECKING:
    from plainnet.course.judging import Judgement

_Yes = Annotated[bool, Parameter(negative=())]


def listing() -> None:
    """List the lessons and their exercises."""
    from plainnet.course.lessons import LESSONS

    for lesson in LESSONS:
        say(f"{lesson.number:2}  {lesson.title}")
        for one in lesson.exercises:
            say(f"      {one.name:24}{one.told.title}", indent=30)
    say("\nstart a lesson with: plainnet course start 1")


def start(lesson: str, /, *, into: Path | None = None, force: _Yes = False) -> None:
    """Write a lesson to a folder: a notebook to read and run, and a Python file for each exercise.

    Parameters
    ----------
    lesson
        The number of a lesson, its name, or the name of one of its exercises.
    into
        The folder; by default it is named after the lesson.
    force
        Overwrite existing files.
    """
    from plainnet.course.interactive import step_page
    from plainnet.course.lessons import STEP, lesson_of, notebook

    found = lesson_of(lesson)
    folder = into or Path(f"{found.number:02d}-{found.name}")
    files = {folder / found.file.replace(".md", ".ipynb"): json.dumps(notebook(found), indent=1)}
    files |= {folder / f"{one.name}.py": one.starter for one in found.exercises}
    if STEP in found.text:
        files[folder / "step.html"] = step_page()
    there = [path for path in files if path.exists()]
    if there and not force:
        raise InputError(f"{there[0]} already exists; name another folder with --into, or overwrite with --force")
    folder.mkdir(parents=True, exist_ok=True)
    for path, text in files.items():
        write_atomically(path, text.encode())
        say(path)
    first = found.exercises[0].name if found.exercises else ""
    say(f"\nread the notebook, edit a file, then: plainnet course check {folder / first}.py")


def check(file: Path, /, *files: Path) -> int:
    """Check answers. Each file is run in a sandbox; exit code 0 if all answers are right, 1 if one is wrong.

    Parameters
    ----------
    file
        A Python file or a notebook that `plainnet course start` wrote, with your answer.
    files
        More such files.
    """
    from plainnet.course.judging import judged
    from plainnet.course.lessons import answers_in, exercise

    codes = {0}
    for path in (file, *files):
        try:
            found = [(exercise(name), text) for name, text in answers_in(path)]
        except InputError as error:
            if not files:
                raise
            say(f"{path}: {error}")
            codes.add(2)
            continue
        for assigned, text in found:
            judgement = judged(assigned, text, path)
            _say(judgement, path)
            codes.add(0 if judgement.passed else 1)
    return max(codes)


def hint(exercise: str, /, number: int = 1) -> None:
    """Show a hint for an exercise; there are three, and each tells more than the one before.

    Parameters
    ----------
    exercise
        The name of an exercise.
    number
        Which hint: 1, 2 or 3.
    """
    from plainnet.course import lessons

    found = lessons.exercise(exercise)
    if not 1 <= number <= len(found.told.hints):
        raise InputError(f"there are {len(found.told.hints)} hints, received {number}; give 1, 2 or 3")
    say(found.told.hints[number - 1])
    exercise = found.name
    if number < len(found.told.hints):
        say(f"\nthe next one: plainnet course hint {exercise} {number + 1}")


def solution(exercise: str, /) -> None:
    """Show a correct solution to an exercise.

    Parameters
    ----------
    exercise
        The name of an exercise.
    """
    from plainnet.course import lessons

    found = lessons.exercise(exercise)
    say(f"# plainnet course: {found.name}\n{found.solution}", end="", fold=False)


def _say(judgement: Judgement, path: Path) -> None:
    """Say what is right and wrong with an answer, and where to read on."""
    from plainnet.course.lessons import exercise, lesson_of

    told, lesson = exercise(judgement.name).told, lesson_of(judgement.name)
    if judgement.passed:
        say(f"{judgement.name}: right ({shown(path)})")
        return
    cell = " of its cell" if path.suffix == ".ipynb" else ""
    where = f", line {judgement.line}{cell}" if judgement.line else ""
    say(f"{judgement.name}: not right yet ({shown(path)}{where})\n    {judgement.says}")
    if cell and "NameError" in judgement.says:
        say("    each cell is checked on its own: it must define everything that it uses")
    if judgement.evidence:
        say(f"    evidence: {judgement.evidence}")
    if judgement.right:
        say(f"    {len(judgement.right)} of {len(judgement.right) + len(judgement.wrong)} results are right")
    say(f"    read: lesson {lesson.number}, {told.place}\n    hint: plainnet course hint {judgement.name}")
