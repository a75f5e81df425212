"""Optimizers: change the weights by their gradient. They know only flat vectors, and nothing about layers."""

from __future__ import annotations

import copy
import inspect
import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from plainnet.config import number
from plainnet.errors import InputError
from plainnet.parameters import Parameters


class Optimizer:
    """Base class of all optimizers; a new one defines `update` and, if it has memory, `allocate`.

    An optimizer is attached to the parameters of one network and owns the memory that it needs for them:

        optimizer.attach(network.parameters)    # starts without memory of earlier steps
        optimizer.step(0.01)                    # updates theta in place from grad, at this learning rate

    Before each update the gradient is clipped to [-clip, clip], element by element, or, with `clip_norm`, scaled down
    to that Euclidean norm. Then weight_decay times the weights is added to it. The arrays and numbers that `allocate`
    and `update` keep on the optimizer, other than its arguments, are its state; `state()` returns it and `restore()`
    sets it, so that another optimizer can continue. Arguments are settings: an update must not change them.

    Attributes: `parameters`, with their flat vectors, names, places, shapes and `groups`; `steps`, the number taken.
    Raises: `InputError` for a weight_decay below 0, or a clip or clip_norm that is not above 0.
    Source: Pascanu, Mikolov, Bengio 2013, "On the difficulty of training recurrent neural networks", for the norm.

    Example:
        >>> import numpy as np
        >>> from plainnet.optimizers import Optimizer
        >>> class SignDescent(Optimizer):
        ...     def update(self, theta, grad, learning_rate):
        ...         theta -= learning_rate * np.sign(grad)
        >>> theta = np.zeros(2)
        >>> SignDescent().update(theta, np.array([5.0, -0.1]), 0.5)  # which `step` calls
        >>> theta.tolist()
        [-0.5, 0.5]
    """

    parameters: Parameters | None = None
    attachment: object = None
    not_state: frozenset[str] = frozenset()  # attributes that are not state, or that `state` saves in another form
    decays_itself = False  # whether `update` applies weight decay; if not, it is added to the gradient
    elementwise = False  # whether parts of theta can be updated separately; `update` must then keep only arrays
    begin = 0  # where in the network's vectors the part given to `update` begins

    def __init__(self, *, weight_decay: float = 0.0, clip: float | None = None, clip_norm: float | None = None) -> None:
        if not 0.0 <= number(weight_decay, "weight_decay") < math.inf:
            raise InputError(f"weight_decay must be at least 0, received {weight_decay}; 0 turns it off")
        for name, most in (("clip", clip), ("clip_norm", clip_norm)):
            if most is not None and not number(most, name) > 0.0:
                raise InputError(f"{name} must be above 0, received {most}; leave it out for no clipping")
        self.weight_decay = weight_decay
        self.clip = None if clip is None else float(clip)
        self.clip_norm = None if clip_norm is None else float(clip_norm)
        self.steps = 0

    def allocate(self, parameters: Parameters) -> None:
        """Allocate the memory for these parameters, as it is before the first step."""

    def update(self, theta: np.ndarray, grad: np.ndarray, learning_rate: float) -> None:
        """Change theta (P,) in place; `steps` already includes this step, and grad may be overwritten."""
        raise NotImplementedError

    def attach(self, parameters: Parameters) -> None:
        """Start to update these parameters, without memory of earlier steps.

        Raises: `InputError` for anything but the parameters of a network that is built.
        """
        if not hasattr(self, "steps"):
            raise InputError(f"{type(self).__name__}.__init__ must begin with super().__init__()")
        if not isinstance(parameters, Parameters):
            raise InputError(f"attach takes network.parameters, received {type(parameters).__name__}")
        self._names = _arguments(type(self))
        if self.parameters is None:
            self._at_first = copy.deepcopy(self._memory())
        for name in self._memory():
            delattr(self, name)
        vars(self).update(copy.deepcopy(self._at_first))
        self.parameters, self.steps = parameters, 0
        self.allocate(parameters)
        self.attachment = parameters.served_by = object()

    def step(self, learning_rate: float) -> None:
        """Take one step; this may overwrite the gradient.

        Raises: `InputError` if the optimizer is not attached, or no longer attached.
        """
        parameters = self.parameters
        if parameters is None or not parameters.in_a_network:
            raise InputError("this optimizer has no network; attach it first: optimizer.attach(network.parameters)")
        if parameters.served_by is not self.attachment:
            raise InputError(
                "another optimizer has since been attached to this network; use that one, or attach this one again, "
                "which clears its memory: optimizer.attach(network.parameters)"
            )
        theta, grad = parameters.theta, parameters.grad
        if self.clip is not None and not np.dot(grad, grad) <= self.clip * self.clip:
            np.clip(grad, -self.clip, self.clip, out=grad)  # not needed if not even the norm exceeds the clip
        if self.clip_norm is not None:
            norm = float(np.linalg.norm(grad))
            if norm > self.clip_norm:
                grad *= self.clip_norm / norm
        if self.weight_decay and not self.decays_itself:
            decayed = parameters.groups["decayed"]
            grad[decayed] += self.weight_decay * theta[decayed]
        self.steps += 1
        before = list(map(vars(self).get, self._names))
        if self._is_elementwise():
            parameters.share(lambda part: self._of(part).update(theta[part], grad[part], learning_rate))
        else:
            self.update(theta, grad, learning_rate)
        for name, value in zip(self._names, before, strict=True):
            if vars(self).get(name) is not value:
                raise InputError(
                    f"{type(self).__name__} changes its argument {name} during training, and no checkpoint would save "
                    f"the change; keep the changing value under another name, such as self.current_{name}"
                )

    def _is_elementwise(self) -> bool:
        """Return whether the class that defines `update` says that it is elementwise; subclasses may redefine it."""
        kind = next(base for base in type(self).__mro__ if "update" in vars(base))
        return bool(vars(kind).get("elementwise", False))

    def _of(self, part: slice) -> Optimizer:
        """Return a copy of this optimizer for a part of the parameters, with views of that part of its memory."""
        assert self.parameters is not None
        twin: Optimizer = object.__new__(type(self))
        whole = self.parameters.theta.shape
        for name, value in vars(self).items():
            vars(twin)[name] = value[part] if isinstance(value, np.ndarray) and value.shape == whole else value
        twin.begin = part.start
        return twin

    def _memory(self) -> dict[str, Any]:
        """Return what the optimizer keeps besides its arguments."""
        own = _arguments(type(self)) | self.not_state | {"parameters", "steps", "attachment", "_at_first", "_names"}
        return {name: value for name, value in vars(self).items() if name not in own}

    def state(self) -> dict[str, Any]:
        """Return everything that decides the next step, by name: copied arrays, and numbers.

        Raises: `InputError` if the optimizer keeps something else, which no checkpoint could hold.
        """
        state: dict[str, Any] = {"steps": self.steps}
        if self.parameters is None:
            return state
        inner = {name: value for name, value in vars(self).items() if isinstance(value, Optimizer)}
        for name, value in (self._memory() | inner).items():
            if isinstance(value, np.ndarray):
                state[name] = value.copy()
            elif isinstance(value, bool | int | float | np.number):
                state[name] = value.item() if isinstance(value, np.number) else value
            elif value is not None and not inspect.isroutine(value):
                raise InputError(
                    f"{type(self).__name__} keeps self.{name}, a {type(value).__name__}, which no checkpoint can hold; "
                    "keep only arrays and numbers, or define state() and restore()"
                )
        return state

    def restore(self, state: Mapping[str, Any]) -> None:
        """Set the state that `state` returned; call `attach` first.

        Raises: `ValueError` if it is the state of another optimizer or network; nothing changes then.
        """
        mine, arguments = self.state(), _arguments(type(self))
        for name, value in mine.items():
            fits = name in state and np.shape(state[name]) == np.shape(value)
            if not fits or (isinstance(value, np.ndarray) and np.asarray(state[name]).dtype != value.dtype):
                raise ValueError(f"the optimizer's state does not fit: {name} has the shape {np.shape(value)} here")
        for name, value in state.items():
            as_here = isinstance(value, np.ndarray) == isinstance(mine.get(name, value), np.ndarray)
            plain = isinstance(value, np.ndarray | bool | int | float) and name not in arguments and name.isidentifier()
            if not (as_here and plain) or (name == "steps" and (type(value) is not int or value < 0)):
                raise ValueError(f"the optimizer's state does not fit: {name} is {value!r}")
        for name, value in state.items():
            setattr(self, name, np.array(value) if isinstance(value, np.ndarray) else value)

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(state)
        if self.parameters is not None:  # a copy of the parameters, to which this copy is attached
            self.attachment = self.parameters.served_by = object()


def _arguments(kind: type[Optimizer]) -> set[str]:
    """Return the names of the arguments of an optimizer class and its base classes."""
    return {name for base in kind.__mro__ for name in inspect.signature(base.__init__).parameters} - {"self"}  # type: ignore[misc]


def check_shares(**shares: float) -> None:
    """Raise `InputError` if one is not a number from 0 to below 1."""
    for name, share in shares.items():
        if not 0.0 <= number(share, name) < 1.0:
            raise InputError(f"{name} must be at least 0 and below 1, received {share}; 0.9 is common")
