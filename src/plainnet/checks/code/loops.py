"""Find the training loops of a file: at its top level, under its main guard, or in functions."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from typing import NamedTuple

from plainnet.checks.code.coverage import functions_in
from plainnet.checks.code.loading import Loaded
from plainnet.checks.code.looks import BACK, FORWARD, TRAIN

_COUNTS = re.compile(r"(?i)(^|_)(total|running|loss(es)?|acc(uracy)?|correct|count|size|costs?|scores?|epochs?)(_|$)")

LOSS_WORD = re.compile(
    r"(?i)(^|_)(loss|cost|error|err|mse|j|l|e|sse|cross_?entropy|ce|objective|perda|erro|costo)(_[a-z]+|\d*)?$"
)


class Loop(NamedTuple):
    """A training loop: its name, the statements before it, the loops around its body, and the body itself."""

    name: str
    line: int
    before: list[ast.stmt]
    headers: list[ast.stmt]
    body: list[ast.stmt]
    function: ast.FunctionDef | None
    kind: str | None  # the class, for a method


def loops_of(loaded: Loaded) -> Iterator[Loop]:
    """Yield the training loops of a file: at its top level, under its main guard, and in functions."""
    statements = list(_flat(loaded.tree.body))
    for i, statement in enumerate(statements):
        if isinstance(statement, ast.For | ast.While) and (found := _innermost(statement)):
            headers, body = found
            yield Loop(f"loop in line {statement.lineno}", statement.lineno, statements[:i], headers, body, None, None)
    if straight := _straight(statements):
        before, body = straight
        yield Loop(f"lines from {body[0].lineno}", body[0].lineno, before, [], body, None, None)
    for kind, node in functions_in(loaded.tree):
        if (BACK.match(node.name) or FORWARD.match(node.name)) and not TRAIN.match(node.name):
            continue
        if any(re.match(r"d_?[wb]|grad|delta", a.arg, re.I) for a in node.args.args):
            continue  # an update with gradients that other code computes
        inner = list(_flat(node.body))
        for i, statement in enumerate(inner):
            if isinstance(statement, ast.For | ast.While) and (found := _innermost(statement)):
                headers, body = found
                name = f"{kind}.{node.name}" if kind else node.name
                yield Loop(name, node.lineno, inner[:i], headers, body, node, kind or None)
                break


def _straight(statements: list[ast.stmt]) -> tuple[list[ast.stmt], list[ast.stmt]] | None:
    """Return one training step that is written without a loop: the statements before it, and its own statements."""
    if any(isinstance(s, ast.For | ast.While) and _innermost(s) for s in statements):
        return None
    plain = [s for s in statements if isinstance(s, ast.Assign | ast.AugAssign | ast.Expr)]
    steps = [s for s in plain if any(_is_update(node) for node in ast.walk(s))]
    products = [s for s in plain if re.search(r"\.dot\(|@|matmul", ast.unparse(s))]
    if len(steps) < 2 or len(products) < 2:
        return None
    first = statements.index(products[0])
    return statements[:first], [s for s in statements[first:] if s in plain]


def _flat(statements: list[ast.stmt]) -> Iterator[ast.stmt]:
    """Yield statements, including those under the main guard."""
    for statement in statements:
        if isinstance(statement, ast.If) and "__name__" in ast.unparse(statement.test):
            yield from statement.body
        else:
            yield statement


def _innermost(loop: ast.stmt) -> tuple[list[ast.stmt], list[ast.stmt]] | None:
    """Return the loops around the innermost training loop, and its body; None if no loop trains."""
    assert isinstance(loop, ast.For | ast.While)
    for statement in loop.body:
        if isinstance(statement, ast.For | ast.While) and (found := _innermost(statement)):
            inner_headers, body = found
            return [loop, *loop.body[: loop.body.index(statement)], *inner_headers], body
    return ([loop], loop.body) if _trains(loop.body) else None


def _trains(body: list[ast.stmt]) -> bool:
    """Return whether a body changes parameters, by an update of its own or by a function that takes gradients."""
    text = "\n".join(ast.unparse(statement) for statement in body)
    updates = any(_is_update(node) for statement in body for node in ast.walk(statement))
    calls = re.search(r"(?i)update\w*\(|back\w*\(|gradient\w*\(|\.step\(", text) is not None
    products = re.search(r"\.dot\(|@|matmul|np\.sum|\* ", text) is not None
    return (updates and products) or calls


def _is_update(node: ast.AST) -> bool:
    """Return whether a statement adds to or subtracts from something that is no count, and no loss of an epoch."""
    if isinstance(node, ast.AugAssign) and _COUNTS.search(ast.unparse(node.target)):
        return False
    if isinstance(node, ast.AugAssign) and isinstance(node.op, ast.Add | ast.Sub):
        return not isinstance(node.value, ast.Constant)
    if (
        isinstance(node, ast.Assign)
        and isinstance(node.value, ast.BinOp)
        and isinstance(node.value.op, ast.Add | ast.Sub)
    ):
        return ast.unparse(node.targets[0]) in (ast.unparse(node.value.left), ast.unparse(node.value.right))
    return False


def calls_only(loop: Loop, judged: set[str]) -> bool:
    """Return whether a loop leaves all differentiation to backward passes that have been judged, given by their names."""
    called = {
        ast.unparse(node.func).rpartition(".")[2]
        for statement in loop.body
        for node in ast.walk(statement)
        if isinstance(node, ast.Call)
    }
    return any(name.rpartition(".")[2] in called for name in judged)
