"""Optimizers: how the weights follow the gradient. They know flat vectors and nothing about layers."""

from __future__ import annotations

import copy
import inspect
import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from plainnet.config import number
from plainnet.errors import InputError
from plainnet.parameters import Parameters


class Optimizer:
    """Base of all optimizers; a new one defines `update` and, if it has memory, `allocate`.

    An optimizer is attached to the parameters of one network and owns the memory it needs there:

        optimizer.attach(network.parameters)    # begins without memory of earlier steps
        optimizer.step(0.01)                    # updates theta in place from grad, at this learning rate

    Before each update the gradient is clipped: to [-clip, clip] element by element, or, with `clip_norm`, shortened to
    that Euclidean norm. What `allocate` and `update` keep on the optimizer, arrays and numbers, is its state;
    `state()` and `restore()` take it out and in, so that another optimizer can go on.

    Attributes: `parameters`, with their flat vectors, names, places, shapes and `groups`; `steps`, the number made.
    Raises: `InputError` for a weight_decay below 0, a clip or clip_norm that is not above 0.
    Source: Pascanu, Mikolov, Bengio 2013, "On the difficulty of training recurrent neural networks", for the norm.
    """

    parameters: Parameters | None = None
    scratch: frozenset[str] = frozenset()  # names of what is kept but decides nothing

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
        """Make the memory for these parameters, as it is before the first step."""

    def update(self, theta: np.ndarray, grad: np.ndarray, learning_rate: float) -> None:
        """Change theta (P,) in place; `steps` counts this step already, and grad may be used up."""
        raise NotImplementedError

    def attach(self, parameters: Parameters) -> None:
        """Begin to serve these parameters, without memory of any step before."""
        if not hasattr(self, "steps"):
            raise InputError(f"{type(self).__name__}.__init__ must begin with super().__init__()")
        if self.parameters is None:
            self._at_first = copy.deepcopy(self._memory())
        for name in self._memory():
            delattr(self, name)
        vars(self).update(copy.deepcopy(self._at_first))
        self.parameters, self.steps = parameters, 0
        self.allocate(parameters)
        self._theta = parameters.theta

    def step(self, learning_rate: float) -> None:
        """Make one step; the gradient is used up.

        Raises: `InputError` if the optimizer is not attached, or no longer.
        """
        parameters = self.parameters
        if parameters is None or not parameters.in_a_network:
            raise InputError("this optimizer serves no network; attach it first: optimizer.attach(network.parameters)")
        if parameters.theta is not self._theta:
            raise InputError(
                "another optimizer serves this network since; go on with that one, or attach this one again, which "
                "begins without memory: optimizer.attach(network.parameters)"
            )
        grad = parameters.grad
        if self.clip is not None and not np.dot(grad, grad) <= self.clip * self.clip:
            np.clip(grad, -self.clip, self.clip, out=grad)  # needless where not even the norm exceeds the clip
        if self.clip_norm is not None:
            norm = float(np.linalg.norm(grad))
            if norm > self.clip_norm:
                grad *= self.clip_norm / norm
        self.steps += 1
        self.update(parameters.theta, grad, learning_rate)

    def _memory(self) -> dict[str, Any]:
        """Return what the optimizer keeps beside the arguments it was made with."""
        arguments = {*inspect.signature(type(self).__init__).parameters, "weight_decay", "clip", "clip_norm"}
        own = arguments | self.scratch | {"parameters", "steps", "_theta", "_at_first"}
        return {name: value for name, value in vars(self).items() if name not in own}

    def state(self) -> dict[str, Any]:
        """Return all that decides the next step, by name: arrays, copied, and numbers.

        Raises: `InputError` if the optimizer keeps something else, which no checkpoint could hold.
        """
        state: dict[str, Any] = {"steps": self.steps}
        for name, value in self._memory().items() if self.parameters is not None else ():
            if isinstance(value, np.ndarray | bool | int | float | np.number):
                state[name] = value.copy() if isinstance(value, np.ndarray) else value
            elif value is not None and not callable(value):
                raise InputError(
                    f"{type(self).__name__} keeps self.{name}, a {type(value).__name__}, which no checkpoint can hold; "
                    "keep arrays and numbers, or define state() and restore()"
                )
        return state

    def restore(self, state: Mapping[str, Any]) -> None:
        """Take up what `state` gave, after `attach`.

        Raises: `ValueError` if it is the state of another optimizer or network; nothing has changed then.
        """
        mine = self.state()
        for name, value in mine.items():
            if name not in state or np.shape(state[name]) != np.shape(value):
                raise ValueError(f"the optimizer's state does not fit: {name} has the shape {np.shape(value)} here")
        for name, value in state.items():
            setattr(self, name, np.array(value) if isinstance(value, np.ndarray) else value)

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(state)
        if self.parameters is not None:
            self._theta = self.parameters.theta


