"""ONNX nodes of the layers that measure where the bright pixels of an image lie."""

from __future__ import annotations

from typing import Any

import numpy as np

from plainnet.export.onnx_graph import Graph, Value


def deskew(graph: Graph, layer: Any, value: Value, path: str) -> Value:
    """Add `Deskew`: every place of the result reads the two pixels that it lies between."""
    value = graph.channels_last(value)
    height, width = value.shape[:2]

    def total(*factors: str) -> str:
        """Return the name of the sum of a product over all pixels, (N, 1, 1)."""
        product = factors[0]
        for factor in factors[1:]:
            product = graph.node("Mul", [product, factor], path)
        return graph.node("ReduceSum", [product, whole([1, 2])], path, keepdims=1)

    def number(of: Any) -> str:
        return graph.constant(np.float32(of), path)

    def whole(of: Any) -> str:
        return graph.constant(np.array(of, np.int64), path)

    r, k, several = number(np.arange(height)[:, None]), number(np.arange(width)), len(value.shape) == 3
    weight = graph.node("ReduceSum", [value.name, whole([3])], path, keepdims=0) if several else value.name
    weight = graph.node("Relu", [weight], path)
    m = graph.node("Max", [total(weight), number(1e-30)], f"{path}.m")
    away = graph.node("Sub", [r, graph.node("Div", [total(weight, r), m], f"{path}.c")], f"{path}.away")
    v, s = (graph.node("Div", [total(weight, away, by), m], path) for by in (away, k))
    slant = graph.node("Div", [s, graph.node("Max", [v, number(1e-9)], f"{path}.v")], path)
    slant = graph.node("Clip", [slant, number(-1), number(1)], f"{path}.slant")
    place = graph.node("Add", [k, graph.node("Mul", [slant, away], path)], path)
    place = graph.node("Clip", [place, number(-1), number(width)], f"{path}.place")
    images = value.name
    if several:  # (N, H, C, W), and the same places for all channels
        images = graph.node("Transpose", [images], path, perm=[0, 1, 3, 2])
        place = graph.node("Unsqueeze", [place, whole([2])], path)
        place = graph.node("Expand", [place, graph.node("Shape", [images], path)], path)
    left = graph.node("Floor", [place], f"{path}.left")
    index = graph.node("Cast", [left], path, to=7)
    axis = 3 if several else 2
    framed = graph.node("Pad", [images, whole([1, 2]), "", whole([axis])], path)
    near, far = (
        graph.node("GatherElements", [framed, graph.node("Add", [index, whole(step)], path)], path, axis=axis)
        for step in (1, 2)
    )
    rest = graph.node("Mul", [graph.node("Sub", [place, left], path), graph.node("Sub", [far, near], path)], path)
    moved = graph.node("Add", [near, rest], path)
    return value._replace(name=graph.node("Transpose", [moved], path, perm=[0, 1, 3, 2]) if several else moved)


def normalize_size(graph: Graph, layer: Any, value: Value, path: str) -> Value:
    """Add `NormalizeSize`: two matrix products per image, whose matrices follow from the brightness of the pixels."""
    value = graph.channels_first(value)

    def node(kind: str, *inputs: Any, **attributes: Any) -> str:
        """Return the name of a node's output; an input that is not a name is a constant."""
        names = [given if isinstance(given, str) else graph.constant(given, path) for given in inputs]
        return graph.node(kind, names, path, **attributes)

    def whole(number: int) -> Any:
        return np.array([number], np.int64)

    weight = node("Relu", node("ReduceSum", value.name, whole(1), keepdims=0))

    def matrix(axis: int) -> str:
        size = value.shape[axis - 1]
        each = np.arange(size, dtype=np.float32)
        bright = node("ReduceSum", weight, whole(3 - axis), keepdims=0)  # (N, H)
        m = node("Max", node("ReduceSum", bright, whole(1), keepdims=1), np.float32(1e-30))

        def mean(of: Any) -> str:
            return node("Div", node("ReduceSum", node("Mul", bright, of), whole(1), keepdims=1), m)

        away = node("Sub", each, mean(each))
        deviation = node("Sqrt", node("Max", mean(node("Mul", away, away)), np.float32(1e-12)))
        factor = node("Pow", node("Div", np.float32(layer.spread * size), deviation), np.float32(layer.strength))
        places = node("Div", each - np.float32((size - 1) / 2), node("Clip", factor, np.float32(0.5), np.float32(2)))
        distance = node("Sub", node("Unsqueeze", places, whole(2)), node("Unsqueeze", away, whole(1)))
        return node("Unsqueeze", node("Relu", node("Sub", np.float32(1), node("Abs", distance))), whole(1))

    columns = node("Transpose", matrix(2), perm=[0, 1, 3, 2])
    return value._replace(name=node("MatMul", node("MatMul", matrix(1), value.name), columns))
