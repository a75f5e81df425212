"""The forms a backward pass comes in, each wrapped so that the doctor can run it: see `subject.Session`."""

from __future__ import annotations

import copy
import inspect
from collections.abc import Callable
from typing import Any

import numpy as np

from plainnet.checks.code.subject import Arrays, find_gradient, seed_everything


class ClassSession:
    """An object with `forward(x)` and `backward(dy)`, its parameters and gradients attributes or in dictionaries."""

    def __init__(self, make: Callable[[], Any], labels: np.ndarray | None) -> None:
        seed_everything()
        self.subject = make()
        self.labels = labels
        self.names: dict[str, str] = {}

    def forward(self, inputs: Arrays) -> Any:
        """Put the parameters in place and call forward."""
        self.inputs = inputs
        set_parameters(self.subject, {name: value for name, value in inputs.items() if name != "x"})
        seed_everything()
        arguments = (inputs["x"],) if self.labels is None else (inputs["x"], self.labels)
        y = call_training(self.subject.forward, *arguments)
        return y[0] if isinstance(y, tuple) else y

    def backward(self, dy: Any) -> Arrays:
        """Call backward, and look for the gradients in what it returns and where parameters usually keep them."""
        takes = [p for p in inspect.signature(self.subject.backward).parameters.values() if p.default is p.empty]
        arguments: tuple[Any, ...] = (dy,) if takes else ()
        if len(takes) == 2 and self.labels is not None:
            arguments = (self.inputs["x"], self.labels)
        returned = self.subject.backward(*arguments)
        parameters = [name for name in self.inputs if name != "x"]
        gradients: Arrays = {}
        if isinstance(returned, tuple):
            gradients = dict(zip(["x", *parameters], returned, strict=False))
        elif isinstance(returned, dict):
            gradients = dict(returned)
        elif returned is not None:
            gradients = {"x": returned}
        for name in parameters:
            found = gradient_of(self.subject, name)
            if found is not None:
                self.names[name], gradients[name] = found
        return {name: np.asarray(value) for name, value in gradients.items() if name in self.inputs}


class LayerSession:
    """A plainnet layer, whose parameters carry their gradients themselves."""

    def __init__(self, make: Callable[[], Any], in_shape: tuple[int, ...]) -> None:
        from plainnet.context import Context
        from plainnet.network import Network

        seed_everything()
        self.layer = make()
        self.network = Network(self.layer).build(in_shape, rng=0, dtype=np.float64)
        self.context = Context()

    def forward(self, inputs: Arrays) -> Any:
        """Put the parameters in place and call forward."""
        for parameter in self.network.parameters:
            parameter.value[...] = inputs[short_name(parameter.name)]
        with self.context:
            return self.layer.forward(inputs["x"], training=True).copy()

    def backward(self, dy: Any) -> Arrays:
        """Call backward and read the gradients."""
        with self.context:
            dx = self.layer.backward(dy)
        grads = {short_name(p.name): p.grad.copy() for p in self.network.parameters}
        return grads if dx is None else {"x": dx.copy()} | grads


class FunctionSession:
    """A pair `name_forward(x, w, b, ...) -> (out, cache)` and `name_backward(dout, cache) -> (dx, dw, db)`."""

    def __init__(self, forward: Callable[..., Any], backward: Callable[..., Any], extra: dict[str, Any]) -> None:
        self.functions = forward, backward
        self.extra = copy.deepcopy(extra)
        self.names: dict[str, str] = {}

    def forward(self, inputs: Arrays) -> Any:
        """Call the forward function and keep its cache."""
        self.inputs = inputs
        seed_everything()
        rest = {name: value for name, value in inputs.items() if name != "x"}
        y, self.cache = self.functions[0](inputs["x"], **rest, **self.extra)
        return y

    def backward(self, dy: Any) -> Arrays:
        """Call the backward function; its results stand in the order of the forward function's arrays."""
        returned = self.functions[1](dy, self.cache)
        values = returned if isinstance(returned, tuple | list) else (returned,)
        return {name: np.asarray(v) for name, v in zip(self.inputs, values, strict=False) if v is not None}


