"""Numerical derivatives: the complex step and central differences.

Both move a parameter a little and measure the loss. Central differences subtract two nearly equal numbers, so their
error is never below about 1e-10, and they are wrong if a kink of ReLU lies between their two points. The complex
step moves the parameter along the imaginary axis: L(w + ih) = L(w) + ih L'(w) + O(h^2). Nothing is subtracted, no
kink is crossed, and with h = 1e-30 the error of the method is far below that of rounding.

Source: Squire, Trapp 1998, "Using complex variables to estimate derivatives of real functions".
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from plainnet.context import Context
from plainnet.layers import Layer, Parameter
from plainnet.network import Network

STEP = 1e-30
EPSILON = 2e-5  # balances the error of central differences, about epsilon^2, with rounding, 1e-16 / epsilon
_ROWS = 1 << 18  # complex numbers in a batch of perturbed outputs: 4 MB, about what a processor's cache holds


class Objective:
    """The training loss on one batch as a function of the parameters, in float64 and in complex128.

    Layers draw the same random numbers each time.

    Shapes: images (N, ...), labels (N,), theta and the gradient (P,).
    """

    def __init__(
        self, network: Network, loss: Callable[..., tuple[float, np.ndarray]], images: np.ndarray, labels: np.ndarray
    ) -> None:
        network.expect_built()
        self.loss = loss
        self.labels = np.asarray(labels)
        self.real = network.astype(np.float64)
        self.complex = network.astype(np.complex128)
        self.images = self.real.as_input(images).copy()
        self.context = Context()
        self.passes_from = 0  # complex numbers pass from this layer on; `complex` does not run below it

    def logits(self, network: Network) -> np.ndarray:
        """Return the outputs of one of the two networks for the batch, borrowed."""
        with self.context:
            if network is self.real:
                return _through(self.real.layers, self.images)
            x = _through(self.real.layers[: self.passes_from], self.images)
            return _through(self.complex.layers[self.passes_from :], x.astype(complex))

    def backpropagation(self, first: float = 0.0) -> np.ndarray:
        """Return the gradient as the network computes it: this is what the check verifies.

        `first` fills the gradient array before the pass; it must not matter.
        """
        self.real.grad[:] = first
        with self.context:
            logits = self.real.forward(self.images, training=True)
            self.real.backward(self.loss(logits, self.labels)[1])
        return self.real.grad.copy()

    def of_inputs(self) -> np.ndarray:
        """Return the gradient of the inputs as the network computes it, (N, *in_shape)."""
        with self.context:
            logits = self.real.forward(self.images, training=True)
            dx = self.real.backward(self.loss(logits, self.labels)[1], need_dx=True)
            assert dx is not None
            return dx.copy()

    def along_inputs(self, direction: np.ndarray) -> float:
        """Return the derivative of the loss along a direction of the inputs, by the complex step."""
        with self.context:
            logits = _through(self.complex.layers, self.images + 1j * STEP * direction)
            return self.loss(logits, self.labels)[0].imag / STEP

    def rounding(self, gradient: np.ndarray) -> np.ndarray:
        """Return how much the gradient (P,) changes when every weight changes by one unit in the last place."""
        theta = self.real.theta
        kept = theta.copy()
        theta *= 1 + np.finfo(float).eps * np.random.default_rng(0).choice([-1.0, 1.0], theta.size)
        moved: np.ndarray = np.abs(self.backpropagation() - gradient)
        theta[:] = kept
        return moved

    def value(self) -> float:
        """Return the loss for the current parameters of `real`."""
        return self.loss(self.logits(self.real), self.labels)[0]

    def along(self, direction: np.ndarray, step: float = STEP) -> float:
        """Return the derivative of the loss along `direction` (P,), by the complex step."""
        theta = self.complex.theta
        theta.imag = step * direction
        loss = self.loss(self.logits(self.complex), self.labels)[0]
        theta.imag = 0
        return loss.imag / step

    def moved(self, place: int, distance: float) -> float:
        """Return the loss with one parameter of theta moved by `distance`."""
        theta = self.real.theta
        kept = theta[place]
        theta[place] = kept + distance
        loss = self.value()
        theta[place] = kept
        return loss

    def central_differences(self, places: np.ndarray, epsilon: float) -> np.ndarray:
        """Return (L(w + eps) - L(w - eps)) / (2 eps) for the parameters at `places` of theta."""
        return np.array([(self.moved(p, epsilon) - self.moved(p, -epsilon)) / (2 * epsilon) for p in places])

    def complex_steps(self, places: np.ndarray, step: float = STEP) -> np.ndarray:
        """Return Im L(w + ih) / h for the parameters at `places` of theta, with one pass of the network for each."""
        directions = np.zeros_like(self.real.theta)
        result = []
        for place in places:
            directions[place] = 1.0
            result.append(self.along(directions, step))
            directions[place] = 0.0
        return np.array(result)

    def every_derivative(self, parameter: Parameter) -> np.ndarray:
        """Return dL/dw for each element w of a parameter, in its shape, by the complex step.

        Each element is moved separately. The layer computes its changed output, and the rest of the network takes many
        such outputs as one batch. If elements with different last indices affect different channels of the output, one
        pass of the layer serves a whole row of elements. This is true for dense and convolutional weights; a test
        decides whether it holds for a layer.
        """
        with self.context:
            return self._every_derivative(parameter)

    def _every_derivative(self, parameter: Parameter) -> np.ndarray:
        layers = self.complex.layers
        position = position_of(self.real, parameter)
        values = next(p.value for p in self.complex.parameters if p.name == parameter.name)
        layer, rest = layers[position], layers[position + 1 :]
        x = _through(self.real.layers[:position], self.images).astype(complex)

        output = layer.forward(x, training=True).copy()
        slope = self._slope_of_the_loss()
        apart = _channels_are_apart(layer, values, x)
        count = max(1, _ROWS // output.size) if _rows_are_apart(rest, output) else 1
        copies = np.repeat(output[None], count, axis=0)  # each copy gets a different change

        def derivatives_of(moved: np.ndarray) -> np.ndarray:
            batch = moved.reshape(-1, *output.shape[1:])
            logits = _through(rest, batch)
            return np.tensordot(logits.imag.reshape(-1, *slope.shape), slope, axes=2) / STEP

        result = np.empty(parameter.shape)
        for lead in np.ndindex(parameter.shape[:-1] if apart else parameter.shape):
            values[lead] += 1j * STEP
            move = layer.forward(x, training=True).imag.copy()
            values[lead] = values[lead].real
            if not apart:
                copies[0].imag = move
                result[lead] = derivatives_of(copies[:1])[0]
                continue
            for start in range(0, parameter.shape[-1], count):
                channels = np.arange(start, min(start + count, parameter.shape[-1]))
                own = (np.arange(len(channels)), ..., channels)
                copies.imag[own] = np.moveaxis(move[..., channels], -1, 0)
                result[lead][channels] = derivatives_of(copies[: len(channels)])
                copies.imag[own] = 0
        return result

    def _slope_of_the_loss(self) -> np.ndarray:
        """Return dL/dlogits (N, K) by the complex step, without using the gradient that the loss itself returns."""
        logits = self.logits(self.real).astype(complex)
        slope = np.empty(logits.shape)
        for place in np.ndindex(logits.shape):
            logits[place] += 1j * STEP
            slope[place] = self.loss(logits, self.labels)[0].imag / STEP
            logits[place] = logits[place].real
        return slope


def _channels_are_apart(layer: Layer, values: np.ndarray, x: np.ndarray) -> bool:
    """Return whether elements of a parameter with last index m change channel m of the output and no other."""
    if values.ndim == 0 or layer.forward(x, training=True).shape[-1] != values.shape[-1]:
        return False
    random = np.random.default_rng(0)
    for m in range(values.shape[-1]):
        values[..., m] += 1j * STEP * random.standard_normal(values.shape[:-1])
        move = layer.forward(x, training=True).imag
        values[..., m] = values[..., m].real
        if move[..., :m].any() or move[..., m + 1 :].any():
            return False
    return True


def _rows_are_apart(layers: Sequence[Layer], x: np.ndarray) -> bool:
    """Return whether the outputs for x stay the same when other examples are in the batch."""
    other = 0.5 * x + 0.1
    together = _through(layers, np.concatenate([x, other])).copy()
    alone = np.concatenate([_through(layers, part).copy() for part in (x, other)])
    return np.allclose(together, alone, rtol=1e-9, atol=1e-12)


def _through(layers: Sequence[Layer], x: np.ndarray) -> np.ndarray:
    """Return the output of the layers for x in training mode, borrowed."""
    for layer in layers:
        x = layer.forward(x, training=True)
    return x


def position_of(network: Network, parameter: Parameter) -> int:
    """Return the index of the layer that holds a parameter, directly or in a layer within it."""
    inside = [[p for _, part in layer.walk() for p in part.parameters] for layer in network.layers]
    return next(place for place, found in enumerate(inside) if any(p is parameter for p in found))
