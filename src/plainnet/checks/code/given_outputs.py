"""Find where a file gives the output of an activation to a derivative that needs the input."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import NamedTuple

_FEWEST = 2  # names that another function got from the activation


class Misuse(NamedTuple):
    """A call of a derivative: its line, and whether it has the name of the derivative itself, not another one for it."""

    line: int
    direct: bool


def given_the_output(tree: ast.Module, f: str, g: str) -> Misuse | None:
    """Return the first call in which a result of `f` is given to `g`; None if there is none.

    It follows names that are assigned nothing else, lists to which such a name is appended, and other names of `f` and `g`.
    The same name in another function may hold something else, so it takes two such names to prove a misuse.
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
    elsewhere: dict[str, Misuse] = {}
    for scope, node in _calls_in_scopes(tree):
        if _last(node.func) in derivatives and len(node.args) == 1:
            given = node.args[0].value if isinstance(node.args[0], ast.Subscript) else node.args[0]
            name = ast.unparse(given)
            misuse = Misuse(node.lineno, _last(node.func) == g)
            if name in outputs and (isinstance(given, ast.Attribute) or _is_assigned_in(scope, name)):
                return misuse
            if name in outputs:
                elsewhere.setdefault(name, misuse)
    return min(elsewhere.values()) if len(elsewhere) >= _FEWEST else None


def _calls_in_scopes(tree: ast.Module) -> Iterator[tuple[ast.AST, ast.Call]]:
    """Yield every call with the function that it is in, or with the module."""
    inner = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]
    within = {id(call): scope for scope in inner for call in ast.walk(scope)}  # the innermost comes last
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            yield within.get(id(node), tree), node


def _is_assigned_in(scope: ast.AST, name: str) -> bool:
    return any(
        isinstance(node, ast.Name) and node.id == name and isinstance(node.ctx, ast.Store) for node in ast.walk(scope)
    ) and not any(isinstance(node, ast.arg) and node.arg == name for node in ast.walk(scope))


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
