"""The context of a pass: the memory, random numbers and gradient of one forward or backward pass through the layers.

A layer holds what a network *is*: arguments, parameters, learned state. Everything else that a pass needs is in its
context, so that any number of threads can compute with the same layers, each in its own context:

    with context:
        logits = network.forward(x, training=True)   # uses the buffers, memory and random numbers of this context

Inside a layer, `self.buffer`, `self.remember`, `self.recall`, `self.rng` and `self.sum_over_workers` use the active
context, and `parameter.grad` is its gradient. If no context is active, each call gets new memory.
"""

from __future__ import annotations

import threading
import weakref
from collections.abc import Callable, Mapping, MutableMapping
from contextvars import ContextVar, Token
from typing import Any

import numpy as np

_in_force: ContextVar[Context | None] = ContextVar("_in_force", default=None)


class Context:
    """Working memory for one thread at a time; `with context:` makes it active.

    Arguments: `rng`, the generator for the layers' random numbers, or None while a gradient is checked, when layers
    draw the same numbers each time. `remembers`: whether to keep what `backward` needs; prediction does not need it.
    `gradients`: arrays to use instead of the parameters' own `grad`. `leads`: whether this pass updates the layers'
    learned state, such as running averages; of several workers that share a batch, only one does. `sum_over_workers`: a
    function that returns the sum of an array over all workers. `on_gradient`: a function called with each layer as soon
    as the gradients of its parameters are complete.
    """

    def __init__(
        self,
        *,
        rng: np.random.Generator | None = None,
        remembers: bool = True,
        gradients: Mapping[Any, np.ndarray] | None = None,
        leads: bool = True,
        sum_over_workers: Callable[[np.ndarray], np.ndarray] | None = None,
        on_gradient: Callable[[Any], object] | None = None,
    ) -> None:
        self.rng, self.remembers, self.leads = rng, remembers, leads
        self.gradients = gradients or {}
        self.sum_over_workers = sum_over_workers or (lambda sums: sums)
        self.on_gradient = on_gradient or (lambda layer: None)
        self.momentum: float | None = None  # replaces the layers' own momentum while running averages are measured
        self._remembered: MutableMapping[object, tuple[Any, ...]] = {}
        self._buffers: dict[tuple[object, str], np.ndarray] = {}
        self._tokens: list[Token[Context | None]] = []

    def buffer(self, layer: object, name: str, shape: tuple[int, ...], dtype: np.dtype | type) -> np.ndarray:
        """Return scratch memory of this shape; it is kept between passes, and grows for a larger batch."""
        key = (layer, name)
        kept = self._buffers.get(key)
        if kept is None or len(kept) < shape[0] or kept.shape[1:] != shape[1:] or kept.dtype != dtype:
            kept = self._buffers[key] = np.empty(shape, dtype)
        return kept[: shape[0]]

    def remember(self, layer: object, arrays: tuple[Any, ...]) -> None:
        """Keep what `backward` of the layer will need."""
        if self.remembers:
            self._remembered[layer] = arrays

    def recall(self, layer: object) -> tuple[Any, ...]:
        """Return what was remembered, and forget it."""
        try:
            return self._remembered.pop(layer)
        except KeyError:
            raise RuntimeError(
                f"{type(layer).__name__}.backward has nothing to differentiate: "
                "call forward(x, training=True) before each backward, and self.remember(...) in each forward"
            ) from None

    def forget(self) -> None:
        """Drop what was remembered for a backward pass that will not happen."""
        self._remembered.clear()

    def __enter__(self) -> Context:
        self._tokens.append(_in_force.set(self))
        return self

    def __exit__(self, *_: object) -> None:
        _in_force.reset(self._tokens.pop())


class _Outside(Context):
    """The context outside of any pass, for a layer that is called on its own, to see what it does to an array."""

    def __init__(self) -> None:
        super().__init__(rng=np.random.default_rng())
        self._remembered = weakref.WeakKeyDictionary()

    def buffer(self, layer: object, name: str, shape: tuple[int, ...], dtype: np.dtype | type) -> np.ndarray:
        return np.empty(shape, dtype)


_outside = threading.local()


def current() -> Context:
    """Return the active context of this thread."""
    context = _in_force.get()
    if context is not None:
        return context
    if not hasattr(_outside, "context"):
        _outside.context = _Outside()
    return _outside.context


def in_force() -> bool:
    """Return whether a context is active in this thread."""
    return _in_force.get() is not None
