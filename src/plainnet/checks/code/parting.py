"""Find the assignment in a training loop at which a gradient goes wrong.

It follows a wrong gradient back through the arrays from which it is computed. An array is right if it is, up to a factor, the true
derivative of the loss with respect to some array of the forward pass. The fault is in the assignment that makes a wrong array from right ones.
"""

from __future__ import annotations

import ast

import numpy as np

from plainnet.checks.code.cases import Case
from plainnet.checks.code.matching import RIGHT, Held
from plainnet.checks.code.values import name_of

_MOST_ADJOINTS = 10


def line_where_they_part(case: Case, h: Held, body: list[ast.stmt]) -> int | None:
    """Return the line of a loop's body in which the gradient of a leaf goes wrong; None if it cannot be found."""
    values = {seen.name: seen.value for seen in case.seen}
    right = [h.truth.reshape(h.probes.shape) if h.probes.all else None for h in case.judgment.held]
    right += [case.gradient_at(number, []) for number in range(min(len(case.seen), _MOST_ADJOINTS))]
    true = [array for array in right if array is not None and np.any(array)]
    made: dict[str, ast.stmt] = {}
    updates: dict[str, ast.stmt] = {}
    leaves = {name_of(other.path) for other in case.judgment.held}
    for statement in [node for top in body for node in ast.walk(top) if isinstance(node, ast.Assign | ast.AugAssign)]:
        target = statement.targets[0] if isinstance(statement, ast.Assign) else statement.target
        name = ast.unparse(target).removeprefix("self.").partition("[")[0]
        if name in leaves:
            updates[name] = statement
        made.setdefault(name, statement)
    proven: set[str] = set()  # names from which right gradients are computed
    for other in case.judgment.held:
        if other.verdict == RIGHT and name_of(other.path) in updates:
            for name in _names_in(updates[name_of(other.path)]):
                proven |= {name, *(_names_in(made[name]) if name in made else ())}
    start = updates.get(name_of(h.path))
    return None if start is None else _follow(start, made, values, true, proven | leaves)


def _names_in(statement: ast.stmt) -> list[str]:
    """Return the names in the value of an assignment."""
    nodes = ast.walk(statement.value)  # type: ignore[attr-defined]
    return [ast.unparse(node).removeprefix("self.") for node in nodes if isinstance(node, ast.Name | ast.Attribute)]


def _follow(
    statement: ast.stmt,
    made: dict[str, ast.stmt],
    values: dict[str, np.ndarray],
    true: list[np.ndarray],
    done: set[str],
) -> int:
    for name in _names_in(statement):
        if (
            name not in done
            and name in made
            and name in values
            and not _is_right(values[name], true)
            and not _forward(name, made)
        ):
            return _follow(made[name], made, values, true, done | {name})
    return int(statement.lineno)


def _is_right(value: np.ndarray, true: list[np.ndarray]) -> bool:
    """Return whether an array is a multiple of one of the true derivatives."""
    for array in true:
        if array.size == value.size and array.squeeze().shape == value.squeeze().shape:
            flat, other = value.ravel(), array.ravel()
            k = float(flat @ other) / float(other @ other)
            if k and np.abs(flat - k * other).max() <= 1e-4 * np.abs(flat).max():
                return True
    return False


def _forward(name: str, made: dict[str, ast.stmt]) -> bool:
    """Return whether a name belongs to the forward pass: it does not depend on anything named like a gradient."""
    gradients = [
        s.lineno
        for n, s in made.items()
        if n.lower().startswith(("d_", "d", "grad", "delta", "error")) or n.lower().endswith(("delta", "error", "grad"))
    ]
    return bool(gradients) and made[name].lineno < min(gradients)
