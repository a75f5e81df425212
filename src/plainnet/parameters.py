"""Parameters: what is learned, all of it in one flat vector of values and one of gradients.

Because `theta` holds every value and `grad` every gradient, an update, a check or a file deals with one vector instead
of a list of arrays. Each layer sees its own part of them, in shape, as views.
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
Task = Callable[[slice], object]  # something to be done with a part of the vectors

_BLOCK = 1 << 17  # numbers in a part: 0.5 MB in float32, of which the second-level cache holds a few


def in_blocks(task: Task, start: int, stop: int) -> None:
    """Do the task with the parts of a vector from `start` to `stop`, each short enough for the cache."""
    for first in range(start, stop, _BLOCK):
        task(slice(first, min(first + _BLOCK, stop)))


class Parameter:
    """A named array to be learned, at `place` in the network's flat vectors.

    `value` and `grad` are views that layers write into, with `out=` or `[...] =`; inside a pass `grad` is the gradient
    of that pass. `fan_in` is the number of inputs each unit sums over; `decay` says whether weight decay applies.
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
        """The gradient dL/dvalue, a view into the gradient of the pass in force, or into the network's."""
        return self._view(current().gradients.get(self, self._grad))

    @grad.setter
    def grad(self, new: np.ndarray) -> None:
        self._write_only_in_place("grad", self.grad, new)

    def _view(self, view: np.ndarray | None) -> np.ndarray:
        if view is None:
            raise InputError(f"{self.name} has no values yet; build the network first, network.build(in_shape)")
        return view

    def _write_only_in_place(self, which: str, view: np.ndarray, new: np.ndarray) -> None:
        """Let `view += ...` pass, which writes in place; refuse what would put another array in its place.

        Raises: `InputError` for another array.
        """
        same = isinstance(new, np.ndarray) and (new.shape, new.strides) == (view.shape, view.strides)
        if not (same and np.may_share_memory(new, view)):
            raise InputError(
                f"{self.name}.{which} must be written into, not replaced, or the network would not see it: "
                f"write {self.name.rpartition('.')[2]}.{which}[...] = ... instead of {which} = ..."
            )

    def __getstate__(self) -> dict[str, object]:
        return vars(self) | {"_value": None, "_grad": None}  # views: `Parameters` binds them anew


class Parameters(Sequence[Parameter]):
    """The parameters of a network, and the two flat vectors (P,) that hold them: `theta` and `grad`.

    Those under weight decay come first: `groups` maps "decayed" and "free" to their slices of the vectors.
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
        self.in_a_network = True  # a copy of an optimizer alone has parameters that no network computes with
        self.served_by: object = None  # what the optimizer that was attached last is known by
        self.bind(np.zeros(position, dtype), np.zeros(position, dtype))

    def bind(self, theta: np.ndarray, grad: np.ndarray) -> None:
        """Make these arrays (P,) the vectors: an optimizer may want them to lie beside its memory.

        Their content counts from now on; references to the vectors from before are no longer those of the network.
        """
        self.theta, self.grad = theta, grad
        for parameter in self._parameters:
            parameter._value = theta[parameter.place].reshape(parameter.shape)
            parameter._grad = grad[parameter.place].reshape(parameter.shape)

    def share(self, task: Task) -> None:
        """Do a task with all parts of the vectors, one after the other, or by workers at the same time."""
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
