"""Muon: steps that change every direction of a weight matrix by the same amount."""

from __future__ import annotations

import math

import numpy as np

from plainnet.optimizers.optimizer import Optimizer, check_shares
from plainnet.parameters import Parameters

_A, _B, _C = 3.4445, -4.7750, 2.0315  # of the polynomial that moves singular values to about 1, by Jordan


class Muon(Optimizer):
    """Momentum orthogonalized by Newton-Schulz steps, for weights; Adam for biases, scales and shifts.

    A gradient usually has a few large singular values and many small ones, so that gradient descent moves a weight
    matrix in few directions. Muon makes all singular values about equal. For a matrix w of R rows and C columns (of a
    convolution: a row for each place of a patch, a column for each filter) with gradient g (clipped, if requested):

        m = momentum m + g
        u = g + momentum m                                           Nesterov's momentum
        w = w - learning_rate weight_decay w                         decoupled
        w = w - learning_rate 0.2 sqrt(max(R, C)) orthogonal(u)      with U S V^T = u: about U V^T, see `orthogonal`

    The factor 0.2 sqrt(max(R, C)) makes the step about as long as Adam's, so that Adam's learning rates fit. All other
    parameters take the step of Adam with `beta1` and `beta2`, without weight decay.

    Arguments: momentum, beta1, beta2 in [0, 1), weight_decay at least 0, clip and clip_norm above 0 or None.
    Raises: `InputError` for a value outside these ranges.
    Sources: Jordan et al. 2024, "Muon: an optimizer for hidden layers in neural networks"; Liu et al. 2025, "Muon is
    scalable for LLM training", arXiv 2502.16982, for the factor.

    Example:
        >>> import numpy as np
        >>> from plainnet import Dense, Network
        >>> from plainnet.optimizers import Muon
        >>> network, muon = Network(Dense(2, initializer="zeros")).build(2), Muon()
        >>> muon.attach(network.parameters)
        >>> network.parameters[0].grad[:] = [[5.0, 0.0], [0.0, 0.1]]
        >>> muon.step(0.01)
        >>> print(network.parameters[0].value.round(4))  # both directions move about as far
        [[-0.002   0.    ]
         [ 0.     -0.0019]]
    """

    decays_itself = True

    def __init__(
        self,
        *,
        momentum: float = 0.95,
        beta1: float = 0.9,
        beta2: float = 0.999,
        weight_decay: float = 0.0,
        clip: float | None = None,
        clip_norm: float | None = None,
    ) -> None:
        super().__init__(weight_decay=weight_decay, clip=clip, clip_norm=clip_norm)
        check_shares(momentum=momentum, beta1=beta1, beta2=beta2)
        self.momentum, self.beta1, self.beta2 = momentum, beta1, beta2

    def allocate(self, parameters: Parameters) -> None:
        """Allocate the sums of the gradients, and of their squares."""
        self.gradients, self.squares = np.full_like(parameters.theta, 0.0), np.full_like(parameters.theta, 0.0)

    def update(self, theta: np.ndarray, grad: np.ndarray, learning_rate: float) -> None:
        assert self.parameters is not None
        for parameter in self.parameters:
            place = parameter.place
            w, g, m, s = theta[place], grad[place], self.gradients[place], self.squares[place]
            if len(parameter.shape) > 1:
                m *= self.momentum
                m += g
                g += self.momentum * m
                matrix = g.reshape(-1, parameter.shape[-1])
                w *= 1 - learning_rate * self.weight_decay
                w -= learning_rate * 0.2 * math.sqrt(max(matrix.shape)) * orthogonal(matrix).reshape(-1)
            else:
                m *= self.beta1
                m += (1 - self.beta1) * g
                s *= self.beta2
                s += (1 - self.beta2) * g * g
                root = np.sqrt(s / (1 - self.beta2**self.steps))
                w -= learning_rate / (1 - self.beta1**self.steps) * m / (root + 1e-8)


def orthogonal(matrix: np.ndarray, steps: int = 5) -> np.ndarray:
    """Return about U V^T for a matrix U S V^T: its singular values become 0.7 to 1.2, except those near 0.

    Each step applies the odd polynomial 3.4445 s - 4.7750 s^3 + 2.0315 s^5 to all singular values, by matrix products.

    Shapes: matrix and result (R, C).

    Example:
        >>> import numpy as np
        >>> from plainnet.optimizers.muon import orthogonal
        >>> orthogonal(np.diag([5.0, 0.1])).diagonal().round(1).tolist()
        [0.7, 0.7]
    """
    wide = matrix.shape[0] <= matrix.shape[1]
    x = matrix if wide else matrix.T
    x = x / (np.linalg.norm(x) + 1e-7)  # so that no singular value is above 1
    for _ in range(steps):
        square = x @ x.T
        x = _A * x + (_B * square + _C * square @ square) @ x
    return x if wide else x.T
