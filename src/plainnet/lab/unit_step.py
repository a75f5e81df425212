"""One unit of a network, number by number: its inputs, its output, its gradient and its update."""

from __future__ import annotations

from typing import Any

import numpy as np

from plainnet.context import Context
from plainnet.errors import InputError
from plainnet.lab.watching import layer_paths, signed_bytes, text_of
from plainnet.layers import Conv2D, Dense
from plainnet.losses import SoftmaxCrossEntropy
from plainnet.model import Model

_TERMS = 8  # how many of the largest terms of a sum are written out


def step_of_unit(
    model: Model, image: np.ndarray, layer: str, number: int, label: int, rate: float = 0.01
) -> dict[str, Any]:
    """Return the numbers of a unit for an image (28, 28): forward pass, loss, gradient, and the update by SGD.

    For a map, the numbers are those at the place with the largest output. The network runs as for prediction, as in
    `input_gradient`. `label` is the class to train toward, `rate` the learning rate.

    Raises: `InputError` if there is no such layer, unit or class.
    """
    network = model.network
    paths = layer_paths(network)
    k = place_of(paths, network.out_shapes, layer, number)
    if not 0 <= label < len(model.class_names):
        raise InputError(f"there is no class {label}; the classes are 0 to {len(model.class_names) - 1}")
    one: Any = network.layers[k]
    gradients = network.parameters.views(np.zeros_like(network.grad))
    with Context(gradients=gradients, leads=False):
        x = network.as_input(image[None])
        passed = [x]
        for each in network.layers:
            passed.append(each.forward(passed[-1]).copy())
        loss, dy = SoftmaxCrossEntropy()(passed[-1], np.array([label]))
        for each in reversed(network.layers[k + 1 :]):
            dy = each.backward(dy, need_dx=True)  # type: ignore[assignment]
        y, dy = passed[k + 1][0], dy[0].copy()
        one.backward(dy[None], need_dx=True)
        adds = isinstance(one, Dense | Conv2D)
        told: dict[str, Any] = {"db": float(one.b.grad[number])} if adds else {}
        dW = one.W.grad[..., number].copy() if adds else None
    at = _largest_place(y[..., number])
    told |= {
        "layer": layer,
        "layers": [{"layer": p, "units": s[-1]} for p, s in zip(paths, network.out_shapes, strict=True)],
        "kind": type(one).__name__, "unit": number, "place": list(at), "in_shape": list(passed[k].shape[1:]),
        "out_shape": list(y.shape), "output": float(y[(*at, number)]), "gradient": float(dy[(*at, number)]),
        "loss": float(loss), "label": model.class_names[label], "classes": list(model.class_names), "rate": rate,
        "probabilities": network.probabilities(image[None])[0].tolist(), "formula": " ".join(_formula(one).split()),
    }  # fmt: skip
    if dW is not None:
        told |= _sum(one, passed[k][0], number, at) | _changes(one.W.value[..., number], dW, rate)
        told |= {"places": int(np.prod(y.shape[:-1], dtype=int))}
    elif passed[k].shape[1:] == y.shape:
        told["input"] = float(passed[k][0][(*at, number)])
    return told


def place_of(paths: list[str], shapes: list[tuple[int, ...]], layer: str, number: int) -> int:
    """Return the position of a layer.

    Raises: `InputError` if there is no such layer or unit.
    """
    if layer not in paths:
        raise InputError(f"there is no layer {layer!r:.40}; the layers are {', '.join(paths)}")
    place = paths.index(layer)
    if not 0 <= number < shapes[place][-1]:
        raise InputError(f"{layer} has {shapes[place][-1]} units, received {number}")
    return place


def _largest_place(outputs: np.ndarray) -> tuple[int, ...]:
    """Return where a map (Ho, Wo) is largest, or () for a unit."""
    return tuple(int(v) for v in np.unravel_index(int(outputs.argmax()), outputs.shape))


def _formula(layer: Any) -> str:
    """Return the first line of a layer's docstring that holds its formula."""
    text = (type(layer).__doc__ or "").strip()
    return text.split("\n\n")[0]


def _sum(layer: Dense | Conv2D, x: np.ndarray, number: int, at: tuple[int, ...]) -> dict[str, Any]:
    """Return the terms of a unit's sum: inputs, weights, products, the largest products, the rest, and the bias."""
    W, b = layer.W.value[..., number], float(layer.b.value[number])
    seen = _patch(layer, x, at) if isinstance(layer, Conv2D) else x
    products = (seen * W).ravel()
    order = np.argsort(-np.abs(products), kind="stable")[:_TERMS]
    return {
        "inputs": _picture(seen), "weights": _picture(W), "products": _picture(seen * W), "bias": b,
        "terms": [[int(i), float(seen.ravel()[i]), float(W.ravel()[i]), float(products[i])] for i in order],
        "rest": float(products.sum(dtype=float) - products[order].sum(dtype=float)),
        "rest_count": products.size - len(order),
    }  # fmt: skip


def _changes(W: np.ndarray, dW: np.ndarray, rate: float) -> dict[str, Any]:
    """Return the gradient of a unit's weights, and the updates w - rate dw with the largest gradients."""
    order = np.argsort(-np.abs(dW).ravel(), kind="stable")[:_TERMS]
    moved = [
        [int(i), float(W.ravel()[i]), float(dW.ravel()[i]), float(W.ravel()[i] - rate * dW.ravel()[i])] for i in order
    ]
    return {"dW": _picture(dW), "changes": moved}


def _patch(layer: Conv2D, x: np.ndarray, at: tuple[int, ...]) -> np.ndarray:
    """Return the inputs (K, K, C) of a filter for its output at (i, j), including the zero padding."""
    K, s = layer.size, layer.stride
    (top, below), (left, right) = layer.rows, layer.columns
    padded = np.pad(x.reshape(layer.image), ((top, below), (left, right), (0, 0)))
    i, j = at[0] * s, at[1] * s
    return padded[i : i + K, j : j + K]


def _picture(values: np.ndarray) -> dict[str, Any]:
    """Return numbers as bytes around 128, in the shape to draw; the channels of a filter are summed."""
    flat = values.sum(axis=2) if values.ndim == 3 else values
    side = round(flat.size**0.5)
    size = list(flat.shape) if flat.ndim == 2 else [side, side] if side * side == flat.size else [1, flat.size]
    shown, worth = signed_bytes(flat)
    return {"pixels": text_of(shown), "size": size, "largest": worth}
