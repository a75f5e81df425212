"""Adam: each weight has its own step size, from the history of its gradients."""

from __future__ import annotations

import math

import numpy as np

from plainnet.config import number
from plainnet.errors import InputError
from plainnet.optimizers.optimizer import Optimizer, check_shares
from plainnet.parameters import Parameters


class Adam(Optimizer):
    """Adaptive moments: each weight has its own step size, from the history of its gradients.

    For every weight w with gradient g (clipped, if requested), in the t-th step, t = 1, 2, ...:

        m = beta1 m + (1 - beta1) g                     mean of the gradients
        s = beta2 s + (1 - beta2) g^2                   mean of their squares
        w = w - learning_rate weight_decay w            for weights, not for biases (decoupled, "AdamW")
        w = w - learning_rate m^ / (sqrt(s^) + epsilon)  with m^ = m / (1 - beta1^t), s^ = s / (1 - beta2^t)

    Arguments: beta1, beta2 in [0, 1), epsilon at least 1e-30 (float32 ends near 1e-38), weight_decay at least 0, clip
    and clip_norm above 0 or None.
    Raises: `InputError` for a value outside these ranges.
    Sources: Kingma, Ba 2015, "Adam: a method for stochastic optimization"; Loshchilov, Hutter 2019, "Decoupled
    weight decay regularization".

    Example:
        >>> from plainnet import Adam, Dense, Network
        >>> network, adam = Network(Dense(1, initializer="zeros")).build(1), Adam()
        >>> adam.attach(network.parameters)
        >>> network.grad[:] = [5.0, -0.1]  # of the weight and the bias
        >>> adam.step(0.01)
        >>> [round(w, 3) for w in network.theta.tolist()]  # the first step is -learning_rate sign(g), for any size of g
        [-0.01, 0.01]
    """

    decays_itself = True
    elementwise = True

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
        check_shares(beta1=beta1, beta2=beta2)
        if not 1e-30 <= number(epsilon, "epsilon") < math.inf:
            raise InputError(f"epsilon must be a small number of at least 1e-30, received {epsilon}; 1e-8 is common")
        self.beta1, self.beta2, self.epsilon = beta1, beta2, epsilon

    def allocate(self, parameters: Parameters) -> None:
        """Allocate the sums of the gradients and of their squares."""
        self.gradients, self.squares = np.full_like(parameters.theta, 0.0), np.full_like(parameters.theta, 0.0)

    # It keeps the sums m / (1 - beta1) = beta1 (...) + g and s / (1 - beta2) = beta2 (...) + g^2. Each needs one pass
    # through memory fewer than the mean would. The constant factors go into the step and into epsilon.

    def update(self, theta: np.ndarray, grad: np.ndarray, learning_rate: float) -> None:
        assert self.parameters is not None
        if self.weight_decay:
            decayed = max(0, self.parameters.groups["decayed"].stop - self.begin)
            theta[:decayed] *= 1 - learning_rate * self.weight_decay
        self.gradients *= self.beta1
        self.gradients += grad
        grad *= grad
        self.squares *= self.beta2
        self.squares += grad
        mean = (1 - self.beta1) / (1 - self.beta1**self.steps)  # m^ = mean gradients
        root = math.sqrt((1 - self.beta2) / (1 - self.beta2**self.steps))  # sqrt(s^) = root sqrt(squares)
        np.sqrt(self.squares, out=grad)
        grad += self.epsilon / root
        np.divide(self.gradients, grad, out=grad)
        grad *= learning_rate * mean / root
        theta -= grad
