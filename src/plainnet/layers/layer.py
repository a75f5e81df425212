"""The contract every layer keeps, and the scratch memory that lets layers compute without allocating.

A layer is a differentiable function y = f(x; parameters). `forward` computes y; `backward` is given dy, the
gradient of the loss with respect to y, and computes the gradients of the parameters and dx by the chain rule.

1.  `build(in_shape) -> out_shape` (shapes of one example, without N) declares the parameters. The network
    then gives each one its place in two flat vectors, one of values and one of gradients.
2.  `forward` never writes to x. What it returns is borrowed: it is valid until the layer's next call.
    It remembers what `backward` needs only while training.
3.  `backward` consumes what was remembered, so calling it twice is an error; it overwrites the gradients
    (nothing is accumulated, so nothing has to be zeroed). Where dx takes work, it is left out unless `need_dx`.
4.  Any number of examples, from one, at any call, and any of float32, float64 and complex128; with complex numbers,
    comparisons look at the real part, so that the complex step can differentiate every layer.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np

from plainnet.initializers import Initializer

Shape = tuple[int, ...]


class Parameter:
    """A named array to be learned: its `value` and `grad` are views into the network's flat vectors, at `place`.

    `fan_in` is the number of inputs each unit sums over; `decay` says whether weight decay applies.
    """

    value: np.ndarray
    grad: np.ndarray
    place: slice

    def __init__(self, name: str, shape: Shape, initializer: Initializer, fan_in: int, *, decay: bool) -> None:
        self.name = name
        self.shape = shape
        self.initializer = initializer
        self.fan_in = fan_in
        self.decay = decay

    def __getstate__(self) -> dict[str, object]:
        # A view would come out of a pickle as an array of its own; the network binds it anew instead.
        return {name: part for name, part in vars(self).items() if name not in ("value", "grad")}


class Layer:
    """Base of all layers; a new layer defines `build`, `forward`, `backward` and, with arguments, `config`.

    `rng` is what a layer draws from that does something at random. Only a training gives it one (see `Team`); without
    it, the layer does the same thing every time.
    """

    rng: np.random.Generator | None = None

    def __init__(self) -> None:
        self.parameters: list[Parameter] = []
        self.state: dict[str, np.ndarray] = {}  # arrays that training changes, though no gradient does
        self._buffers: dict[tuple[str, bool], np.ndarray] = {}
        self._cache: tuple[np.ndarray, ...] | None = None

    def build(self, in_shape: Shape) -> Shape:
        """Declare the parameters for examples of `in_shape` and return the shape of their outputs."""
        return in_shape

    def forward(self, x: np.ndarray, *, training: bool = False) -> np.ndarray:
        """Return y = f(x), borrowed until the next call."""
        raise NotImplementedError

    def backward(self, dy: np.ndarray, *, need_dx: bool = True) -> np.ndarray | None:
        """Write the gradients of the parameters and return dx, borrowed; without `need_dx` it may be None."""
        raise NotImplementedError

    def constrain(self) -> None:
        """Put the parameters back to where the layer allows them; called after each update."""

    def config(self) -> dict[str, Any]:
        """Return the layer's type and arguments as plain values, from which `layer_from_config` makes it again."""
        return {"type": type(self).__name__}

    def declare(
        self, name: str, shape: Shape, initializer: Initializer, *, fan_in: int = 1, decay: bool = False
    ) -> Parameter:
        """Add a parameter; `build` calls this."""
        parameter = Parameter(name, shape, initializer, fan_in, decay=decay)
        self.parameters.append(parameter)
        return parameter

    def buffer(self, name: str, shape: Shape, dtype: np.dtype | type, *, training: bool = True) -> np.ndarray:
        """Return scratch memory of this shape, kept between calls and grown when a larger batch comes.

        Training and evaluation have memory apart: evaluating between forward and backward disturbs neither.
        """
        key = (name, training)
        kept = self._buffers.get(key)
        if kept is None or len(kept) < shape[0] or kept.shape[1:] != shape[1:] or kept.dtype != dtype:
            kept = self._buffers[key] = np.empty(shape, dtype)
        return kept[: shape[0]]

    def across(self, sums: np.ndarray) -> np.ndarray:
        """Return the sum of `sums` over all replicas of the network that share a batch; alone, it is `sums`.

        A layer whose output for one example depends on the other examples must ask; `Team` gives the answer.
        """
        return sums

    def remember(self, *arrays: np.ndarray) -> None:
        """Keep what `backward` will need; `forward` calls this while training."""
        self._cache = arrays

    def recall(self) -> tuple[np.ndarray, ...]:
        """Return what was remembered, once."""
        if self._cache is None:
            raise RuntimeError(
                f"{type(self).__name__}.backward has nothing to differentiate: "
                "call forward(x, training=True) before each backward"
            )
        cache, self._cache = self._cache, None
        return cache

    def __getstate__(self) -> dict[str, object]:
        kept = {name: part for name, part in vars(self).items() if name not in ("across", "rng")}
        return kept | {"_buffers": {}, "_cache": None}


def named(layers: Iterable[Layer]) -> Iterator[tuple[str, Layer]]:
    """Yield each layer with its name among these: "dense_1" for the first Dense, "dense_2" for the second."""
    counts: dict[str, int] = {}
    for layer in layers:
        kind = type(layer).__name__.lower()
        counts[kind] = counts.get(kind, 0) + 1
        yield f"{kind}_{counts[kind]}", layer
