"""Loading what people have: a module, a notebook or code in Markdown, one statement at a time.

What fails is left out and noted. When definitions are all that is wanted, only imports, definitions and assignments run, so no
training starts. A package that is not there is replaced by a stand-in, for the author's own files only, which complains when
something is computed with it.
"""

from __future__ import annotations

import ast
import copy
import json
import linecache
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from plainnet.checks.code.episode import AT_FIRST, data_of, within
from plainnet.checks.code.stand_ins import stand_ins
from plainnet.checks.code.substitutes import substitute

_SECONDS = 4.0  # for one statement
_DEFINES = (
    ast.Import,
    ast.ImportFrom,
    ast.FunctionDef,
    ast.ClassDef,
    ast.Assign,
    ast.AnnAssign,
    ast.AugAssign,
    ast.Try,
    ast.If,
)
_FENCE = re.compile(r"^ {0,3}```+ *(\w*)")


class NotPythonError(Exception):
    """The text is not Python that this interpreter can read; says why."""


@dataclass
class Loaded:
    """A file, run as far as it can be: its module, its text and syntax, what failed, and which packages are stand-ins."""

    module: ModuleType
    text: str
    tree: ast.Module
    failed: list[str] = field(default_factory=list)
    stand_ins: list[str] = field(default_factory=list)
    substituted: list[int] = field(default_factory=list)  # lines whose data were made up


def load(path: str | Path) -> Loaded:
    """Run the definitions of a file.

    Raises: `NotPythonError` if its text cannot be read as Python.
    """
    path = Path(path)
    text = code_of(path)
    text, tree, converted = _parsed(text)
    module = ModuleType("examined")
    module.__file__ = str(path)
    module.__package__ = path.parent.name if re.search(r"^\s*from \.", text, re.M) else ""
    sys.modules["examined"] = module
    linecache.cache[str(path)] = (len(text), None, text.splitlines(keepends=True), str(path))
    loaded = Loaded(module, text, tree)
    if converted:
        tree = ast.fix_missing_locations(_OldDivision().visit(tree))
        vars(module)["__divided__"] = _divided
        loaded.failed.append("it is Python 2: its print statements and the like were converted")
        vars(module).update(xrange=range, raw_input=input, unicode=str, basestring=str, long=int)
    sys.path[:0] = [
        str(folder) for folder in [path.parent, *list(path.parent.parents)[:3]] if str(folder) not in sys.path
    ]
    with stand_ins(path.parent, loaded.stand_ins):
        for statement in tree.body:
            if (isinstance(statement, _DEFINES) and not _is_main(statement) and not _trains(statement)) or _sets_up(
                statement, tree
            ):
                run_statement(statement, loaded)
    vars(module)[AT_FIRST] = copy.deepcopy(data_of(module))
    return loaded


def run_statement(statement: ast.stmt, loaded: Loaded) -> bool:
    """Run one statement of a file; note it if it fails."""
    code = compile(ast.Module([statement], []), str(loaded.module.__file__), "exec")
    try:
        with within(_SECONDS):
            exec(code, vars(loaded.module))  # noqa: S102  (running the user's own file is what was asked for)
    except (Exception, SystemExit) as error:
        instead = substitute(statement)
        if instead is not None:
            vars(loaded.module).update(instead)
            loaded.substituted.append(statement.lineno)
            return True
        loaded.failed.append(f"line {statement.lineno}: {type(error).__name__}: {error}"[:200])
        return False
    return True


def code_of(path: Path) -> str:
    """Return the Python in a file: all of it, the code cells of a notebook, or the fenced code of a page."""
    text = path.read_text(encoding="utf-8-sig", errors="replace").replace("\r\n", "\n")
    if path.suffix == ".ipynb":
        return "\n\n".join(_cells(text))
    if path.suffix == ".md":
        return "\n\n".join(_fenced(text))
    return text


def _cells(text: str) -> Iterator[str]:
    """Yield the code cells of a notebook, without magics and shell lines; a cell of magic is empty."""
    try:
        notebook = json.loads(text)
        cells = (
            notebook["cells"]
            if "cells" in notebook
            else [c for sheet in notebook["worksheets"] for c in sheet["cells"]]
        )
    except (ValueError, KeyError, TypeError, RecursionError):
        raise NotPythonError("it is no notebook that can be read") from None
    for cell in cells:
        if isinstance(cell, dict) and cell.get("cell_type") == "code":
            source = cell.get("source", cell.get("input", ""))
            yield _without_magic("".join(source) if isinstance(source, list) else str(source))


