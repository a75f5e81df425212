"""Find the line of a fault: a line that looks like the fault, or the last line that assigns the wrong array."""

from __future__ import annotations

import ast
import inspect
import re
import textwrap
from collections.abc import Callable, Iterator
from typing import Any

from plainnet.checks.code.subject import Subject

_IN_FORWARD = {  # faults in the forward function, with patterns of their line, likeliest first
    "softmax-over-the-whole-batch": (r"sum\(.*exp|exp\(.*sum", r"sum\("),
    "softmax-without-max-shift": (r"exp\(",),
    "log-of-zero": (r"log\(np\.exp|log\((self\.)?p\w*\b|\+ *np\.log\(", r"log\("),
}
_MARKS = {  # faults in the backward function, with patterns of their line, likeliest first
    "relu-mask-missing": (r"= *d\w+( \* 1\.0)? *$",),
    "relu-mask-inclusive-on-output": (r">=",),
    "relu-mask-from-wrong-array": (r"[<>]",),
    "dropout-mask-redrawn": (r"rand|binomial|choice",),
    "gradient-accumulated": (r"\+=",),
    "gradient-not-divided-by-the-batch": (r"^\s*d\w+ /= ",),
    "labels-off-by-one": (r"[-+] *1 *\]", r"\] *-= *1", r"eye|one_?hot|arange"),
    "one-hot-missing": (r"\] *-=",),
    "max-pool-gradient-to-every-tie": (r"== .*max\(",),
    "max-pool-first-image-only": (r"range\(1\)|in \[0\]", r"\[0\b"),
    "convolution-filters-not-flipped": (r"flip|::-1",),
    "stride-ignored-in-backward": (r"slice\(|\bi\b.*:.*\bi\b",),
    "clip-after-update": (r"clip|max|min",),
    "input-edited-in-place": (r"out ?=|^\s*\w+(\[.*\])? *[-+*/]=|^\s*\w+\[.*\] *=",),
}


def locate(subject: Subject, array: str | None, diagnosis: str | None) -> int | None:
    """Return the number of the line most likely at fault; None if the source cannot be read."""
    if "backward" not in subject.functions:
        return None
    if diagnosis == "cached-previous-batch":
        return _caching_line(subject)
    if diagnosis in _IN_FORWARD:
        return _first_marked(subject.functions["forward"], _IN_FORWARD[diagnosis])
    functions = ("forward", "backward") if diagnosis == "input-edited-in-place" else ("backward",)
    for function in functions:
        lines = sorted(_lines_that_make(subject, array, function))
        for mark in _MARKS.get(diagnosis or "", ()):
            likely = [n for n, text in lines if re.search(mark, text)]
            if likely:
                return likely[-1]
            if line := marked(subject.functions[function], mark):
                return line
        if lines and function == "backward":
            return lines[-1][0]
    return _first_line(subject.functions["backward"])


def _first_marked(function: Callable[..., Any], marks: tuple[str, ...]) -> int | None:
    """Return the first line that matches one of `marks`, tried in order, or the line that assigned its argument."""
    lines, start = _source(function)
    for mark in marks:
        for i, text in enumerate(lines):
            if i and re.search(mark, text):
                argument = re.search(r"exp\((\w+)\)", text)
                made = [j for j, line in enumerate(lines[:i]) if argument and re.match(rf"\s*{argument[1]} *=", line)]
                return start + (made[-1] if made and mark == r"exp\(" else i)
    return _first_line(function)


def _source(function: Callable[..., Any]) -> tuple[list[str], int]:
    try:
        lines, start = inspect.getsourcelines(function)
    except (OSError, TypeError):
        return [], 0
    return textwrap.dedent("".join(lines)).removesuffix("\n").split("\n"), start


def _parsed(lines: list[str]) -> ast.Module:
    try:
        return ast.parse("\n".join(lines))
    except SyntaxError:  # mixed tabs and spaces, or a comment indented less than the function
        return ast.Module([], [])


def _first_line(function: Callable[..., Any]) -> int | None:
    lines, start = _source(function)
    return start if lines else None


def marked(function: Callable[..., Any], mark: str) -> int | None:
    """Return the number of the last line of a function's body that matches the regular expression `mark`."""
    lines, start = _source(function)
    found = [start + i for i, text in enumerate(lines) if i and re.search(mark, text.partition("#")[0])]
    return found[-1] if found else None


def _lines_that_make(subject: Subject, array: str | None, function: str) -> Iterator[tuple[int, str]]:
    """Yield number and text of the lines that assign the gradient of an array, in the order of the file."""
    lines, start = _source(subject.functions[function])
    if not lines or array is None:
        return
    tree = _parsed(lines)
    shown = subject.gradient_names.get(array, f"d{array}")
    names = {shown, f"d{array}", f"[{array}]", f"[d{array}]"}
    names |= {f"[{key}]" for key in re.findall(r"\['(\w+)'\]", shown)}
    position = subject.arrays.index(array) if array in subject.arrays else 0
    returns = [node for node in ast.walk(tree) if isinstance(node, ast.Return) and node.value is not None]
    for node in returns:
        value = node.value
        if isinstance(value, ast.Tuple) and subject.form in ("functions", "loss"):
            place = position if subject.form == "functions" else 1
            value = value.elts[place] if place < len(value.elts) else value
        elif array != "x":  # a class may store the gradients of its parameters, or a network those of all layers
            continue
        if isinstance(value, ast.Name):
            names.add(value.id)
        elif value is not None:
            yield start + value.lineno - 1, lines[value.lineno - 1]
    for statement in ast.walk(tree):
        if isinstance(statement, ast.Assign | ast.AugAssign):
            targets = statement.targets if isinstance(statement, ast.Assign) else [statement.target]
            if any(_name_of(target) & names for target in targets):
                yield start + statement.lineno - 1, lines[statement.lineno - 1]


def _name_of(target: ast.expr) -> set[str]:
    if isinstance(target, ast.Tuple):
        return set().union(*map(_name_of, target.elts))
    if isinstance(target, ast.Subscript):
        key = target.slice.value if isinstance(target.slice, ast.Constant) else None
        return _name_of(target.value) | ({f"[{key}]"} if isinstance(key, str) else set())
    return (
        {target.id} if isinstance(target, ast.Name) else {target.attr} if isinstance(target, ast.Attribute) else set()
    )


def _caching_line(subject: Subject) -> int | None:
    """Return the line of forward that stores an array on self or in a cache; if one is inside a condition, the last such line."""
    lines, start = _source(subject.functions["forward"])
    tree = _parsed(lines)
    guarded: list[ast.AST] = [inner for node in ast.walk(tree) if isinstance(node, ast.If) for inner in node.body]
    kept = [node for node in guarded or ast.walk(tree) if isinstance(node, ast.Assign)]
    return start + kept[-1].lineno - 1 if kept else _first_line(subject.functions["forward"])
