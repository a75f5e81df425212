"""Objects of other files that a class works with: an optimizer that its backward pass calls, and a model to which a loss passes its gradient."""

from __future__ import annotations

import ast
import contextlib
from collections.abc import Iterator
from typing import Any

import numpy as np

from plainnet.checks.code.looks import BACK, is_own
from plainnet.checks.code.roles import RATE, role_of, tree_of


class Descent:
    """Gradient descent as an optimizer; a subclass has the method that the author's class calls."""

    def __init__(self) -> None:
        self.learning_rate = RATE


def give_optimizers(made: Any) -> None:
    """Give gradient descent to an object that calls an optimizer which it does not hold yet.

    Some layers change their weights in backward, `self.weights = self.optimizer.update(self.weights, gradient)`, but
    only once the network has set their optimizer.
    """
    for name, method, first, returned in _optimizers(type(made)):
        if getattr(made, name, 0) is None:
            for attribute in (name.lstrip("_"), name):  # a property may set several
                with contextlib.suppress(AttributeError):
                    setattr(made, attribute, _descent(method, first, returned))
                if getattr(made, name, None) is not None:
                    break


def receiver(methods: list[str]) -> Any:
    """Return an object that keeps the gradient that one of these methods receives; None if they are not backward passes."""
    if not methods or not all(BACK.match(name) for name in methods):
        return None

    def keep(self: Any, gradient: Any, *_: Any) -> None:
        self.received = np.array(gradient)

    return type("Receiver", (), dict.fromkeys(methods, keep))()


def _optimizers(kind: type) -> Iterator[tuple[str, str, bool, bool]]:
    """Yield the calls of an optimizer: its attribute, its method, whether the gradient comes first, whether the result is used."""
    for method in [f for base in kind.__mro__ if is_own(base) for f in vars(base).values() if callable(f)]:
        tree = tree_of(method)
        for node in ast.walk(tree) if tree is not None else ():
            value = node.value if isinstance(node, ast.Assign | ast.Expr) else None
            if not isinstance(value, ast.Call) or len(value.args) != 2 or not isinstance(value.func, ast.Attribute):
                continue
            owner = value.func.value
            if (
                isinstance(owner, ast.Attribute)
                and ast.unparse(owner.value) == "self"
                and "optim" in owner.attr.lower()
            ):
                yield owner.attr, value.func.attr, _is_gradient(value.args[0]), isinstance(node, ast.Assign)


def _is_gradient(node: ast.expr) -> bool:
    name = node.attr if isinstance(node, ast.Attribute) else ast.unparse(node)
    return "grad" in name.lower() or role_of(name) == "upstream"


def _descent(method: str, gradient_first: bool, returned: bool) -> Descent:
    """Return an optimizer with one method: weights - rate * gradient, as a result or in place."""

    def step(self: Descent, weights: Any, gradient: Any) -> Any:
        if gradient_first:
            weights, gradient = gradient, weights
        if returned:
            return weights - self.learning_rate * gradient
        weights -= self.learning_rate * gradient
        return None

    return type("Descent", (Descent,), {method: step})()
