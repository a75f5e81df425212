"""Read Python code from a module, a notebook, a Markdown page, or a file for Python 2."""

from __future__ import annotations

import ast
import importlib
import json
import re
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

_MOST_LEFT_OUT = 200  # blocks that are not valid Python
_FIXES = ("print", "except", "exec", "raise", "ne", "repr", "tuple_params", "has_key", "numliterals")
_FENCE = re.compile(r"^ {0,3}```+ *(\w*)")


class NotPythonError(Exception):
    """The text is not Python that this interpreter can read; the message says why."""


def code_of(path: Path) -> str:
    """Return the Python in a file: the whole module, the code cells of a notebook, or the fenced code of a page."""
    text = path.read_text(encoding="utf-8-sig", errors="replace").replace("\r\n", "\n")
    if path.suffix == ".ipynb":
        return "\n\n".join(_cells(text))
    if path.suffix == ".md":
        return "\n\n".join(_fenced(text))
    return text


def _cells(text: str) -> Iterator[str]:
    """Yield the code cells of a notebook without magics and shell lines; a cell that is all magic becomes empty."""
    try:
        notebook = json.loads(text)
        cells = (
            notebook["cells"]
            if "cells" in notebook
            else [c for sheet in notebook["worksheets"] for c in sheet["cells"]]
        )
    except (ValueError, KeyError, TypeError, RecursionError):
        raise NotPythonError("it is not a valid notebook") from None
    for cell in cells:
        if isinstance(cell, dict) and cell.get("cell_type") == "code":
            source = cell.get("source", cell.get("input", ""))
            yield _without_magic("".join(source) if isinstance(source, list) else str(source))


def _without_magic(cell: str) -> str:
    lines = cell.split("\n")
    if lines and re.match(r"\s*%%(?!time|capture|prun|writefile +\S+\.py)", lines[0]):
        return ""
    kept = "\n".join(re.sub(r"^(\s*)[%!?].*$", r"\1pass", line) for line in lines)
    try:
        ast.parse(kept)
    except SyntaxError:  # only cells that are not Python are skipped
        return "" if not re.search(r"\bprint +[^(=]", kept) else kept
    return kept


def _fenced(text: str) -> Iterator[str]:
    inside = False
    block: list[str] = []
    for line in text.split("\n"):
        fence = _FENCE.match(line)
        if fence and not inside:
            inside, block = fence[1].lower() in ("python", "py", "python3", ""), []
        elif fence:
            inside = False
            kept = "\n".join(block)
            try:
                ast.parse(kept)
            except SyntaxError:
                continue
            yield kept
        elif inside:
            block.append(line)


class Parsed(NamedTuple):
    """The text of a file, its syntax tree, whether it was Python 2, and what was skipped because it is not Python."""

    text: str
    tree: ast.Module
    python_2: bool
    left_out: list[str]


def parsed(text: str) -> Parsed:
    """Parse a text: convert it line by line if it is Python 2, and skip blocks that are not valid Python.

    Raises: `NotPythonError` if no definition of a function or class can be read.
    """
    old = bool(re.search(r"^\s*print\b(?!\s*[(=])|except \w+, *\w+:|\bxrange\(|\braw_input\(", text, re.M))
    error = _error(text)
    if error is None:
        return Parsed(text, ast.parse(text), old, [])
    for tabs in (8, 4):
        even = text.expandtabs(tabs)
        if _error(even) is None:
            return Parsed(even, ast.parse(even), old, [])
        for convert in (_from_python_2, _with_2to3) if old else ():
            if _error(new := convert(even)) is None:
                return Parsed(new, ast.parse(new), True, [])
    said = f"it raised {type(error).__name__} in line {error.lineno}: {error.args[0]}"
    kept, left_out = _without_errors(_from_python_2(text.expandtabs(8)) if old else text)
    if not any(isinstance(node, ast.FunctionDef | ast.ClassDef) for node in ast.parse(kept).body):
        raise NotPythonError(f"it is Python 2 (see line {error.lineno}); convert it with 2to3" if old else said)
    return Parsed(kept, ast.parse(kept), old, left_out)


def _error(text: str) -> SyntaxError | None:
    try:
        ast.parse(text)
    except SyntaxError as error:
        return error
    except ValueError as error:  # a null byte
        return SyntaxError(str(error), ("", 1, 0, ""))
    return None


def _without_errors(text: str) -> tuple[str, list[str]]:
    """Return a text with empty lines in place of the blocks that cannot be parsed, and a message for each such block."""
    lines = text.replace("\0", " ").split("\n")
    left_out: list[str] = []
    for _ in range(_MOST_LEFT_OUT):
        error = _error("\n".join(lines))
        if error is None:
            return "\n".join(lines), left_out
        at = min(max((error.lineno or 1) - 1, 0), len(lines) - 1)
        first = next((i for i in range(at, -1, -1) if _begins(lines[i])), 0)
        last = next((i for i in range(at + 1, len(lines)) if _begins(lines[i])), len(lines))
        lines[first:last] = [""] * (last - first)
        left_out.append(f"line {at + 1}: {type(error).__name__}: {error.args[0]}")
    return "", left_out


def _begins(line: str) -> bool:
    return bool(re.match(r"[^\s#)\]}]", line)) and not re.match(r"(else|elif|except|finally)\b", line)


def _from_python_2(text: str) -> str:
    """Convert from Python 2 what can be converted line by line: print statements, except clauses, long integers, <>."""
    lines = []
    for line in text.split("\n"):
        line = re.sub(
            r"^(\s*(?:(?:if|else|for|while|elif)\b[^:\"']*: *)?)print(?: *>> *[\w.]+ *,)?(?:[ \t]+(.*?)|(?=[\"']) *(.*?))?(,?)\s*$",
            _printed,
            line,
        )
        line = re.sub(r"except (\w+), *(\w+):", r"except \1 as \2:", line)
        line = re.sub(r"(?<![\w.])(\d+)[lL]\b", r"\1", line)
        lines.append(line.replace("<>", "!="))
    return "\n".join(lines)


def _with_2to3(text: str) -> str:
    """Convert from Python 2 with lib2to3, which Python has up to 3.12; return the text as it is if that fails."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            refactor = importlib.import_module("lib2to3.refactor")
            tool = refactor.RefactoringTool([f"lib2to3.fixes.fix_{name}" for name in _FIXES])
            return str(tool.refactor_string(text.rstrip() + "\n", "file"))
    except Exception:  # among them ImportError, and errors of the parser
        return text


def _printed(found: re.Match[str]) -> str:
    inside = found[2] or found[3] or ""
    if "#" in inside and _error(f"print({inside})") is not None:  # a comment after it
        inside = inside[: inside.index("#")].rstrip()
    if inside.startswith("=") or (inside.startswith("(") and inside.endswith(")") and inside.count("(") == 1):
        return f"{found[1]}print{inside}"
    return f"{found[1]}print({inside})"
