"""Stochastic gradient descent: a step against the gradient, with momentum."""

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
        check_shares(momentum=momentum)
        if not isinstance(nesterov, bool):
            raise InputError(f"nesterov must be true or false, received {nesterov!r}")
        self.momentum = momentum
        self.nesterov = nesterov

    not_state = frozenset({"_rows"})
    decays_itself = True

    # The new velocity is a combination of three vectors. As a matrix product it reads each number once, where five
    # elementwise operations would read or write it nine times: memory is what limits this step. So old velocity, theta
    # and gradient lie side by side as rows of one array. The product cannot overwrite what it reads; therefore old and
    # new velocity take turns in rows 0 and 3, on either side.

    def allocate(self, parameters: Parameters) -> None:
        """Lay theta and gradient between two rows for the velocity."""
        self._rows = np.empty((4, parameters.theta.size), parameters.theta.dtype)
        # Zeros are written, where np.zeros would only promise them: memory that is read first comes in small pages.
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
        if self.nesterov:  # - learning_rate g is new - momentum old; the gradient has done its duty, its row is free
            lead = {old: -self.momentum, new: 1 + self.momentum}
            velocity = np.matmul(np.array([lead[0], lead[3]], theta.dtype), self._rows[::3], out=grad)
        theta += velocity

    @staticmethod
    def _velocity_before(step: int) -> int:
        """Return the row that holds the velocity before a step, counted from 1."""
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
        if self.parameters is not None:  # rows and parameters have come apart
            self._rows[1], self._rows[2] = self.parameters.theta, self.parameters.grad
            self.parameters.bind(self._rows[1], self._rows[2])