class SGD(Optimizer):
    """Stochastic gradient descent with momentum, weight decay and clipping.

    For every weight w with gradient g, in this order:

        g = clip(g, -clip, clip)        only if `clip` is given; or the whole gradient shortened to `clip_norm`
        g = g + weight_decay w          for weights, not for biases (L2 regularization)
        v = momentum v - learning_rate g
        w = w + v                                     or, with `nesterov`, w + momentum v - learning_rate g

    Arguments: momentum in [0, 1), weight_decay at least 0, clip and clip_norm above 0 or None.
    Raises: `InputError` for a value outside these ranges.
    Sources: Polyak 1964, "Some methods of speeding up the convergence of iteration methods"; Sutskever et al. 2013, "On
    the importance of initialization and momentum in deep learning", for Nesterov's momentum, in the form of Bengio,
    Boulanger-Lewandowski, Pascanu 2013, "Advances in optimizing recurrent networks", section 3.5, which takes the
    gradient where the weights are.
    """

    def __init__(
        self,
        *,
        momentum: float = 0.0,
        weight_decay: float = 0.0,
        clip: float | None = None,
        clip_norm: float | None = None,
        nesterov: bool = False,
    ) -> None:
        super().__init__(weight_decay=weight_decay, clip=clip, clip_norm=clip_norm)
        _check_shares(momentum=momentum)
        if not isinstance(nesterov, bool):
            raise InputError(f"nesterov must be true or false, received {nesterov!r}")
        self.momentum = momentum
        self.nesterov = nesterov

    # The new velocity is a combination of three vectors. As a matrix product it reads each number once, where five
    # elementwise operations would read or write it nine times: memory is what limits this step. So old velocity, theta
    # and gradient lie side by side as rows of one array. The product cannot overwrite what it reads; therefore old and
    # new velocity take turns in rows 0 and 3, on either side.

    def allocate(self, parameters: Parameters) -> None:
        """Lay theta and gradient between two rows for the velocity."""
        self._rows = np.zeros((4, parameters.theta.size), parameters.theta.dtype)
        self._rows[1], self._rows[2] = parameters.theta, parameters.grad
        parameters.bind(self._rows[1], self._rows[2])

    def update(self, theta: np.ndarray, grad: np.ndarray, learning_rate: float) -> None:
        assert self.parameters is not None
        old, new = self._velocity_before(self.steps), self._velocity_before(self.steps + 1)
        velocity = self._rows[new]
        for group, decay in (("decayed", self.weight_decay), ("free", 0.0)):
            part = self.parameters.groups[group]
            factors = {old: self.momentum, 1: -learning_rate * decay, 2: -learning_rate}
            rows = sorted(factors)
            combination = np.array([factors[row] for row in rows], theta.dtype)
            np.matmul(combination, self._rows[rows[0] : rows[-1] + 1, part], out=velocity[part])
        if self.nesterov:  # - learning_rate g is new - momentum old; the gradient has done its duty, its row is free
            lead = {old: -self.momentum, new: 1 + self.momentum}
            velocity = np.matmul(np.array([lead[0], lead[3]], theta.dtype), self._rows[::3], out=grad)
        theta += velocity

    @staticmethod
    def _velocity_before(step: int) -> int:
        """Return the row that holds the velocity before a step, counted from 1."""
        return 0 if step % 2 == 1 else 3

    def state(self) -> dict[str, Any]:
        if self.parameters is None:
            return {"steps": self.steps}
        return {"steps": self.steps, "velocity": self._rows[self._velocity_before(self.steps + 1)].copy()}

    def restore(self, state: Mapping[str, Any]) -> None:
        if set(state) != {"steps", "velocity"} or np.shape(state["velocity"]) != self._rows[0].shape:
            raise ValueError("the optimizer's state is not one of SGD for this network")
        self.steps = int(state["steps"])
        self._rows[self._velocity_before(self.steps + 1)] = state["velocity"]

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)
        if self.parameters is not None:  # a copy, whose rows and parameters have come apart
            self._rows[1], self._rows[2] = self.parameters.theta, self.parameters.grad
            self.parameters.bind(self._rows[1], self._rows[2])
            self._theta = self.parameters.theta