class LossSession:
    """A function `name_loss(x, y) -> (loss, dx)`."""

    def __init__(self, loss: Callable[..., Any], labels: np.ndarray) -> None:
        self.loss, self.labels = loss, labels

    def forward(self, inputs: Arrays) -> Any:
        """Call the function and keep its gradient."""
        value, self.dx = self.loss(inputs["x"], self.labels)
        return value

    def backward(self, dy: Any) -> Arrays:
        """Return the gradient that came with the loss."""
        return {"x": np.asarray(self.dx)}


class NetworkSession:
    """An object with `loss(x, y)` that gives a loss and the gradients of its parameters, or only keeps them."""

    def __init__(self, make: Callable[[], Any], x: np.ndarray, labels: np.ndarray) -> None:
        seed_everything()
        self.subject = make()
        self.x, self.labels = x, labels

    def forward(self, inputs: Arrays) -> Any:
        """Put the parameters in place and call loss."""
        self.inputs = inputs
        set_parameters(self.subject, inputs)
        seed_everything()
        returned = self.subject.loss(self.x, self.labels)
        value, self.returned = returned if isinstance(returned, tuple) else (returned, None)
        return value

    def backward(self, dy: Any) -> Arrays:
        """Read the gradients from what `loss` returned, after `backward()` or `gradient(x, y)` if there is one."""
        returned = self.returned
        for name in ("gradient", "gradients", "backward", "backprop"):
            method = getattr(self.subject, name, None)
            if returned is None and callable(method):
                required = [p for p in inspect.signature(method).parameters.values() if p.default is p.empty]
                returned = method(*(self.x, self.labels)[: len(required)])
        gradients: Arrays = {}
        for name in self.inputs:
            if isinstance(returned, dict):
                key = find_gradient(name, returned, own=True)
                if key is not None:
                    gradients[name] = np.asarray(returned[key])
            elif (found := gradient_of(self.subject, name)) is not None:
                gradients[name] = np.asarray(found[1])
        return gradients


def short_name(name: str) -> str:
    """Return the part of a network's parameter name that its layer gave: dense_1.W -> W."""
    return name.rpartition(".")[2]


def call_training(function: Callable[..., Any], *arguments: Any) -> Any:
    """Call a forward function, telling it that this is training if it asks."""
    names = inspect.signature(function).parameters
    flags: dict[str, Any] = {name: True for name in ("training", "train", "is_training", "train_flg") if name in names}
    if "mode" in names:
        flags["mode"] = "train"
    return function(*arguments, **flags)


def parameters_of(subject: Any) -> Arrays:
    """Return the arrays an object learns: floating-point attributes, or the entries of its `params`."""
    for name in ("params", "parameters", "weights"):
        table = getattr(subject, name, None)
        if isinstance(table, dict) and table:
            return {key: np.asarray(value, float) for key, value in table.items() if _is_parameter(key, value)}
    return {name: value.astype(float) for name, value in vars(subject).items() if _is_parameter(name, value)}


def _is_parameter(name: str, value: Any) -> bool:
    lower = name.lower().lstrip("_")
    state = lower.startswith(("d", "grad", "running", "moving", "v", "mask", "cache", "x", "out", "y", "input"))
    return isinstance(value, np.ndarray) and value.dtype.kind == "f" and value.ndim >= 1 and not state


def set_parameters(subject: Any, parameters: Arrays) -> None:
    """Put arrays where `parameters_of` found them."""
    table = next(
        (t for n in ("params", "parameters", "weights") if isinstance(t := getattr(subject, n, None), dict)), None
    )
    for name, value in parameters.items():
        if table:
            table[name] = value.copy()
        else:
            setattr(subject, name, value.copy())


def gradient_of(subject: Any, parameter: str) -> tuple[str, Any] | None:
    """Return where an object keeps the gradient of a parameter, and the gradient."""
    for name in ("grads", "gradients", "grad"):
        table = getattr(subject, name, None)
        if isinstance(table, dict) and (key := find_gradient(parameter, table, own=True)) is not None:
            return f"{name}[{key!r}]", table[key]
    key = find_gradient(parameter, vars(subject))
    if key is None or getattr(subject, key) is None:
        return None
    return key, getattr(subject, key)
