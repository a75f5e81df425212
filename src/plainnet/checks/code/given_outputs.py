"""Find where a file gives the output of an activation to a derivative that needs the input."""

from __future__ import annotations

import ast
from collections.abc import Iterator


def given_the_output(tree: ast.Module, f: str, g: str) -> int | None:
    """Return the line in which a result of `f` is given to `g`; None if there is none.

    It follows names that are assigned nothing else, lists to which such a name is appended, and other names of `f` and `g`.
    """
    functions, derivatives = _aliases(tree, f), _aliases(tree, g)
    outputs = {name for name, value in _assigned(tree) if _calls(value, functions)}
    outputs -= {name for name, value in _assigned(tree) if not _calls(value, functions) and not _is_empty(value)}
    outputs |= {
        ast.unparse(node.func.value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "append"
        and node.args and (ast.unparse(node.args[0]) in outputs or _calls(node.args[0], functions))
    }  # fmt: skip
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and _last(node.func) in derivatives and len(node.args) == 1:
            given = node.args[0].value if isinstance(node.args[0], ast.Subscript) else node.args[0]
            if ast.unparse(given) in outputs:
                return node.lineno
    return None


def _aliases(tree: ast.Module, name: str) -> set[str]:
    """Return all names of a function, such as self.activation in self.activation = self.tanh if ... else ..."""
    found = {name}
    for target, value in _assigned(tree):
        options = [value.body, value.orelse] if isinstance(value, ast.IfExp) else [value]
        if any(isinstance(one, ast.Name | ast.Attribute) and _last(one) == name for one in options):
            found.add(target.rpartition(".")[2])
    return found


def _assigned(tree: ast.Module) -> Iterator[tuple[str, ast.expr]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name | ast.Attribute):
            yield ast.unparse(node.targets[0]), node.value


def _calls(value: ast.expr, functions: set[str]) -> bool:
    return isinstance(value, ast.Call) and _last(value.func) in functions


def _is_empty(value: ast.expr) -> bool:
    return isinstance(value, ast.List | ast.Dict | ast.Constant)


def _last(node: ast.expr) -> str:
    return ast.unparse(node).rpartition(".")[2]