class Adam(Optimizer):
    """Adaptive moments: every weight has a step size of its own, from the history of its gradients.

    For every weight w with gradient g (clipped, if that is asked for), in the t-th step, t = 1, 2, ...:

        m = beta1 m + (1 - beta1) g                     mean of the gradients
        s = beta2 s + (1 - beta2) g^2                   mean of their squares
        w = w - learning_rate weight_decay w            for weights, not for biases (decoupled, "AdamW")
        w = w - learning_rate m^ / (sqrt(s^) + epsilon)  with m^ = m / (1 - beta1^t), s^ = s / (1 - beta2^t)

    Arguments: beta1, beta2 in [0, 1), epsilon at least 1e-30 (float32 knows little below), weight_decay at least 0,
    clip and clip_norm above 0 or None.
    Raises: `InputError` for a value outside these ranges.
    Sources: Kingma, Ba 2015, "Adam: a method for stochastic optimization"; Loshchilov, Hutter 2019, "Decoupled
    weight decay regularization".
    """

    scratch = frozenset({"work"})

    def __init__(
        self,
        *,
        beta1: float = 0.9,
        beta2: float = 0.999,
        epsilon: float = 1e-8,
        weight_decay: float = 0.0,
        clip: float | None = None,
        clip_norm: float | None = None,
    ) -> None:
        super().__init__(weight_decay=weight_decay, clip=clip, clip_norm=clip_norm)
        _check_shares(beta1=beta1, beta2=beta2)
        if not 1e-30 <= number(epsilon, "epsilon") < math.inf:
            raise InputError(f"epsilon must be a small number of at least 1e-30, received {epsilon}; 1e-8 is common")
        self.beta1, self.beta2, self.epsilon = beta1, beta2, epsilon

    def allocate(self, parameters: Parameters) -> None:
        """Make room for the mean of the gradients and of their squares."""
        self.mean, self.square = np.zeros_like(parameters.theta), np.zeros_like(parameters.theta)
        self.work = np.empty_like(parameters.theta)

    def update(self, theta: np.ndarray, grad: np.ndarray, learning_rate: float) -> None:
        assert self.parameters is not None
        mean, square, scratch = self.mean, self.square, self.work
        mean *= self.beta1
        np.multiply(grad, 1 - self.beta1, out=scratch)
        mean += scratch
        np.multiply(grad, grad, out=grad)
        grad *= 1 - self.beta2
        square *= self.beta2
        square += grad
        if self.weight_decay:
            theta[self.parameters.groups["decayed"]] *= 1 - learning_rate * self.weight_decay
        # m^ / (sqrt(s^) + epsilon) = correction m / (sqrt(s) + epsilon sqrt(1 - beta2^t))
        root = math.sqrt(1 - self.beta2**self.steps)
        np.sqrt(square, out=scratch)
        scratch += self.epsilon * root
        np.divide(mean, scratch, out=scratch)
        scratch *= learning_rate * root / (1 - self.beta1**self.steps)
        theta -= scratch


def _check_shares(**shares: float) -> None:
    for name, share in shares.items():
        if not 0.0 <= number(share, name) < 1.0:
            raise InputError(f"{name} must be at least 0 and below 1, received {share}; 0.9 is common")


OPTIMIZERS: dict[str, Callable[..., Optimizer]] = {"Adam": Adam, "SGD": SGD}
