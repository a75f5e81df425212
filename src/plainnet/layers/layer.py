"""The contract of every layer.

A layer is a differentiable function y = f(x; parameters). `forward` computes y. `backward` receives dy, the gradient of
the loss with respect to y, and computes the gradients of the parameters and dx by the chain rule.

1.  `build(in_shape) -> out_shape` (without N) declares the parameters; the network stores them in `theta` and `grad`.
2.  `forward` never writes to x, and remembers what `backward` needs. The next pass overwrites its result.
3.  `backward` recalls what the last `forward` of the same pass remembered, so calling it twice is an error. It
    overwrites the gradients (it does not accumulate, so nobody has to zero them). It may skip dx unless `need_dx`.
4.  Every call takes any number of examples from 1, in float32, float64 or complex128. With complex numbers,
    comparisons use the real part, so that the complex step can differentiate every layer.
5.  A layer keeps its arguments under their own names (`self.rate = rate`), its parameters, and learned state in
    `self.state`. It stores nothing from a pass, because several threads may compute with it (see `context`).
6.  A layer belongs to one network. A layer made of other layers adopts them: `self.inner = self.adopt(Dense(3))`.
"""

from __future__ import annotations

import inspect
import weakref
from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeVar

import numpy as np

from plainnet.config import as_call
from plainnet.context import Context, current
from plainnet.errors import InputError
from plainnet.initializers import Initializer, name_of
from plainnet.parameters import Parameter, Shape

__all__ = ["Layer", "Parameter", "Shape", "adopt_all", "attributes", "kept_since"]

Child = TypeVar("Child", bound="Layer")


