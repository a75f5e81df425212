"""LARS: steps in proportion to the norm of each layer's weights, so that batches can be large."""

from __future__ import annotations

import math

import numpy as np

from plainnet.config import number
from plainnet.errors import InputError
from plainnet.optimizers.optimizer import Optimizer, check_shares
from plainnet.parameters import Parameters


class LARS(Optimizer):
    """Layer-wise adaptive rate scaling: the weights of each layer move by a share of their own Euclidean norm.

    For the weights w of a layer (an array) with gradient g (clipped, if requested), and the Euclidean norm |.|:

        rate = learning_rate trust |w| / (|g| + weight_decay |w|)
        v = momentum v - rate (g + weight_decay w)
        w = w + v

    For biases, scales and shifts, and if |w| or |g| is 0, rate = learning_rate.

    Arguments: momentum in [0, 1), trust above 0, weight_decay at least 0, clip and clip_norm above 0 or None.
    Raises: `InputError` for a value outside these ranges.
    Source: You, Gitman, Ginsburg 2017, "Large batch training of convolutional networks".

    Example:
        >>> from plainnet import LARS, Dense, Network
        >>> network, lars = Network(Dense(1, initializer="ones")).build(1), LARS(momentum=0.0, trust=0.1)
        >>> lars.attach(network.parameters)
        >>> network.grad[:] = [50.0, 0.0]  # of the weight 1 and the bias 0
        >>> lars.step(1.0)
        >>> [round(w, 3) for w in network.theta.tolist()]  # the weight moves by 1.0 trust |w|, for any size of g
        [0.9, 0.0]
    """

    decays_itself = True

    def __init__(
        self,
        *,
        momentum: float = 0.9,
        trust: float = 0.001,
        weight_decay: float = 0.0,
        clip: float | None = None,
        clip_norm: float | None = None,
    ) -> None:
        super().__init__(weight_decay=weight_decay, clip=clip, clip_norm=clip_norm)
        check_shares(momentum=momentum)
        if not 0.0 < number(trust, "trust") < math.inf:
            raise InputError(f"trust must be a positive number, received {trust}; 0.001 is common")
        self.momentum, self.trust = momentum, trust

    def allocate(self, parameters: Parameters) -> None:
        """Allocate the velocity."""
        self.velocity = np.full_like(parameters.theta, 0.0)

    def update(self, theta: np.ndarray, grad: np.ndarray, learning_rate: float) -> None:
        assert self.parameters is not None
        for parameter in self.parameters:
            w, g = theta[parameter.place], grad[parameter.place]
            rate = learning_rate
            if parameter.decay:
                length, steepness = float(np.linalg.norm(w)), float(np.linalg.norm(g))
                if length > 0 and steepness > 0:
                    rate *= self.trust * length / (steepness + self.weight_decay * length)
                g += self.weight_decay * w
            g *= rate
        self.velocity *= self.momentum
        self.velocity -= grad
        theta += self.velocity