def _without_magic(cell: str) -> str:
    lines = cell.split("\n")
    if lines and re.match(r"\s*%%(?!time|capture)", lines[0]):
        return ""
    kept = "\n".join(re.sub(r"^(\s*)[%!?].*$", r"\1pass", line) for line in lines)
    try:
        ast.parse(kept)
    except SyntaxError:  # a cell that is no Python is left out, the others are not
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


def _parsed(text: str) -> tuple[str, ast.Module, bool]:
    """Return the text and its syntax, and whether it was Python 2 that could be converted line by line."""
    try:
        old = bool(re.search(r"\bxrange\(|\braw_input\(", text))
        return text, ast.parse(text), old
    except (SyntaxError, ValueError) as error:
        line = f" in line {error.lineno}" if isinstance(error, SyntaxError) and error.lineno else ""
        said = f"it raised {type(error).__name__}{line}: {error.args[0] if error.args else error}"
    if not re.search(r"^\s*print\b(?!\s*[(=])|except \w+, *\w+:|\bxrange\(", text, re.M):
        raise NotPythonError(said)
    new = _from_python_2(text)
    try:
        return new, ast.parse(new), True
    except (SyntaxError, ValueError):
        raise NotPythonError(f"it is Python 2 (see{line}); convert it with 2to3") from None


def _from_python_2(text: str) -> str:
    """Convert what can be converted line by line: print statements, except clauses, tabs, octal numbers."""
    lines = []
    for line in text.expandtabs(8).split("\n"):
        line = re.sub(
            r"^(\s*(?:(?:if|else|for|while|elif)\b[^:\"']*: *)?)print(?: *>> *[\w.]+ *,)?(?:[ \t]+(.*?)|(?=[\"']) *(.*?))?(,?)\s*$",
            _printed,
            line,
        )
        line = re.sub(r"except (\w+), *(\w+):", r"except \1 as \2:", line)
        line = re.sub(r"(?<![\w.])(\d+)[lL]\b", r"\1", line)
        lines.append(line.replace("<>", "!="))
    return "\n".join(lines)


def _printed(found: re.Match[str]) -> str:
    inside = found[2] or found[3] or ""
    if inside.startswith("=") or (inside.startswith("(") and inside.endswith(")") and inside.count("(") == 1):
        return f"{found[1]}print{inside}"
    return f"{found[1]}print({inside})"


def _sets_up(statement: ast.stmt, tree: ast.Module) -> bool:
    """Tell whether a statement calls something that is not the author's own: np.random.seed(0), sys.path.append("..")."""
    if not isinstance(statement, ast.Expr) or not isinstance(statement.value, ast.Call):
        return False
    root = ast.unparse(statement.value.func).partition(".")[0].partition("(")[0]
    imported = {
        (a.asname or a.name).partition(".")[0]
        for node in ast.walk(tree)
        if isinstance(node, ast.Import | ast.ImportFrom)
        for a in node.names
    }
    return root in imported or root in ("open", "setattr", "__import__")


def _is_main(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.If) and "__name__" in ast.unparse(statement.test)


def _trains(statement: ast.stmt) -> bool:
    """Tell whether a statement is an `if` or `try` that does more than import and define, or keeps what a training gives."""
    if isinstance(statement, ast.Assign) and isinstance(statement.value, ast.Call):
        return bool(
            re.search(
                r"(?i)train|descent|fit$|optimi[sz]e|minimize|^main$|(^|_)model$", ast.unparse(statement.value.func)
            )
        )
    if not isinstance(statement, ast.If | ast.Try):
        return False
    return any(isinstance(inner, ast.For | ast.While) for inner in ast.walk(statement))


class _OldDivision(ast.NodeTransformer):
    """Lets a / b be what it was in Python 2: rounded down for whole numbers."""

    def visit_BinOp(self, node: ast.BinOp) -> ast.AST:
        self.generic_visit(node)
        if not isinstance(node.op, ast.Div):
            return node
        return ast.copy_location(ast.Call(ast.Name("__divided__", ast.Load()), [node.left, node.right], []), node)


def _divided(a: Any, b: Any) -> Any:
    whole = isinstance(a, int | np.integer) and isinstance(b, int | np.integer)
    return a // b if whole else a / b
