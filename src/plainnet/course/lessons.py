"""Lessons: Markdown pages with code that runs; a site and notebooks are made from them.

The `python` blocks of a lesson run in order. A `text` block right after one holds what it prints; in a `text about`
block, numbers differ a little between machines. Two comments stand for other content: `<!-- exercises -->` for the
exercises, whose texts come from their own files, and `<!-- interactive: step -->` for the interactive figure.
"""

from __future__ import annotations

import base64
import difflib
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from plainnet.course.exercise import Assigned, module_of
from plainnet.errors import InputError
from plainnet.foreign.opening import open_file
from plainnet.foreign.showing import shown

HERE = Path(__file__).parent
PLACE = "<!-- exercises -->"
MARK = re.compile(r"^#[ \t]*plainnet course:[ \t]*([\w-]+)[ \t]*$", re.MULTILINE | re.IGNORECASE)
_FENCE = re.compile(r"^```(python|text)(?: about)?\n(.*?)^```\n", re.MULTILINE | re.DOTALL)
STEP = "<!-- interactive: step -->"
_LINK = re.compile(r"(?<!!)\[([^\]]+)\]\((?!https?:)[^)]+\)")
_PICTURE = re.compile(r"!\[([^\]]*)\]\(pictures/([\w.-]+)\)")


@dataclass(frozen=True)
class Lesson:
    """A lesson: its number and name, and the names of its exercises."""

    number: int
    name: str
    exercise_names: tuple[str, ...]

    @property
    def file(self) -> str:
        """The name of its page."""
        return f"{self.number:02d}-{self.name}.md"

    @property
    def text(self) -> str:
        """Its page, without the texts of its exercises."""
        return (HERE / "lessons" / self.file).read_text(encoding="utf-8")

    @property
    def title(self) -> str:
        """The title of its page."""
        return self.text.partition("\n")[0].removeprefix("# ")

    @property
    def exercises(self) -> list[Assigned]:
        """Its exercises."""
        return [exercise(name) for name in self.exercise_names]


_EXERCISES = {
    "neuron": ("one-step", "largest-rate", "neuron-gradient", "learning-weight"),
    "matrices": ("shapes", "dense-forward", "dense-backward", "find-transpose"),
    "softmax": ("softmax", "cross-entropy", "loss-at-start", "softmax-gradient"),
    "backpropagation": ("backprop-numbers", "relu-backward", "two-layers", "find-slope"),
    "thirty-lines": ("he-initialization", "train-step", "find-shuffle"),
    "checking": ("central-difference", "relative-error", "complex-step", "what-went-wrong"),
    "training": ("momentum", "batches", "decayed-rate", "read-rates"),
    "reading": ("effective-rate", "find-missing-n", "read-curves"),
    "generalizing": ("split", "spread", "early-stopping", "find-leak"),
    "convolutions": ("conv-sizes", "conv-forward", "conv-backward", "max-pool", "minute-network", "own-network"),
}
LESSONS = tuple(Lesson(number, name, exercises) for number, (name, exercises) in enumerate(_EXERCISES.items(), 1))


@lru_cache
def exercise(name: str) -> Assigned:
    """Return the exercise with this name.

    Raises: `InputError` if there is none.
    """
    numbered = {f"{one.number}.{k}": found for one in LESSONS for k, found in enumerate(one.exercise_names, 1)}
    name = numbered.get(name, name.lower())
    if name not in numbered.values():
        nearest = difflib.get_close_matches(name, numbered.values(), n=1)
        meant = f"did you mean {nearest[0]}? " if nearest else ""
        raise InputError(f"there is no exercise {shown(name, 60)}; {meant}plainnet course list names them")
    folder = HERE / "exercises" / name.replace("-", "_")
    return Assigned(name, folder / "answer.py", folder / "check.py")


def lesson_of(name: str) -> Lesson:
    """Return the lesson with this number or name, or the lesson of the exercise with this name.

    Raises: `InputError` if there is none.
    """
    for lesson in LESSONS:
        if name in (str(lesson.number), f"{lesson.number:02d}", lesson.name, *lesson.exercise_names):
            return lesson
    raise InputError(
        f"there is no lesson {shown(name, 60)}; the lessons are "
        f"{', '.join(f'{one.number} {one.name}' for one in LESSONS)}: give a number or a name"
    )


