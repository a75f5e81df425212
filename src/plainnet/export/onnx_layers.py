"""Export layers to ONNX: one rule per layer adds its nodes to the graph."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from plainnet.export import rule_for
from plainnet.export.onnx_graph import Graph, Value
from plainnet.export.onnx_moments import deskew, normalize_size
from plainnet.layers import Layer

OnnxRule = Callable[[Graph, Any, Value, str], Value]


def add_layers(graph: Graph, children: Mapping[str, Layer], value: Value, path: str = "") -> Value:
    """Add layers in sequence, each by its rule, and return their output.

    Raises: `InputError` for a layer without a rule.
    """
    for name, layer in children.items():
        value = rule_for(layer, RULES, "ONNX")(graph, layer, value, f"{path}{name}")
    return value


def _dense(graph: Graph, layer: Any, value: Value, path: str) -> Value:
    W, b = graph.weight(layer.W.value, f"{path}.W", 1), graph.constant(np.float32(layer.b.value), f"{path}.b")
    return Value(graph.node("Gemm", [value.name, W, b], path), (layer.units,))


def _conv2d(graph: Graph, layer: Any, value: Value, path: str) -> Value:
    value = graph.channels_first(value)
    above, left = layer._zeros_around(layer.image[0]), layer._zeros_around(layer.image[1])
    W = graph.weight(layer.W.value.transpose(3, 2, 0, 1), f"{path}.W", 0)  # (K, K, C, F) as (F, C, K, K)
    b = graph.constant(np.float32(layer.b.value), f"{path}.b")
    pads = [above[0], left[0], above[1], left[1]]
    name = graph.node("Conv", [value.name, W, b], path, strides=[layer.stride] * 2, pads=pads)
    return Value(name, layer.out_shape, True)


def _batch_norm(graph: Graph, layer: Any, value: Value, path: str) -> Value:
    value = graph.channels_first(value) if len(value.shape) > 1 else value
    arrays = {"gamma": layer.gamma.value, "beta": layer.beta.value, **layer.state}
    names = [
        graph.constant(np.float32(arrays[name]), f"{path}.{name}")
        for name in ("gamma", "beta", "running_mean", "running_variance")
    ]
    return graph.elementwise("BatchNormalization", value, path, tuple(names), epsilon=layer.epsilon)


def _layer_norm(graph: Graph, layer: Any, value: Value, path: str) -> Value:
    value = graph.channels_last(value)
    names = tuple(
        graph.constant(np.float32(p.value), f"{path}.{n}") for n, p in (("gamma", layer.gamma), ("beta", layer.beta))
    )
    return graph.elementwise("LayerNormalization", value, path, names, axis=-1, epsilon=layer.epsilon)


def _standardize(graph: Graph, layer: Any, value: Value, path: str) -> Value:
    mean, deviation = (graph.by_channel(layer.state[n], value, f"{path}.{n}") for n in ("mean", "deviation"))
    if layer.inverse:
        scaled = graph.elementwise("Mul", value, f"{path}.scaled", (deviation,))
        return graph.elementwise("Add", scaled, path, (mean,))
    centered = graph.elementwise("Sub", value, f"{path}.centered", (mean,))
    return graph.elementwise("Div", centered, path, (deviation,))


def _silu(graph: Graph, layer: Any, value: Value, path: str) -> Value:
    return graph.elementwise("Mul", value, path, (graph.node("Sigmoid", [value.name], f"{path}.sigmoid"),))


def _pool(kind: str) -> OnnxRule:
    def rule(graph: Graph, layer: Any, value: Value, path: str) -> Value:
        value = graph.channels_first(value)
        size = [layer.size] * 2
        rows, columns, channels = value.shape
        name = graph.node(kind, [value.name], path, kernel_shape=size, strides=size)
        return Value(name, (rows // layer.size, columns // layer.size, channels), True)

    return rule


def _global_average_pool(graph: Graph, layer: Any, value: Value, path: str) -> Value:
    axes = graph.constant(np.array([2, 3] if value.channels_first else [1, 2], np.int64), "axes")
    return Value(graph.node("ReduceMean", [value.name, axes], path, keepdims=0), value.shape[2:])


def _flatten(graph: Graph, layer: Any, value: Value, path: str) -> Value:
    value = graph.channels_last(value)
    shape = (math.prod(value.shape),)
    return Value(graph.node("Flatten", [value.name], path, axis=1), shape)


def _as_it_is(graph: Graph, layer: Any, value: Value, path: str) -> Value:
    return value


def _sequential(graph: Graph, layer: Any, value: Value, path: str) -> Value:
    return add_layers(graph, layer.children, value, f"{path}.")


def _residual(graph: Graph, layer: Any, value: Value, path: str) -> Value:
    change = add_layers(graph, layer.children, value, f"{path}.")
    if change.channels_first and not value.channels_first:
        value = graph.channels_first(value)
    elif value.channels_first and not change.channels_first:
        change = graph.channels_first(change)
    return graph.elementwise("Add", value, path, (change.name,))


def _ensemble(graph: Graph, layer: Any, value: Value, path: str) -> Value:
    members = [add_layers(graph, {k: member}, value, f"{path}.") for k, member in layer.children.items()]
    logs = [graph.node("LogSoftmax", [member.name], f"{path}.log_p", axis=1) for member in members]
    return Value(graph.node("Mean", logs, path), members[0].shape)


def _plain(kind: str, **attributes: Any) -> OnnxRule:
    def rule(graph: Graph, layer: Any, value: Value, path: str) -> Value:
        own = {name: getattr(layer, argument) for name, argument in attributes.items() if argument in vars(layer)}
        fixed = {name: given for name, given in attributes.items() if name not in own}
        return graph.elementwise(kind, value, path, **own, **fixed)

    return rule


RULES: dict[str, OnnxRule] = {
    "AveragePool": _pool("AveragePool"),
    "BatchNorm": _batch_norm,
    "Conv2D": _conv2d,
    "Dense": _dense,
    "Deskew": deskew,
    "Dropout": _as_it_is,
    "Ensemble": _ensemble,
    "Flatten": _flatten,
    "GELU": _plain("Gelu", approximate="tanh"),
    "GaussianNoise": _as_it_is,
    "GlobalAveragePool": _global_average_pool,
    "LayerNorm": _layer_norm,
    "LeakyReLU": _plain("LeakyRelu", alpha="slope"),
    "MaxPool": _pool("MaxPool"),
    "NormalizeSize": normalize_size,
    "ReLU": _plain("Relu"),
    "Residual": _residual,
    "Sequential": _sequential,
    "SiLU": _silu,
    "Sigmoid": _plain("Sigmoid"),
    "Standardize": _standardize,
    "Tanh": _plain("Tanh"),
}