class Layer:
    """Base class of all layers; a new layer defines `forward`, `backward` and, if it has parameters, `build`.

    Example:
        >>> from plainnet import Layer
        >>> class Double(Layer):  # to train with it, also define `backward`, which returns 2 * dy
        ...     def forward(self, x, *, training=False):
        ...         return 2 * x
        >>> Double().forward(3.0)
        6.0
    """

    def __init__(self) -> None:
        self.parameters: list[Parameter] = []
        self.state: dict[str, np.ndarray] = {}  # arrays that training changes, but not by gradients
        self.children: dict[str, Layer] = {}  # the layers inside this one, by name
        self._owner: Callable[[], object] = lambda: None
        self._adopted_by_build: set[str] = set()

    def build(self, in_shape: Shape) -> Shape:
        """Declare the parameters for examples of `in_shape` and return the shape of their outputs."""
        return in_shape

    def forward(self, x: np.ndarray, *, training: bool = False) -> np.ndarray:
        """Return y = f(x); the next pass overwrites it."""
        raise NotImplementedError

    def backward(self, dy: np.ndarray, *, need_dx: bool = True) -> np.ndarray | None:
        """Write the parameters' gradients and return dx, which the next pass overwrites; None if not `need_dx`."""
        raise NotImplementedError

    def constrain(self) -> None:
        """Enforce the layer's constraints on its parameters; called after each update."""

    def config(self) -> dict[str, Any]:
        """Return the layer's type and arguments as plain values; `layer_from_config` makes the layer from them.

        Raises: `InputError` if the layer does not keep an argument under its own name.
        """
        arguments = self.arguments()
        for name in arguments:
            if not hasattr(self, name):
                known = f"write self.{name} = {name} in __init__, or define config()"
                raise InputError(f"{type(self).__name__} takes {name} but does not keep it; {known}")
        return {"type": type(self).__name__} | {
            name: _plain(getattr(self, name), f"{type(self).__name__}.{name}")
            for name in arguments
            if getattr(self, name) is not None or arguments[name].default is not None
        }

    def __repr__(self) -> str:
        return as_call(self, self.arguments())

    @classmethod
    def arguments(cls) -> dict[str, inspect.Parameter]:
        """Return the parameters of the layer's `__init__`, by name."""
        return dict(list(inspect.signature(cls.__init__).parameters.items())[1:])

    @property
    def computed_by(self) -> str:
        """The method by which the layer computes, once it is built; "" if there is only one."""
        return ""

    # What a layer takes from the current pass.

    @property
    def context(self) -> Context:
        """The active context."""
        return current()

    @property
    def rng(self) -> np.random.Generator:
        """The generator for the layer's random numbers; in a gradient check, always with the same numbers."""
        return current().rng or np.random.default_rng(0)

    def check_state(self, state: Mapping[str, np.ndarray]) -> None:
        """Raise `InputError` if these arrays, read from a file, are invalid as the layer's `state`."""

    def buffer(self, name: str, shape: Shape, dtype: np.dtype | type) -> np.ndarray:
        """Return scratch memory of this shape, with arbitrary content."""
        return current().buffer(self, name, shape, dtype)

    def remember(self, *values: Any) -> None:
        """Keep what `backward` will need."""
        current().remember(self, values)

    def recall(self) -> tuple[Any, ...]:
        """Return what was remembered, and forget it."""
        return current().recall(self)

    def sum_over_workers(self, sums: np.ndarray) -> np.ndarray:
        """Sum over all workers that share a batch; needed if an example's output depends on the rest of the batch."""
        return current().sum_over_workers(sums)

    # How a layer declares its parameters and children, and how its owner builds it.

    def declare(
        self, name: str, shape: Shape, initializer: Initializer, *, fan_in: int = 1, decay: bool = False
    ) -> Parameter:
        """Add a parameter; `build` calls this.

        Raises: `InputError` if the name is taken, the initializer is not a function, or a size is not positive.
        """
        kind = type(self).__name__
        if any(name == parameter.name for parameter in self.parameters):
            raise InputError(f"{kind} declares the parameter {name} twice; give each its own name")
        if not callable(initializer):
            raise InputError(
                f"{kind} declares {name} with the initializer {initializer!r}; give a function such as he_normal or "
                "zeros from plainnet.initializers"
            )
        sizes = tuple(shape) if np.iterable(shape) else (shape,)
        if not all(isinstance(size, int | np.integer) and size > 0 for size in sizes) or not fan_in >= 1:
            raise InputError(f"{kind} declares {name} with shape {shape!r} and fan_in {fan_in!r}; give positive sizes")
        parameter = Parameter(name, sizes, initializer, fan_in, decay=bool(decay))
        self.parameters.append(parameter)
        return parameter

    def adopt(self, child: Child, name: str | None = None) -> Child:
        """Make `child` a part of this layer and return it; its default name is its kind and number, such as "dense_1".

        Raises: `InputError` if it is not a layer or belongs to another network or layer already, or the name is taken.
        """
        if name is not None and (name in self.children or "." in name or not name):
            raise InputError(f"{type(self).__name__} cannot name a layer {name!r}; choose a new name without dots")
        adopt_all(self, [child], None if name is None else [name])
        return child

    def set_up(self, in_shape: Shape) -> Shape:
        """Build the layer from scratch and return the shape of its outputs; owners call this, not `build`.

        Raises: what `build` raises; `InputError` for a layer that breaks the contract.
        """
        for name in self._adopted_by_build:
            del self.children[name]
        for _, layer in self.walk():
            layer.parameters.clear()
            layer.state.clear()
        _check_signatures(type(self))
        before = set(self.children)
        shape = self.build(in_shape)
        self._adopted_by_build = set(self.children) - before
        _check_children(self)
        if not all(isinstance(array, np.ndarray) for array in self.state.values()):
            raise InputError(f"{type(self).__name__}.state must hold only arrays; keep other values as attributes")
        if twice := {parameter.name for parameter in self.parameters} & set(self.state):
            raise InputError(
                f"{type(self).__name__} has a parameter and a state named {min(twice)}; rename one of them"
            )
        if not isinstance(shape, tuple) or not all(isinstance(size, int | np.integer) for size in shape):
            raise InputError(
                f"{type(self).__name__}.build must return the shape of an output as a tuple, received {shape!r}; "
                "end it with a return, such as return in_shape"
            )
        return shape

    def walk(self, path: str = "") -> Iterator[tuple[str, Layer]]:
        """Yield this layer and all layers inside it, each with its path, such as "residual_1.dense_2"."""
        yield path, self
        for name, child in self.children.items():
            yield from child.walk(f"{path}.{name}".lstrip("."))

    def learns(self) -> bool:
        """Return whether this layer, or a layer inside it, has parameters."""
        return any(layer.parameters for _, layer in self.walk())

    def __getstate__(self) -> dict[str, object]:
        return vars(self) | {"_owner": None}  # a copy has no owner until it is adopted

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(state)
        self._owner = lambda: None
        for child in self.children.values():
            child._owner = weakref.ref(self)


