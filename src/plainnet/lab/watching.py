"""Measures a training run between two batches: weights, outputs and gradients, for the page to show."""

from __future__ import annotations

import base64
from typing import Any

import numpy as np

from plainnet.layers import Conv2D, Dense, ReLU
from plainnet.network import Network

_BINS, _TILES, _LOOKED_AT = 24, 24, 100


def layer_paths(network: Network) -> list[str]:
    """Return the paths of a network's own layers, without those inside blocks."""
    return [path for path, _ in network.walk() if "." not in path]


def text_of(values: np.ndarray) -> str:
    """Return bytes as base64 text."""
    return base64.b64encode(np.ascontiguousarray(values, np.uint8).tobytes()).decode()


def signed_bytes(values: np.ndarray) -> tuple[np.ndarray, float]:
    """Return numbers as bytes, where 128 stands for 0, and the number that 127 steps stand for."""
    largest = float(np.abs(values).max()) or 1.0
    return np.rint(128 + 127 * values / largest).astype(np.uint8), largest


def first_weights(network: Network) -> dict[str, Any] | None:
    """Return the weights of the first layer as small pictures, or None if they do not form images."""
    for layer in network.layers:
        if isinstance(layer, Conv2D):
            W = layer.W.value.mean(axis=2).transpose(2, 0, 1)
        elif isinstance(layer, Dense):
            side = round(layer.W.shape[0] ** 0.5)
            if side * side != layer.W.shape[0]:
                return None
            W = layer.W.value.T[:_TILES].reshape(-1, side, side)
        else:
            continue
        shown = [signed_bytes(tile)[0] for tile in W[:_TILES]]
        return {"size": list(W.shape[1:]), "tiles": [text_of(tile) for tile in shown], "of": layer.W.shape[-1]}
    return None


def inside(network: Network, images: np.ndarray) -> list[dict[str, Any]]:
    """Return, for each layer, a histogram of its outputs for some images, and the share of dead units."""
    found = []
    with network.context(training=False):
        x = network.as_input(images[:_LOOKED_AT])
        for path, layer in zip(layer_paths(network), network.layers, strict=True):
            x = layer.forward(x)
            entry: dict[str, Any] = {"layer": path, "activations": histogram(x)}
            if isinstance(layer, ReLU):
                entry["dead"] = float(np.mean(~(x > 0).reshape(-1, x.shape[-1]).any(axis=0)))
            entry["units"] = x.shape[-1]
            found.append(entry)
    return found


def histogram(values: np.ndarray) -> dict[str, Any]:
    """Return counts of numbers between their smallest and largest, and these two; no counts if they are not finite."""
    flat = values.ravel()[:: max(1, values.size // 20_000)]
    low, high = float(flat.min()), float(flat.max())
    if not np.isfinite([low, high]).all():
        return {"low": None, "high": None, "counts": []}
    counts = np.histogram(flat, _BINS, (low, high if high > low else low + 1))[0]
    return {"low": low, "high": high, "counts": counts.tolist()}


def gradients(network: Network, moved: dict[str, np.ndarray] | None, clip: float | None) -> list[dict[str, Any]]:
    """Return, for each layer's weights, a histogram of the gradient, and the size of the last update relative to them.

    `moved` holds the last update by the name of the weights; `clip` is the limit of the gradients, or None.
    """
    found = []
    for parameter in network.parameters:
        if parameter.decay:
            entry: dict[str, Any] = {"name": parameter.name, "gradients": histogram(parameter.grad)}
            if moved is not None:
                length = float(np.linalg.norm(parameter.value))
                change = float(np.linalg.norm(moved[parameter.name]))
                entry["update"] = change / length if length > 0 else None
                entry |= {"length": length, "change": change}
            if clip is not None:
                entry["clipped"] = float(np.mean(np.abs(parameter.grad) >= clip * (1 - 1e-6)))
            found.append(entry)
    return found
