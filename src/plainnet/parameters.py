"""Parameters: the weights and biases that are learned, all in one flat vector of values and one of gradients.

Because `theta` holds every value and `grad` every gradient, an update, a check or a file deals with one vector instead
of a list of arrays. Each layer sees its own part of the vectors, in its own shape, as views.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from typing import Any, overload

import numpy as np

from plainnet.context import current
from plainnet.errors import InputError
from plainnet.initializers import Initializer

Shape = tuple[int, ...]
Task = Callable[[slice], object]  # a function that processes one part of the vectors

_BLOCK = 1 << 17  # numbers in a part: 0.5 MB in float32, so that the second-level cache holds a few


def in_blocks(task: Task, start: int, stop: int) -> None:
    """Call the task for each part of a vector from `start` to `stop`; each part is short enough for the cache."""
    for first in range(start, stop, _BLOCK):
        task(slice(first, min(first + _BLOCK, stop)))


class Parameter:
    """A named array that is learned, such as a layer's weights; it is stored at `place` in the network's flat vectors.

    `value` and `grad` are views that layers write into, with `out=` or `[...] =`; inside a pass, `grad` is the gradient
    of that pass. `fan_in` is the number of inputs each unit sums over; `decay` says whether weight decay applies.

    Raises: `InputError` if `value` or `grad` is used before the network is built, or replaced instead of written into.

    Example:
        >>> from plainnet import Dense, Network
        >>> network = Network(Dense(2)).build(3)
        >>> [(parameter.name, parameter.shape) for parameter in network.parameters]
        [('dense_1.W', (3, 2)), ('dense_1.b', (2,))]
    """

    place: slice

    def __init__(self, name: str, shape: Shape, initializer: Initializer, fan_in: int, *, decay: bool) -> None:
        self.name = name
        self.shape = shape
        self.initializer = initializer
        self.fan_in = fan_in
        self.decay = decay
        self._value: np.ndarray | None = None
        self._grad: np.ndarray | None = None

    @property
    def size(self) -> int:
        """The number of elements."""
        return math.prod(self.shape)

    @property
    def value(self) -> np.ndarray:
        """The values, a view into theta."""
        return self._view(self._value)

    @value.setter
    def value(self, new: np.ndarray) -> None:
        self._write_only_in_place("value", self.value, new)

    @property
    def grad(self) -> np.ndarray:
        """The gradient dL/dvalue, a view into the gradient of the active pass, or into the network's."""
        return self._view(current().gradients.get(self, self._grad))

    @grad.setter
    def grad(self, new: np.ndarray) -> None:
        self._write_only_in_place("grad", self.grad, new)

    def _view(self, view: np.ndarray | None) -> np.ndarray:
        if view is None:
            raise InputError(f"{self.name} has no values yet; build the network first, network.build(in_shape)")
        return view

    def _write_only_in_place(self, which: str, view: np.ndarray, new: np.ndarray) -> None:
        """Allow `view += ...`, which writes in place; reject an assignment that would put another array in its place.

        Raises: `InputError` for another array.
        """
        same = isinstance(new, np.ndarray) and (new.shape, new.strides) == (view.shape, view.strides)
        if not (same and np.may_share_memory(new, view)):
            raise InputError(
                f"{self.name}.{which} must be written into, not replaced, or the network would not see the change: "
                f"write {self.name.rpartition('.')[2]}.{which}[...] = ... instead of {which} = ..."
            )

    def __getstate__(self) -> dict[str, object]:
        return vars(self) | {"_value": None, "_grad": None}  # views; `Parameters` binds them again


class Parameters(Sequence[Parameter]):
    """The parameters of a network, and the two flat vectors (P,) that hold them: `theta` and `grad`.

    Parameters with weight decay come first: `groups` maps "decayed" and "free" to their slices of the vectors.
    """

    by_workers: Callable[[Task], None] | None = None

    def __init__(self, parameters: Iterable[Parameter], dtype: np.typing.DTypeLike) -> None:
        self._parameters = list(parameters)
        position = 0
        for decay in (True, False):
            for parameter in self._parameters:
                if parameter.decay is decay:
                    parameter.place = slice(position, position + parameter.size)
                    position = parameter.place.stop
            if decay:
                decayed = position
        self.groups = {"decayed": slice(0, decayed), "free": slice(decayed, position)}
        self.in_a_network = True  # False in a copy of an optimizer alone: no network computes with its parameters
        self.served_by: object = None  # identifies the optimizer that was attached last
        self.bind(np.zeros(position, dtype), np.zeros(position, dtype))

    def bind(self, theta: np.ndarray, grad: np.ndarray) -> None:
        """Use these arrays (P,) as the vectors; an optimizer may want them next to its own memory.

        The network now has their content; references to the previous vectors no longer belong to the network.
        """
        self.theta, self.grad = theta, grad
        for parameter in self._parameters:
            parameter._value = theta[parameter.place].reshape(parameter.shape)
            parameter._grad = grad[parameter.place].reshape(parameter.shape)

    def share(self, task: Task) -> None:
        """Call a task for all parts of the vectors, one after the other, or in parallel by workers."""
        if self.by_workers is not None:
            self.by_workers(task)
        else:
            in_blocks(task, 0, self.theta.size)

    def views(self, vector: np.ndarray) -> dict[Parameter, np.ndarray]:
        """Return the part of another vector (P,) that belongs to each parameter, in its shape."""
        return {p: vector[p.place].reshape(p.shape) for p in self._parameters}

    @overload
    def __getitem__(self, index: int) -> Parameter: ...
    @overload
    def __getitem__(self, index: slice) -> list[Parameter]: ...
    def __getitem__(self, index: int | slice) -> Parameter | list[Parameter]:
        return self._parameters[index]

    def __len__(self) -> int:
        return len(self._parameters)

    def __getstate__(self) -> dict[str, Any]:
        return {"parameters": self._parameters, "groups": self.groups, "theta": self.theta}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self._parameters, self.groups = state["parameters"], state["groups"]
        self.in_a_network, self.served_by = False, None
        self.bind(state["theta"], np.zeros_like(state["theta"]))
