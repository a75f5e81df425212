"""Chains of layers: what a graph of ONNX is read into."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np

from plainnet.errors import InputError
from plainnet.layers import Layer
from plainnet.layers.sequential import Residual

Operands = list[Any]  # of an operator: chains and constants, None for what is left out
Given = dict[str, Any]  # its attributes
Reader = Callable[[Operands, Given], "Chain"]


class Item(NamedTuple):
    """A layer in a chain, with the arrays of its parameters and state by their own names."""

    layer: Layer
    arrays: dict[str, np.ndarray]
    inner: tuple[Any, ...] = ()  # items, of a residual layer


@dataclass(frozen=True, eq=False)
class Chain:
    """The layers that lead to an array, and its shape without N as ONNX has it.

    `first`: its images have their channels first. `order`: which number of the array stands at each place of ours,
    where images with their channels first were laid out as vectors. `ended`: it is made of probabilities.
    """

    items: tuple[Item, ...]
    shape: tuple[int, ...]
    first: bool = False
    order: np.ndarray | None = None
    ended: str = ""
    of_bytes: bool = False

    def then(self, layer: Layer, shape: tuple[int, ...] | None = None, /, **arrays: np.ndarray) -> Chain:
        """Return the chain with one layer more."""
        return replace(self, items=(*self.items, Item(layer, arrays)), shape=self.shape if shape is None else shape)

    @property
    def channels(self) -> int:
        """The number of channels, or of features."""
        return self.shape[0] if self.first or len(self.shape) == 1 else self.shape[-1] if len(self.shape) == 3 else 1


def begins_with(longer: Chain, shorter: Chain) -> bool:
    """Tell whether a chain begins with all the layers of a shorter one."""
    return all(a is b for a, b in zip(shorter.items, longer.items, strict=False))


def residual(shorter: Chain, longer: Chain) -> Chain:
    """Return the chain of x + f(x): `longer` is f(x), and begins as `shorter` does, x.

    Raises: `InputError` if it does not.
    """
    known = len(shorter.items)
    refuse(shorter.order is not None, "it adds to images of several channels that were laid out as vectors")
    if len(longer.items) <= known or not begins_with(longer, shorter):
        raise InputError("it adds up two arrays of which neither is made of the other; only x + f(x) is read")
    inner = longer.items[known:]
    layer = Residual(*(item.layer for item in inner))
    return replace(longer, items=(*shorter.items, Item(layer, {}, inner)))


def without_sigmoid(chain: Chain) -> Chain:
    """Return the chain of the logits of which a last sigmoid makes probabilities: of labels, or of one class of two."""
    return replace(chain, items=chain.items[:-1], ended="labels" if chain.shape[0] > 1 else "classes")


def refuse(condition: bool, what: str) -> None:
    """Raise `InputError` with a sentence, if the condition holds."""
    if condition:
        raise InputError(what)


def constant(operands: Operands, place: int, what: str) -> np.ndarray:
    """Return the constant at a place among the operands.

    Raises: `InputError` if there is none.
    """
    array = operands[place] if place < len(operands) else None
    refuse(not isinstance(array, np.ndarray), f"{what} must be constant")
    return np.asarray(array)