def adopt_all(owner: Layer, layers: list[Any], names: list[str] | None = None) -> None:
    """Make layers the children of `owner`, all or none: "dense_1" is the first Dense, "dense_2" the second.

    Raises: `InputError` if one is not a layer, or belongs to another network or layer already.
    """
    for place, layer in enumerate(layers):
        kind = type(layer).__name__
        if not isinstance(layer, Layer):
            made = f"; make it one: {layer.__name__}(...)" if isinstance(layer, type) else ""
            raise InputError(f"a network is made of layers such as Dense(10), received {layer!r}{made}")
        if not hasattr(layer, "_owner"):
            raise InputError(f"{kind}.__init__ must begin with super().__init__(), which prepares its attributes")
        if any(layer is other for other in layers[:place]):
            raise InputError(f"the same {kind} object is in the network twice; make a new one for each place")
        if layer._owner() is not None:
            raise InputError(
                f"this {kind} belongs to another network already, and the two would share its weights; make a new "
                "one, or give a copy: copy.deepcopy(layer)"
            )
    for place, layer in enumerate(layers):
        kind = type(layer).__name__.lower()
        count = 1 + sum(type(other).__name__.lower() == kind for other in owner.children.values())
        owner.children[names[place] if names else f"{kind}_{count}"] = layer
        layer._owner = weakref.ref(owner)


Kept = list[tuple["Layer", dict[str, list[Any]]]]


def attributes(layer: Layer) -> Kept:
    """Return the attributes of each layer in a tree, for a later comparison by `kept_since`."""
    return [(part, {name: _parts(value) for name, value in vars(part).items()}) for _, part in layer.walk()]


def _parts(value: Any) -> list[Any]:
    """Return a value and, if it is a list or a dict, its items."""
    return [value, *(value.values() if isinstance(value, dict) else value if isinstance(value, list) else ())]


def kept_since(before: Kept) -> str | None:
    """Return a sentence, with a remedy, about what a pass has stored on a layer, or None if it stored nothing."""
    for layer, kept in before:
        for name, value in vars(layer).items():
            old, new = kept.get(name, []), _parts(value)
            if len(old) != len(new) or any(a is not b for a, b in zip(old, new, strict=True)):
                return (
                    f"{type(layer).__name__} keeps self.{name} from a pass, and another pass would overwrite it; "
                    "keep it with self.remember(...) in forward and get it with self.recall() in backward"
                )
    return None


def _plain(value: Any, name: str) -> Any:
    """Return a layer's argument as a JSON-compatible value; raise `InputError` if that is impossible."""
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, Layer):
        return value.config()
    if callable(value) and name.endswith("initializer"):
        return name_of(value)
    if isinstance(value, list | tuple):
        return [_plain(part, name) for part in value]
    if value is None or isinstance(value, bool | int | float | str):
        return value
    raise InputError(f"{name} is {value!r}, which no file can hold; use a number or a string, or define config()")


def _check_signatures(kind: type[Layer]) -> None:
    """Raise `InputError` if a layer's methods lack the keywords that networks use."""
    for method, keyword, call in (
        ("forward", "training", "forward(self, x, *, training=False)"),
        ("backward", "need_dx", "backward(self, dy, *, need_dx=True)"),
    ):
        parameters = inspect.signature(getattr(kind, method)).parameters.values()
        if not any(p.name == keyword or p.kind is p.VAR_KEYWORD for p in parameters):
            raise InputError(f"{kind.__name__}.{method} must take {keyword}: define it as {call}")


def _check_children(layer: Layer) -> None:
    """Raise `InputError` if a layer keeps another layer that it has not adopted."""
    for name, value in vars(layer).items():
        for part in value if isinstance(value, list | tuple) else [value]:
            if isinstance(part, Layer) and not any(part is child for child in layer.children.values()):
                kind = type(layer).__name__
                raise InputError(
                    f"{kind} keeps a {type(part).__name__} in self.{name} without adopting it; write "
                    f"self.{name} = self.adopt({type(part).__name__}(...)) in {kind}.__init__"
                )
