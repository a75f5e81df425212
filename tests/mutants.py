"""Mutants: backward passes with one operator, constant, axis, method or name changed, forward left as it is."""

import ast
import copy
from collections.abc import Iterator

SWAPS = {ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Div, ast.Div: ast.Mult, ast.Pow: ast.Mult}
COMPARISONS = {ast.Gt: ast.Lt, ast.Lt: ast.Gt, ast.GtE: ast.Lt, ast.Eq: ast.NotEq}
METHODS = {
    "sum": "prod",
    "mean": "sum",
    "subtract": "add",
    "multiply": "subtract",
    "greater": "less",
    "zeros_like": "ones_like",
    "argmax": "argmin",
    "max": "min",
}


def mutants_of(text: str) -> Iterator[tuple[str, str]]:
    """Yield a description and the text of every mutant of the backward functions in a file."""
    tree = ast.parse(text)
    for function in [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef) and "backward" in node.name]:
        for node in ast.walk(function):
            for change in _changes(node):
                before = ast.unparse(node) if not isinstance(node, ast.operator) else ""
                kept = copy.copy(node.__dict__)
                change(node)
                after = ast.unparse(node)
                mutant = ast.unparse(ast.fix_missing_locations(tree))
                node.__dict__.clear()
                node.__dict__.update(kept)
                yield f"line {node.lineno}: {before} -> {after}", mutant


def _changes(node: ast.AST):
    if isinstance(node, ast.BinOp | ast.AugAssign) and type(node.op) in SWAPS:
        yield lambda n: setattr(n, "op", SWAPS[type(n.op)]())
    if isinstance(node, ast.Compare) and type(node.ops[0]) in COMPARISONS:
        yield lambda n: setattr(n, "ops", [COMPARISONS[type(n.ops[0])]()])
    if isinstance(node, ast.Constant) and type(node.value) in (int, float):
        yield lambda n: setattr(n, "value", n.value + 1)
    if isinstance(node, ast.Attribute) and node.attr in METHODS:
        yield lambda n: setattr(n, "attr", METHODS[n.attr])
    if isinstance(node, ast.Attribute) and node.attr == "T":
        yield lambda n: setattr(n, "attr", "real")
