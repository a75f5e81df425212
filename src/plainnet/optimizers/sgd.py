"""Stochastic gradient descent: steps against the gradient, with momentum."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from plainnet.errors import InputError
from plainnet.optimizers.optimizer import Optimizer, check_shares
from plainnet.parameters import Parameters


class SGD(Optimizer):
    """Stochastic gradient descent with momentum, weight decay and clipping.

    For every weight w with gradient g, in this order:

        g = clip(g, -clip, clip)        only if `clip` is given; or the whole gradient scaled down to `clip_norm`
        g = g + weight_decay w          for weights, not for biases (L2 regularization)
        v = momentum v - learning_rate g
        w = w + v                                     or, with `nesterov`, w + momentum v - learning_rate g

    Arguments: momentum in [0, 1), weight_decay at least 0, clip and clip_norm above 0 or None.
    Raises: `InputError` for a value outside these ranges.
    Sources: Polyak 1964, "Some methods of speeding up the convergence of iteration methods"; Sutskever et al. 2013, "On
    the importance of initialization and momentum in deep learning", for Nesterov's momentum, in the form of Bengio,
    Boulanger-Lewandowski, Pascanu 2013, "Advances in optimizing recurrent networks", section 3.5, which takes the
    gradient at the current weights.

    Example:
        >>> from plainnet import SGD, Dense, Network
        >>> network, sgd = Network(Dense(1, initializer="zeros")).build(1), SGD(momentum=0.5)
        >>> sgd.attach(network.parameters)
        >>> for _ in range(2):  # v = -4 0.25 = -1 and w = -1; then v = -0.5 - 1 = -1.5 and w = -2.5
        ...     network.grad[:] = [4.0, 0.0]
        ...     sgd.step(0.25)
        >>> network.theta.tolist()
        [-2.5, 0.0]
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
        check_shares(momentum=momentum)
        if not isinstance(nesterov, bool):
            raise InputError(f"nesterov must be true or false, received {nesterov!r}")
        self.momentum = momentum
        self.nesterov = nesterov

    not_state = frozenset({"_rows"})
    decays_itself = True

    # The new velocity is a linear combination of three vectors. A matrix product reads each number once, whereas five
    # elementwise operations would read or write it nine times, and memory bandwidth limits this step. So the old
    # velocity, theta and the gradient are adjacent rows of one array. The product cannot overwrite what it reads;
    # therefore the old and the new velocity alternate between rows 0 and 3.

    def allocate(self, parameters: Parameters) -> None:
        """Place theta and the gradient between two rows for the velocity."""
        self._rows = np.empty((4, parameters.theta.size), parameters.theta.dtype)
        # Write the zeros: with np.zeros, the system maps the memory on first read, and then in small pages.
        self._rows[0] = self._rows[3] = 0.0
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
        if self.nesterov:  # -learning_rate g = new - momentum old; the row of the gradient can be reused
            lead = {old: -self.momentum, new: 1 + self.momentum}
            velocity = np.matmul(np.array([lead[0], lead[3]], theta.dtype), self._rows[::3], out=grad)
        theta += velocity

    @staticmethod
    def _velocity_before(step: int) -> int:
        """Return the row that holds the velocity before a step; steps count from 1."""
        return 0 if step % 2 == 1 else 3

    def state(self) -> dict[str, Any]:
        velocity = (
            {} if self.parameters is None else {"velocity": self._rows[self._velocity_before(self.steps + 1)].copy()}
        )
        return super().state() | velocity

    def restore(self, state: Mapping[str, Any]) -> None:
        super().restore(state)
        self._rows[self._velocity_before(self.steps + 1)] = vars(self).pop("velocity")

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)
        if self.parameters is not None:  # the copied rows and parameters no longer share memory
            self._rows[1], self._rows[2] = self.parameters.theta, self.parameters.grad
            self.parameters.bind(self._rows[1], self._rows[2])
