"""Coverage: list every function that looks like a backward pass but was not examined, with the reason."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from plainnet.checks.code.verdicts import CodeFinding

_LOOKS = re.compile(r"(?i)back|grad|deriv|prime|delta|bprop|train|^fit$")
_OTHER = re.compile(
    r"(?i)zero|clear|reset|clip|check|numeric|plot|show|print|test|load|data|split|set_|get_|update|accuracy|to_vector|_to_|is_train"
)


def left_out(tree: ast.Module, found: list[CodeFinding], loops: set[str]) -> Iterator[dict[str, object]]:
    """Yield name, line and reason for every function that looks like a backward pass but has no verdict.

    Methods that clear gradients count as examined, and so do functions that only call a backward pass with a verdict.
    """
    judged = {finding.name for finding in found} | loops
    words = {name.rpartition(".")[2] for name in judged} | {finding.function for finding in found if finding.function}
    bases = {ast.unparse(base) for node in ast.walk(tree) if isinstance(node, ast.ClassDef) for base in node.bases}
    for kind, node in functions_in(tree):
        name = f"{kind}.{node.name}" if kind else node.name
        if not _LOOKS.search(node.name) or _OTHER.search(node.name) or name in judged:
            continue
        if (kind in judged or not kind) and node.name in words:
            continue
        if is_empty(node):
            if kind not in bases:
                yield {"name": name, "line": node.lineno, "why": "it is not implemented yet"}
        elif not calls(node) & words:
            yield {"name": name, "line": node.lineno, "why": "the doctor does not know how to examine it"}


def left_unread(text: str, tree: ast.Module) -> Iterator[dict[str, object]]:
    """Yield the same for the functions of a text that are not in its tree, because their block is not valid Python."""
    read = {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}
    for number, line in enumerate(text.split("\n"), 1):
        found = re.match(r"\s*def +(\w+)", line)
        if found and found[1] not in read and _LOOKS.search(found[1]) and not _OTHER.search(found[1]):
            yield {"name": found[1], "line": number, "why": "the block around it is not valid Python"}


def functions_in(tree: ast.Module) -> Iterator[tuple[str, ast.FunctionDef]]:
    """Yield the functions and methods of a file, each with the name of its class; a function has an empty one."""
    for node in tree.body:
        if isinstance(node, ast.FunctionDef):
            yield "", node
        elif isinstance(node, ast.ClassDef):
            yield from ((node.name, inner) for inner in node.body if isinstance(inner, ast.FunctionDef))


def is_empty(node: ast.FunctionDef) -> bool:
    """Return whether a function does nothing but pass, a docstring, a raise, or a return of a constant."""
    for statement in node.body:
        if isinstance(statement, ast.Pass | ast.Raise) or (
            isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)
        ):
            continue
        if isinstance(statement, ast.Return) and (statement.value is None or isinstance(statement.value, ast.Constant)):
            continue
        return False
    return True


def calls(node: ast.AST) -> set[str]:
    """Return the names of the functions and methods that are called inside."""
    return {ast.unparse(inner.func).rpartition(".")[2] for inner in ast.walk(node) if isinstance(inner, ast.Call)}