def pieces(text: str) -> Iterator[tuple[str, str]]:
    """Yield the parts of a lesson in order: what it is (`markdown`, `python` or `text`), and the part itself."""
    end = 0
    for block in _FENCE.finditer(text):
        if text[end : block.start()].strip():
            yield "markdown", text[end : block.start()].strip()
        yield block[1], block[2].rstrip("\n")
        end = block.end()
    if text[end:].strip():
        yield "markdown", text[end:].strip()


def task(assigned: Assigned) -> str:
    """Return what an exercise asks: the text at the top of its file."""
    text = module_of(assigned.solution, assigned.name).__doc__ or ""
    return text.strip()


def with_exercises(lesson: Lesson) -> str:
    """Return the page of a lesson with the texts of its exercises, for the site."""
    told = []
    for number, one in enumerate(lesson.exercises, 1):
        begin, _, code = one.starter.partition('"""\n')
        told.append(
            f"### Exercise {lesson.number}.{number}: {one.told.title}\n\n{task(one)}\n\n"
            f"```python\n{begin.partition(chr(10))[0]}\n{code.strip()}\n```\n"
        )
    return lesson.text.replace(PLACE, "\n".join(told))


def notebook(lesson: Lesson) -> dict[str, Any]:
    """Return a lesson as a notebook, with its exercises as cells to fill in."""
    before, _, after = lesson.text.partition(PLACE)
    cells = [*_cells(before)]
    for number, one in enumerate(lesson.exercises, 1):
        cells.append(_markdown(f"### Exercise {lesson.number}.{number}: {one.told.title}"))
        cells.append(_code(one.starter.strip()))
    cells += _cells(after)
    for number, cell in enumerate(cells):
        cell["id"] = f"{lesson.name}-{number}"
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    return {
        "cells": cells,
        "metadata": {"kernelspec": kernel, "language_info": {"name": "python"}},
        "nbformat": 4,
        "nbformat_minor": 5,
    }


def _cells(text: str) -> Iterator[dict[str, Any]]:
    for kind, part in pieces(text):
        if kind == "markdown":
            cell = _markdown(part)
        elif kind == "python":
            cell = _code(part)
        else:
            cell["outputs"] = [{"output_type": "stream", "name": "stdout", "text": part + "\n"}]
            continue
        yield cell


def _markdown(text: str) -> dict[str, Any]:
    """Return a cell of text, with its pictures in it."""
    text = text.replace(STEP, "Open `step.html`, beside this notebook, and go through an update number by number.")
    text = _LINK.sub(r"\1", text)  # to pages that a notebook does not have
    names = [name for _, name in _PICTURE.findall(text)]
    kinds = {".svg": "image/svg+xml", ".png": "image/png"}
    attached = {
        name: {kinds[Path(name).suffix]: base64.b64encode((HERE / "lessons" / "pictures" / name).read_bytes()).decode()}
        for name in names
    }
    cell = {"cell_type": "markdown", "metadata": {}, "source": _PICTURE.sub(r"![\1](attachment:\2)", text)}
    return cell | ({"attachments": attached} if attached else {})


def _code(text: str) -> dict[str, Any]:
    return {"cell_type": "code", "execution_count": None, "metadata": {}, "outputs": [], "source": text}


def code_parts(path: Path) -> list[str]:
    """Return the text of a Python file, or of each code cell of a notebook.

    Raises: `InputError` if the file cannot be read.
    """
    with open_file(path, "answer") as file:
        text = file.read().decode("utf-8-sig", errors="replace").replace("\r\n", "\n")
    if path.suffix != ".ipynb":
        return [text]
    try:
        cells = [cell for cell in json.loads(text)["cells"] if cell["cell_type"] == "code"]
        texts = ["".join(cell["source"]) for cell in cells]
        return [
            re.sub(r"^([ \t]*)[%!].*$", r"\1pass", one, flags=re.MULTILINE) for one in texts
        ]  # what only Jupyter runs
    except (ValueError, KeyError, TypeError, RecursionError):
        raise InputError(f"{path} is not a notebook that can be read; save it again in Jupyter") from None


def answers_in(path: Path) -> list[tuple[str, str]]:
    """Return the answers in a Python file or a notebook: the name of each exercise, and the text of its answer.

    Raises: `InputError` if the file cannot be read, or names no exercise.
    """
    found = [(mark[1], part) for part in code_parts(path) if (mark := MARK.search(part)) is not None]
    if not found:
        raise InputError(
            f"{path} does not say which exercise it answers; keep its first line, '# plainnet course: NAME'"
        )
    return found
