"""A network: layers in sequence, whose parameters and gradients live in two flat vectors.

Because `theta` holds every parameter and `grad` every gradient, an update, a check or a file deals with one
vector instead of a list of arrays. Each layer sees its own part of them, in shape, as views.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Mapping, Sequence

import numpy as np

from plainnet.config import whole_number
from plainnet.errors import InputError
from plainnet.layers import Layer
from plainnet.layers.layer import Shape, named
from plainnet.randomness import stream
from plainnet.softmax import softmax

_BATCH = 250  # examples at a time when predicting: more need memory and are no faster


class Network:
    """Layers in sequence; the last one gives the logits of a classifier.

    `Network(Dense(1024), ReLU(), Dense(10)).build((784,), rng=0)` is ready to be trained.

    Attributes after `build`: `theta` and `grad` (P,), the values and gradients of all P parameters, those under
    weight decay first, `decayed` in number; `parameters`, each with `name`, `value`, `grad`; `vectors` (4, P), of
    which theta and grad are rows 1 and 2, and the others memory for the optimizer.
    """

    def __init__(self, *layers: Layer) -> None:
        if not layers:
            raise InputError("a network needs at least one layer; begin with Network(Dense(10))")
        if len(set(map(id, layers))) < len(layers):
            raise InputError("one layer object stands twice in the network; make a new one for each place")
        self.layers = layers

    def build(
        self,
        in_shape: int | Sequence[int],
        *,
        rng: int | np.random.Generator = 0,
        dtype: np.typing.DTypeLike = np.float32,
        values: Mapping[str, np.ndarray] | None = None,
    ) -> Network:
        """Allocate the parameters for examples of `in_shape`, give them their first values, return the network.

        The values are drawn from `rng`, or taken from `values`, an array for each parameter's name.

        Raises: `InputError` if a layer cannot take what the one before it gives, or `values` do not fit.
        """
        sizes = tuple(in_shape) if np.iterable(in_shape) else (in_shape,)
        self.in_shape = tuple(whole_number(size, "each size of in_shape") for size in sizes)
        self.out_shapes: list[Shape] = []
        shape = self.in_shape
        for layer in self.layers:
            layer.parameters.clear()
            shape = layer.build(shape)
            self.out_shapes.append(shape)
        self.parameters = [parameter for layer in self.layers for parameter in layer.parameters]
        for name, layer in named(self.layers):
            for parameter in layer.parameters:
                parameter.name = f"{name}.{parameter.name}"
        if values is not None:  # see whether they fit before making room for as many as the layers claim
            needed = {p.name: p.shape for p in self.parameters} | {name: a.shape for name, a in self._state().items()}
            received = {name: value.shape for name, value in values.items()}
            if received != needed:
                raise InputError(f"expected values for {needed}, received {received}")
        self._allocate(np.zeros(sum(math.prod(parameter.shape) for parameter in self.parameters), dtype))
        if values is None:
            generator = stream(rng, "initialize")
            for p in self.parameters:
                p.value[...] = p.initializer(generator, p.shape, p.fan_in)
        else:
            self.restore(values)
        return self

    def expect_built(self) -> None:
        """Raise `InputError` if `build` has not been called."""
        if not hasattr(self, "theta"):
            raise InputError("the network has no weights yet; build it first, such as network.build((784,), rng=0)")

    def tensors(self) -> dict[str, np.ndarray]:
        """Return all that training has made of the network, by name: the parameters, and the layers' other state."""
        return {parameter.name: parameter.value for parameter in self.parameters} | self._state()

    def restore(self, values: Mapping[str, np.ndarray]) -> None:
        """Make these arrays, named as `tensors` names them, the parameters and the layers' other state."""
        for name, tensor in self.tensors().items():
            tensor[...] = values[name]

    def is_finite(self) -> bool:
        """Tell whether all tensors hold finite numbers only; NaN and infinity reach the smallest or the largest."""
        return all(np.isfinite((tensor.min(), tensor.max())).all() for tensor in self.tensors().values())

    def _state(self) -> dict[str, np.ndarray]:
        return {f"{name}.{key}": array for name, layer in named(self.layers) for key, array in layer.state.items()}

    def _allocate(self, theta: np.ndarray) -> None:
        self.vectors = np.zeros((4, theta.size), theta.dtype)
        self.vectors[1] = theta
        self._bind(self.vectors[1], self.vectors[2])

    def _bind(self, theta: np.ndarray, grad: np.ndarray) -> None:
        """Make every parameter a view into the vectors of values and gradients."""
        self.theta, self.grad = theta, grad
        position = 0
        for decay in (True, False):
            for parameter in self.parameters:
                if parameter.decay is decay:
                    parameter.place = slice(position, position + math.prod(parameter.shape))
                    parameter.value = self.theta[parameter.place].reshape(parameter.shape)
                    parameter.grad = self.grad[parameter.place].reshape(parameter.shape)
                    position = parameter.place.stop
            if decay:
                self.decayed = position
        self._inputs: dict[bool, np.ndarray] = {}

    def forward(self, x: np.ndarray, *, training: bool = False) -> np.ndarray:
        """Return the logits for a batch that `as_input` prepared; they are borrowed until the next call.

        Shapes: x (N, *in_shape), result (N, K).
        """
        for layer in self.layers:
            x = layer.forward(x, training=training)
        return x

    def backward(self, dlogits: np.ndarray) -> None:
        """Write the gradient of every parameter into `grad`, from the loss's gradient dlogits (N, K).

        Needs one `forward(x, training=True)` before each call. Below the lowest layer with parameters nobody
        asks for a gradient, so none is computed.
        """
        lowest = next((i for i, layer in enumerate(self.layers) if layer.parameters), len(self.layers))
        dy: np.ndarray | None = dlogits
        for index in reversed(range(lowest, len(self.layers))):
            assert dy is not None
            dy = self.layers[index].backward(dy, need_dx=index > lowest)

    def constrain(self) -> None:
        """Put the parameters back to where the layers allow them, after an update."""
        for layer in self.layers:
            layer.constrain()

    def as_input(self, images: np.ndarray, *, training: bool = True) -> np.ndarray:
        """Return images as the first layer takes them: in its shape and type, bytes scaled from 0-255 to [0, 1].

        The result may be borrowed until the next call with the same `training`, so that predicting between forward
        and backward disturbs neither, or be `images` itself where nothing has to change.

        Raises: `InputError` if the images are not of the network's size, or neither bytes nor floating-point numbers.
        """
        images = np.asarray(images)
        if images.dtype.kind not in "fcb" and images.dtype != np.uint8:
            raise InputError(
                f"images must be bytes (uint8, 0 to 255) or floating-point numbers (0 to 1), received {images.dtype}; "
                "convert them with .astype(np.uint8)"
            )
        flat = images.ndim == 2 or len(self.in_shape) == 1
        if (
            images.ndim < 2
            or math.prod(images.shape[1:]) != math.prod(self.in_shape)
            or not (flat or images.shape[1:] == self.in_shape[: images.ndim - 1])
        ):
            raise InputError(self._wrong_size(images.shape))
        if images.dtype == np.uint8:
            if training not in self._inputs or len(self._inputs[training]) < len(images):
                self._inputs[training] = np.empty((len(images), *self.in_shape), self.theta.dtype)
            batch = self._inputs[training][: len(images)]
            np.multiply(images.reshape(batch.shape), 1 / 255, out=batch, dtype=batch.dtype)
            return batch
        return images.reshape(len(images), *self.in_shape).astype(self.theta.dtype, copy=False)

    def _wrong_size(self, received: Shape) -> str:
        size = math.prod(self.in_shape)
        side = math.isqrt(size)
        image = "x".join(map(str, self.in_shape)) if len(self.in_shape) > 1 else f"{side}x{side}"
        drawn = len(self.in_shape) > 1 or side * side == size
        advice = f"each image must be {image} or flattened to {size}" if drawn else f"each row must hold {size} numbers"
        return f"expected images with {size} features, received shape {received}; {advice}"

    def logits(self, images: np.ndarray) -> np.ndarray:
        """Return the outputs (N, K) for any number of images, computed batch by batch."""
        self.expect_built()
        images = np.atleast_1d(images)
        if len(images) == 0:
            return np.zeros((0, *self.out_shapes[-1]), self.theta.dtype)
        parts = [
            self.forward(self.as_input(images[start : start + _BATCH], training=False)).copy()
            for start in range(0, len(images), _BATCH)
        ]
        return np.concatenate(parts)

    def predict(self, images: np.ndarray) -> np.ndarray:
        """Return the most probable class of each image, (N,) whole numbers."""
        classes: np.ndarray = self.logits(images).argmax(axis=1)
        return classes

    def probabilities(self, images: np.ndarray) -> np.ndarray:
        """Return softmax(logits), (N, K): nothing is negative, and each row sums to 1."""
        return softmax(self.logits(images))

    def astype(self, dtype: np.typing.DTypeLike) -> Network:
        """Return a copy of the network that computes in another type: float32, float64 or complex128."""
        twin = copy.deepcopy(self)
        twin._allocate(self.theta.astype(dtype))
        return twin

    def replica(self) -> Network:
        """Return a network that shares the values of this one's parameters, and has gradients and memory of its own.

        Replicas compute at the same time, in threads. What one learns, all know; `Team` makes use of that.
        """
        twin = copy.deepcopy(self)
        twin._bind(self.theta, np.zeros_like(self.theta))
        del twin.vectors  # nothing is updated there
        return twin

    def summary(self) -> str:
        """Return a table of the layers: the shape of their outputs and the number of their parameters."""
        lines = [f"{'layer':<20}{'output':<20}{'parameters':>12}"]
        for layer, shape in zip(self.layers, self.out_shapes, strict=True):
            size = sum(math.prod(parameter.shape) for parameter in layer.parameters)
            lines.append(f"{type(layer).__name__:<20}{'x'.join(map(str, shape)):<20}{size:>12,}")
        lines.append(f"{'total':<40}{self.theta.size:>12,}")
        return "\n".join(lines)

    def __getstate__(self) -> dict[str, object]:
        return {name: part for name, part in vars(self).items() if name not in ("vectors", "grad", "_inputs")}

    def __setstate__(self, state: dict[str, object]) -> None:
        vars(self).update(state)
        if "theta" in state:
            self._allocate(self.theta)
