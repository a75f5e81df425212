"""Two ways to find a derivative without backpropagation: the complex step and central differences.

Both move the parameters a little and look at the loss. Central differences subtract two nearly equal
numbers, so they are never better than about 1e-10. The complex step moves the parameters along the
imaginary axis, subtracts nothing, and is exact to the last digit.
"""

from __future__ import annotations

import numpy as np

from plainnet.losses import Loss
from plainnet.network import Network

STEP = 1e-30  # of the complex step: its square vanishes beside 1, so the error of the method is zero
EPSILON = 2e-5  # of central differences: balances their error, about epsilon^2, with rounding, 1e-16 / epsilon


class Objective:
    """The loss on one batch as a function of the flat parameter vector, in float64 or complex128.

    Shapes: images (N, ...), labels (N,), theta and all gradients (P,).
    """

    def __init__(self, network: Network, loss: Loss, images: np.ndarray, labels: np.ndarray) -> None:
        self.loss = loss
        self.labels = labels
        self.real = network.astype(np.float64)
        self.complex = network.astype(np.complex128)
        self.images = self.real.as_input(images).copy()

    def value(self, network: Network) -> complex:
        """Return the loss with the parameters that `network` holds now."""
        return self.loss(network.forward(self.images.astype(network.theta.dtype)), self.labels)[0]

    def backpropagation(self) -> np.ndarray:
        """Return the gradient as the network computes it: what is to be proven."""
        logits = self.real.forward(self.images, training=True)
        self.real.backward(self.loss(logits, self.labels)[1])
        return self.real.grad.copy()

    def complex_step(self, index: int) -> float:
        """Return dL/dw for one parameter: Im L(w + ih) / h."""
        return self._imaginary(index, 1.0)

    def along(self, direction: np.ndarray) -> float:
        """Return the derivative of the loss along `direction` (P,), by the complex step."""
        return self._imaginary(slice(None), direction)

    def _imaginary(self, place: int | slice, amount: float | np.ndarray) -> float:
        theta = self.complex.theta
        theta[place] += 1j * STEP * amount
        derivative = self.value(self.complex).imag / STEP
        theta[place] = theta[place].real
        return derivative

    def central_difference(self, index: int) -> float:
        """Return (L(w + eps) - L(w - eps)) / (2 eps) for one parameter."""
        theta = self.real.theta
        kept = theta[index]
        theta[index] = kept + EPSILON
        above = self.value(self.real)
        theta[index] = kept - EPSILON
        below = self.value(self.real)
        theta[index] = kept
        return (above - below).real / (2 * EPSILON)
