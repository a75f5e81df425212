"""An exercise: a file with gaps, what a right answer must do, known mistakes, and three hints.

An exercise is a folder with `answer.py`, the solution between markers, and `check.py`, which defines `EXERCISE` and

    def observe(answer, rng):
        z = rng.normal(size=(3, 4))
        yield "softmax of 3 rows", lambda: answer.softmax(z)

`observe` is run with the student's module and with the solution. The answer is right if both give the same values. An
observation may carry its own expectation, as a third part: a value, or `AtLeast(0.985)`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

from plainnet.course import marking
from plainnet.errors import InputError

TO_DO = "it is not filled in yet"
Observe = Callable[[Any, Any], Iterator[tuple[Any, ...]]]


class AtLeast(NamedTuple):
    """Expect a number of at least `value`."""

    value: float


class Fault(NamedTuple):
    """A known mistake: an answer with it gives the same results as the solution with `old` replaced by `new`."""

    name: str
    old: str
    new: str
    says: str


@dataclass(frozen=True)
class Exercise:
    """What `check.py` says about an exercise.

    `place` is a heading in the lesson that explains it. `tolerance` is relative to the largest value of an observation;
    `tells` is whether feedback may show the expected value. `needs` names what the file must define; `forbids` what it
    must not use. With `doctor`, the doctor examines the gradients of the file as well.
    """

    title: str
    place: str
    hints: tuple[str, str, str]
    needs: tuple[str, ...]
    faults: tuple[Fault, ...] = ()
    forbids: tuple[str, ...] = ()
    allows: tuple[str, ...] = ()
    points: float = 1.0
    tolerance: float = 1e-6
    tells: bool = True
    seconds: float = 20.0
    doctor: bool = False
    accepts: tuple[str, ...] = ()
    minds: tuple[str, ...] = ()


_NO_CHECKS = """from plainnet.course.exercise import Exercise

EXERCISE = Exercise(title="", place="", hints=("", "", ""), needs=())


def observe(answer, rng):
    return iter(())
"""


@dataclass
class Assigned:
    """An exercise: the file with its solution, its checks, and the settings that an assignment changes."""

    name: str
    answer: Path
    check_file: Path | None = None
    changes: dict[str, Any] = field(default_factory=dict)
    seen: dict[str, Any] = field(default_factory=dict, repr=False)  # results of its own programs, once run

    @cached_property
    def text(self) -> str:
        """The text of the solution, with its markers."""
        return self.answer.read_text(encoding="utf-8")

    @cached_property
    def check_text(self) -> str:
        """The text of the checks."""
        return _NO_CHECKS if self.check_file is None else self.check_file.read_text(encoding="utf-8")

    @cached_property
    def check(self) -> ModuleType:
        """The module of the checks.

        Raises: `InputError` if it does not define what it must.
        """
        try:
            module = module_of(self.check_text, f"check_{self.name}")
        except Exception as error:
            raise InputError(f"{self.check_file} cannot be run: {type(error).__name__}: {error}") from error
        told, observe = getattr(module, "EXERCISE", None), getattr(module, "observe", None)
        if not isinstance(told, Exercise) or not callable(observe):
            raise InputError(f"{self.check_file} must define EXERCISE, an Exercise, and observe(answer, rng)")
        return module

    @cached_property
    def told(self) -> Exercise:
        """What the checks say about the exercise, with the changes that the assignment makes."""
        return replace(self.check.EXERCISE, **self.changes)

    @cached_property
    def solution(self) -> str:
        """The text of the solution."""
        return marking.solution(self.text)

    @cached_property
    def starter(self) -> str:
        """The text that a student is given, with the name of the exercise in its first line."""
        return f"# plainnet course: {self.name}\n{marking.starter(self.text)}"

    def faulty(self, fault: Fault) -> str:
        """Return the solution with a mistake in it.

        Raises: `InputError` if the solution does not hold the text that the mistake replaces.
        """
        if fault.old not in self.solution:
            raise InputError(
                f"the fault {fault.name} of {self.name} replaces {fault.old!r}, which is not in the solution"
            )
        return self.solution.replace(fault.old, fault.new)


def module_of(text: str, name: str) -> ModuleType:
    """Return the module that a text defines."""
    module = ModuleType(name)
    exec(compile(text, f"{name}.py", "exec"), vars(module))  # noqa: S102  (our own text)
    return module
