"""Training steps that take pairs: `for x, y in mini_batch`, as in many programs that follow Nielsen's book."""

from __future__ import annotations

import ast
from collections.abc import Callable
from typing import Any

import numpy as np

from plainnet.checks.code.episode import required
from plainnet.checks.code.looks import methods_of
from plainnet.checks.code.roles import N, role_of, tree_of

PAIRS = "<pairs>"  # the key of the pairs of a table


def parameter_of_pairs(function: Callable[..., Any]) -> str | None:
    """Return the argument through which a function goes in pairs; None if there is none."""
    tree = tree_of(function)
    node = tree.body[0] if tree is not None and tree.body else None
    if not isinstance(node, ast.FunctionDef):
        return None
    arguments = [argument.arg for argument in node.args.args]
    loops = [inner for inner in ast.walk(node) if isinstance(inner, ast.For | ast.comprehension)]
    through = [
        ast.unparse(loop.iter) for loop in loops if isinstance(loop.target, ast.Tuple) and len(loop.target.elts) == 2
    ]
    return next((argument for argument in arguments if argument in through), None)


def trained_by_pairs(kind: type) -> list[str]:
    """Return the methods of a class that take pairs and a learning rate."""
    methods = {name: method for name, method in methods_of(kind).items() if parameter_of_pairs(method)}
    return [name for name, method in methods.items() if any(role_of(p) == "rate" for p in required(method))]


def pairs_of(names: dict[str, Any]) -> list[tuple[np.ndarray, np.ndarray]]:
    """Return the examples of a table, x and t, as pairs: columns (D, 1), or rows (D,)."""
    x, t = names["x"], names["t"]
    if x.ndim == 2 and x.shape[1] == N:
        return [(x[:, [i]], t[..., [i]]) for i in range(N)]
    return [(x[i], t[i]) for i in range(len(x))]
