"""A network: layers in sequence, with all parameters in one flat vector and all gradients in another."""

from __future__ import annotations

import copy
import threading
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np

from plainnet import summary
from plainnet.config import known_dtype, whole_number
from plainnet.context import Context, current, in_force
from plainnet.data.preparation import as_pixels
from plainnet.errors import InputError
from plainnet.generators import generator_for
from plainnet.layers import Layer
from plainnet.layers.layer import Shape, attributes
from plainnet.layers.sequential import Sequential
from plainnet.parameters import Parameters
from plainnet.softmax import expect_finite, softmax, with_two_columns

_BATCH = 250  # examples at a time when predicting: more need memory and are no faster


class Network:
    """Layers in sequence; the last gives a classifier's logits (scores before softmax) or a regression's numbers.

    Any number of threads can use one network at the same time; each computes in its own context (see `context`).
    Attributes after `build`: `parameters`, each with `name`, `value`, `grad`; `theta` and `grad` (P,), the values and
    gradients of all P parameters; `generator`, random numbers for layers in your own training loop.
    Raises: `InputError` if there is no layer, or a layer belongs to another network already.

    Example:
        >>> from plainnet import Dense, Network, ReLU
        >>> Network(Dense(1024), ReLU(), Dense(10)).build(784)  # (784 + 1) 1024 + (1024 + 1) 10 parameters
        Network(Dense, ReLU, Dense; 814,090 parameters)
    """

    def __init__(self, *layers: Layer) -> None:
        if not layers:
            raise InputError("a network needs at least one layer; begin with Network(Dense(10))")
        self._layers = Sequential(*layers)
        self.parameters: Parameters
        self.in_shape: Shape
        self._rng: int | np.random.Generator = 0
        self._generator: np.random.Generator | None = None
        self._contexts = threading.local()

    @property
    def layers(self) -> tuple[Layer, ...]:
        """The layers in sequence; `walk` also yields the layers inside them."""
        return self._layers.layers

    @property
    def out_shapes(self) -> list[Shape]:
        """The shape of each layer's output for one example."""
        return self._layers.out_shapes

    @property
    def theta(self) -> np.ndarray:
        """The values of all parameters, (P,)."""
        self.expect_built()
        return self.parameters.theta

    @theta.setter
    def theta(self, new: np.ndarray) -> None:
        self._write_only_in_place(new, self.theta, "theta")  # which `network.theta -= ...` does

    @property
    def grad(self) -> np.ndarray:
        """The gradients of all parameters, (P,)."""
        self.expect_built()
        return self.parameters.grad

    @grad.setter
    def grad(self, new: np.ndarray) -> None:
        self._write_only_in_place(new, self.grad, "grad")

    @staticmethod
    def _write_only_in_place(new: np.ndarray, own: np.ndarray, name: str) -> None:
        if new is not own:
            raise InputError(f"network.{name} must be written into, not replaced; write network.{name}[:] = ...")

    @property
    def generator(self) -> np.random.Generator:
        """The generator that layers draw from in a training loop of your own."""
        if self._generator is None:
            self._generator = generator_for(self._rng, "augment")
        return self._generator

    def walk(self) -> Iterator[tuple[str, Layer]]:
        """Yield every layer with its path, such as "dense_1" or "residual_1.dense_1"."""
        yield from list(self._layers.walk())[1:]

    def build(
        self,
        in_shape: int | Sequence[int],
        *,
        rng: int | np.random.Generator = 0,
        dtype: np.typing.DTypeLike = np.float32,
        values: Mapping[str, np.ndarray] | None = None,
    ) -> Network:
        """Allocate the parameters for examples of `in_shape`, initialize them, and return the network.

        Initial values come from `rng`, or from `values` (arrays by name). `dtype` is float32, float64 or complex128.

        Raises: `InputError` if a layer cannot take the output of the one before it, or `values` do not fit; the network
        is then not built.
        """
        if hasattr(self, "parameters"):
            self.parameters.in_a_network = False  # so that an optimizer attached to them notices
            del self.parameters, self.in_shape
        self._contexts = threading.local()
        sizes = tuple(in_shape) if np.iterable(in_shape) else (in_shape,)
        shape = tuple(whole_number(size, "each size of in_shape", most=10**8) for size in sizes)
        dtype = known_dtype(dtype)
        self._layers.set_up(shape)
        found = []
        for path, layer in self.walk():
            for parameter in layer.parameters:
                parameter.name = f"{path}.{parameter.name}"
                found.append(parameter)
        if values is not None:  # check that they fit before allocating as much memory as the layers claim
            needed = {p.name: p.shape for p in found} | {name: a.shape for name, a in self._state().items()}
            received = {name: np.shape(value) for name, value in values.items()}
            if received != needed:
                raise InputError(f"expected values for {needed}, received {received}")
        parameters = Parameters(found, dtype)
        if values is None:
            generator = generator_for(rng, "initialize")
            for p in parameters:
                first = p.initializer(generator, p.shape, p.fan_in)
                if np.shape(first) != p.shape:
                    raise InputError(f"the initializer of {p.name} must return shape {p.shape}, not {np.shape(first)}")
                p.value[...] = first
        self._rng, self._generator = rng, None
        self.in_shape, self.parameters = shape, parameters
        if values is not None:
            self.restore(values)
        return self

    def methods(self) -> dict[str, str]:
        """Return, by path, the method of each layer that can compute in several ways; it affects the last bits."""
        self.expect_built()
        return {path: layer.computed_by for path, layer in self.walk() if layer.computed_by}

    def expect_built(self) -> None:
        """Raise `InputError` if `build` has not been called, or has failed."""
        if not hasattr(self, "parameters"):
            raise InputError("the network has no weights yet; build it first, such as network.build((784,), rng=0)")

    def tensors(self) -> dict[str, np.ndarray]:
        """Return everything that training changes in the network, by name: parameters, and the layers' other state."""
        return {parameter.name: parameter.value for parameter in self.parameters} | self._state()

    def restore(self, values: Mapping[str, np.ndarray]) -> None:
        """Copy these arrays, named as in `tensors`, into the parameters and the layers' other state.

        Raises: `InputError` if one is missing, has another shape, or is invalid for its layer; nothing changes then.
        """
        self.expect_fitting(values)
        for name, tensor in self.tensors().items():
            tensor[...] = values[name]

    def expect_fitting(self, values: Mapping[str, np.ndarray]) -> None:
        """Raise `InputError` if `restore` would reject these arrays."""
        for name, tensor in self.tensors().items():
            if name not in values or np.shape(values[name]) != tensor.shape:
                received = np.shape(values[name]) if name in values else "nothing"
                raise InputError(f"expected {name} of shape {tensor.shape}, received {received}")
        for path, layer in self.walk():
            layer.check_state({key: values[f"{path}.{key}"] for key in layer.state})

    def is_finite(self) -> bool:
        """Return whether all tensors hold only finite numbers; NaN and infinity show in the minimum or the maximum."""
        return all(
            np.isfinite((tensor.min(), tensor.max())).all() for tensor in self.tensors().values() if tensor.size > 0
        )

    def _state(self) -> dict[str, np.ndarray]:
        return {f"{path}.{key}": array for path, layer in self.walk() for key, array in layer.state.items()}

    def attributes(self) -> list[tuple[Layer, dict[str, Any]]]:
        """Return what each layer keeps; `layers.layer.kept_since` compares it with what is there after a pass."""
        return attributes(self._layers)

    def context(self, *, training: bool = True) -> Context:
        """Return the context in which this thread computes with the network, outside of a `Training`.

        Training, with the network's generator, and evaluation have separate ones, so that neither disturbs the other.
        """
        name = "training" if training else "evaluation"
        if not hasattr(self._contexts, name):
            context = Context(rng=self.generator) if training else Context(remembers=False)
            setattr(self._contexts, name, context)
        found: Context = getattr(self._contexts, name)
        return found

    def forward(self, x: np.ndarray, *, training: bool = False) -> np.ndarray:
        """Return the logits for a batch that `as_input` prepared; the next call overwrites them.

        Shapes: x (N, *in_shape), result (N, K).
        """
        if in_force():
            return self._layers.forward(x, training=training)
        with self.context(training=training):
            return self._layers.forward(x, training=training)

    def backward(self, dlogits: np.ndarray, *, need_dx: bool = False) -> np.ndarray | None:
        """Write the gradient of every parameter into `grad`, starting from the loss's gradient dlogits (N, K).

        Call `forward(x, training=True)` once before each call. With `need_dx` it returns the gradient with respect to
        the inputs, (N, *in_shape); without, it computes nothing below the lowest layer with parameters.
        """
        if in_force():
            return self._layers.backward(dlogits, need_dx=need_dx)
        with self.context():
            return self._layers.backward(dlogits, need_dx=need_dx)

    def constrain(self) -> None:
        """Enforce the layers' constraints, such as `max_norm`, on the parameters after an update."""
        for _, layer in self.walk():
            layer.constrain()

    def as_input(self, inputs: np.ndarray) -> np.ndarray:
        """Return inputs in the shape and type that the first layer takes, with bytes scaled from 0-255 to [0, 1].

        The result may be `inputs` itself if nothing has to change; inside a pass, the next pass overwrites it.

        Raises: `InputError` if they do not have the network's size, or are neither bytes nor floating-point numbers.
        """
        self.expect_built()
        return as_pixels(inputs, self.in_shape, self.theta.dtype, partial(current().buffer, self, "inputs"))

    def logits(self, inputs: np.ndarray) -> np.ndarray:
        """Return the outputs (N, K) for any number of inputs, computed batch by batch.

        Raises: `InputError` if the network is not built, or the inputs do not fit.
        """
        self.expect_built()
        inputs = np.ma.atleast_1d(inputs) if np.ma.isMaskedArray(inputs) else np.atleast_1d(inputs)
        if len(inputs) == 0:
            return np.zeros((0, *self.out_shapes[-1]), self.theta.dtype)
        with self.context(training=False):
            parts = [
                self.forward(self.as_input(inputs[start : start + _BATCH])).copy()
                for start in range(0, len(inputs), _BATCH)
            ]
        return np.concatenate(parts)

    def predict(self, inputs: np.ndarray) -> np.ndarray:
        """Return the most probable class of each input, (N,) whole numbers.

        Raises: as `probabilities`.
        """
        classes: np.ndarray = self.probabilities(inputs).argmax(axis=1)
        return classes

    def probabilities(self, inputs: np.ndarray) -> np.ndarray:
        """Return softmax(logits), (N, K): no entry is negative, and each row sums to 1.

        A single logit z belongs to the second of two classes: it counts as the pair (0, z), and K is 2.

        Raises: `InputError` as `logits`, or if an output is not a finite number.
        """
        self.expect_built()
        if len(self.out_shapes[-1]) != 1:
            raise InputError(f"a classifier must output one number per class; this one has {self.out_shapes[-1]}")
        return softmax(with_two_columns(expect_finite(self.logits(inputs))))

    def astype(self, dtype: np.typing.DTypeLike) -> Network:
        """Return a copy of the network that computes in another number type: float32, float64 or complex128."""
        theta = self.theta.astype(known_dtype(dtype))
        twin = copy.deepcopy(self)
        twin.parameters.bind(theta, np.zeros_like(theta))
        return twin

    def summary(self) -> str:
        """Return a table of the layers: the shape of their outputs and the number of their parameters."""
        self.expect_built()
        return summary.as_text(self)

    def __repr__(self) -> str:
        size = f"{self.theta.size:,} parameters" if hasattr(self, "parameters") else "not built"
        return f"Network({', '.join(type(layer).__name__ for layer in self.layers[:12])}; {size})"

    def _repr_html_(self) -> str:
        return summary.as_html(self)

    def __getstate__(self) -> dict[str, Any]:
        return {name: part for name, part in vars(self).items() if name != "_contexts"}

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(state)
        self._contexts = threading.local()
        if hasattr(self, "parameters"):
            self.parameters.in_a_network = True
