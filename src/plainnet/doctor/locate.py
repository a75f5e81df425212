"""Which line of a file a fault is most likely in: the last one that makes the wrong array, or bears the fault's marks."""

from __future__ import annotations

import ast
import inspect
import re
import textwrap
from collections.abc import Callable, Iterator
from typing import Any

from plainnet.doctor.subject import Subject

_FORWARD = {  # faults whose cause is in the forward function, with what their line looks like
    "softmax-over-the-whole-batch": r"sum\(",
    "softmax-without-max-shift": r"exp\(",
    "log-of-zero": r"log\(",
}
_MARKS = {  # what the line of a fault looks like, where it is in the backward function
    "relu-mask-missing": r"dx|grad|return",
    "relu-mask-inclusive-on-output": r">=",
    "relu-mask-from-wrong-array": r"[<>]",
    "dropout-mask-redrawn": r"rand|binomial|choice",
    "gradient-accumulated": r"\+=",
    "labels-off-by-one": r"-= *1|eye|one_?hot|arange",
    "max-pool-gradient-to-every-tie": r"==|mask",
    "max-pool-first-image-only": r"\[0|range\(1\)",
    "clip-after-update": r"clip|max|min",
    "input-edited-in-place": r"[-+*/]=|out ?=|\] ?=",
}


def locate(subject: Subject, array: str | None, diagnosis: str | None) -> int | None:
    """Return the number of the line most likely at fault, or None where the source cannot be read."""
    if diagnosis == "cached-previous-batch":
        return _caching_line(subject)
    if diagnosis in _FORWARD and (line := _marked(subject.functions["forward"], _FORWARD[diagnosis])):
        return line
    order = ("forward", "backward") if diagnosis == "input-edited-in-place" else ("backward",)
    for function in order:
        lines = list(_lines_that_make(subject, array, function))
        marked = [n for n, text in lines if diagnosis in _MARKS and re.search(_MARKS[diagnosis], text)]
        if marked:
            return marked[-1]
        if diagnosis in _MARKS and (line := _marked(subject.functions[function], _MARKS[diagnosis])):
            return line
        if lines and function == "backward":
            return lines[-1][0]
    return _first_line(subject.functions["backward"])


def _source(function: Callable[..., Any]) -> tuple[list[str], int]:
    try:
        lines, start = inspect.getsourcelines(function)
    except (OSError, TypeError):
        return [], 0
    return textwrap.dedent("".join(lines)).splitlines(), start


def _first_line(function: Callable[..., Any]) -> int | None:
    lines, start = _source(function)
    return start if lines else None


def _marked(function: Callable[..., Any], mark: str) -> int | None:
    lines, start = _source(function)
    found = [start + i for i, text in enumerate(lines) if i and re.search(mark, text.partition("#")[0])]
    return found[-1] if found else None


def _lines_that_make(subject: Subject, array: str | None, function: str) -> Iterator[tuple[int, str]]:
    """Yield number and text of the lines that assign to an array's gradient, in the order of the file."""
    lines, start = _source(subject.functions[function])
    if not lines or array is None:
        return
    tree = ast.parse("\n".join(lines))
    names = {array, subject.gradient_names.get(array, f"d{array}"), f"d{array}"}
    names |= {part for name in names for part in re.findall(r"\['(\w+)'\]", name)}
    position = list(subject.settings[0].inputs).index(array) if subject.settings and array in subject.settings[0].inputs else 0
    returns = [node for node in ast.walk(tree) if isinstance(node, ast.Return) and node.value is not None]
    for node in returns:
        value = node.value
        if isinstance(value, ast.Tuple) and subject.form in ("functions", "loss"):
            place = position if subject.form == "functions" else 1
            value = value.elts[place] if place < len(value.elts) else value
        elif array != "x" and subject.form == "class":
            continue
        if isinstance(value, ast.Name):
            names.add(value.id)
        elif value is not None:
            yield start + value.lineno - 1, lines[value.lineno - 1]
    for node in ast.walk(tree):
        targets = node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AugAssign) else []
        if any(_name_of(target) & names for target in targets):
            yield start + node.lineno - 1, lines[node.lineno - 1]


def _name_of(target: ast.expr) -> set[str]:
    if isinstance(target, ast.Tuple):
        return set().union(*map(_name_of, target.elts))
    if isinstance(target, ast.Subscript):
        key = target.slice.value if isinstance(target.slice, ast.Constant) else None
        return _name_of(target.value) | ({key} if isinstance(key, str) else set())
    return {target.id} if isinstance(target, ast.Name) else {target.attr} if isinstance(target, ast.Attribute) else set()


def _caching_line(subject: Subject) -> int | None:
    """Return the line of forward that keeps an array on self or in a cache, the last one inside a condition if any."""
    lines, start = _source(subject.functions["forward"])
    tree = ast.parse("\n".join(lines)) if lines else ast.Module([], [])
    guarded = [inner for node in ast.walk(tree) if isinstance(node, ast.If) for inner in node.body]
    kept = [node for node in (guarded or list(ast.walk(tree))) if isinstance(node, ast.Assign)]
    return start + kept[-1].lineno - 1 if kept else _first_line(subject.functions["forward"])
