"""Chains of layers: the form into which an ONNX graph is read."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np

from plainnet.errors import InputError
from plainnet.layers import Layer
from plainnet.layers.sequential import Residual

Operands = list[Any]  # an operator's inputs: chains and constants, None for omitted ones
Given = dict[str, Any]  # an operator's attributes
Reader = Callable[[Operands, Given], "Chain"]


class Item(NamedTuple):
    """A layer in a chain, with the arrays of its parameters and state by name."""

    layer: Layer
    arrays: dict[str, np.ndarray]
    inner: tuple[Any, ...] = ()  # the items inside a residual layer


@dataclass(frozen=True, eq=False)
class Chain:
    """The layers that lead from the input to an array, and the array's shape in ONNX without N.

    `first`: its images have their channels first. `order`: for images that were flattened with their channels first,
    the index in the ONNX array for each position in plainnet's order. `ended`: the array holds probabilities, of this
    kind.
    """

    items: tuple[Item, ...]
    shape: tuple[int, ...]
    first: bool = False
    order: np.ndarray | None = None
    ended: str = ""
    of_bytes: bool = False

    def then(self, layer: Layer, shape: tuple[int, ...] | None = None, /, **arrays: np.ndarray) -> Chain:
        """Return the chain with one more layer."""
        return replace(self, items=(*self.items, Item(layer, arrays)), shape=self.shape if shape is None else shape)

    @property
    def channels(self) -> int:
        """The number of channels, or of features."""
        return self.shape[0] if self.first or len(self.shape) == 1 else self.shape[-1] if len(self.shape) == 3 else 1


def begins_with(longer: Chain, shorter: Chain) -> bool:
    """Return whether a chain begins with all layers of a shorter one."""
    return all(a is b for a, b in zip(shorter.items, longer.items, strict=False))


def residual(shorter: Chain, longer: Chain) -> Chain:
    """Return the chain of x + f(x), where `shorter` is x and `longer`, which begins with the layers of x, is f(x).

    Raises: `InputError` if `longer` does not begin with them.
    """
    known = len(shorter.items)
    refuse(shorter.order is not None, "it adds to flattened images of several channels")
    if len(longer.items) <= known or not begins_with(longer, shorter):
        raise InputError("it adds two arrays that do not depend on each other; plainnet supports only x + f(x)")
    inner = longer.items[known:]
    layer = Residual(*(item.layer for item in inner))
    return replace(longer, items=(*shorter.items, Item(layer, {}, inner)))


def without_sigmoid(chain: Chain) -> Chain:
    """Return the chain without its last sigmoid, which turns logits into probabilities of labels or of two classes."""
    return replace(chain, items=chain.items[:-1], ended="labels" if chain.shape[0] > 1 else "classes")


def refuse(condition: bool, what: str) -> None:
    """Raise `InputError` with the sentence `what` if the condition holds."""
    if condition:
        raise InputError(what)


def constant(operands: Operands, place: int, what: str) -> np.ndarray:
    """Return the constant at an index among the operands.

    Raises: `InputError` if there is no constant.
    """
    array = operands[place] if place < len(operands) else None
    refuse(not isinstance(array, np.ndarray), f"{what} must be constant")
    return np.asarray(array)
