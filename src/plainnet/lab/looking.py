"""Looks inside a network for one drawing: the outputs of each layer, what supports the answer, the nearest images."""

from __future__ import annotations

from functools import cached_property
from typing import Any

import numpy as np

from plainnet.data.dataset import DataSet
from plainnet.lab.unit_step import place_of
from plainnet.lab.watching import layer_paths, signed_bytes, text_of
from plainnet.layers import Conv2D, Dense
from plainnet.losses import SoftmaxCrossEntropy
from plainnet.model import Model
from plainnet.shortcuts import input_gradient
from plainnet.sources.answers import Answer, answer_to_drawing
from plainnet.sources.pen.strokes import Drawing

_MOST_UNITS, _NEAREST, _EXCITING = 256, 3, 8
_COMPARED, _SHOWN_TO_UNITS = 10_000, 2_000


class Looking:
    """Answers questions about a model and a drawing; `examples` are the training images."""

    def __init__(self, examples: DataSet) -> None:
        self.examples = examples

    def answer(self, model: Model, drawing: Drawing | None, *, quick: bool = False) -> Answer:
        """Return the answer to a drawing; a `quick` one uses a single view instead of several shifted ones."""
        return answer_to_drawing(model, drawing, shifts=0 if quick else None)

    def shares(self, model: Model, image: np.ndarray) -> list[float]:
        """Return the probabilities for an image (28, 28), used as it is."""
        found: list[float] = model.shares(image.reshape(1, *model.network.in_shape), model.test_shifts)[0].tolist()
        return found

    def layers(self, model: Model, image: np.ndarray) -> list[dict[str, Any]]:
        """Return the outputs of every layer for an image, as bytes around 128, at most `_MOST_UNITS` units or maps."""
        network, found = model.network, []
        paths = layer_paths(network)
        with network.context(training=False):
            x = network.as_input(image[None])
            for path, layer in zip(paths, network.layers, strict=True):
                x = layer.forward(x)
                out = _with_channels(x)[0]
                shown = (out.transpose(2, 0, 1) if out.ndim == 3 else out)[:_MOST_UNITS]
                values, worth = signed_bytes(shown)
                found.append({
                    "layer": path, "kind": type(layer).__name__, "shape": list(x.shape[1:]), "shown": list(shown.shape),
                    "values": text_of(values), "largest": worth,
                })  # fmt: skip
        return found

    def speaks(self, model: Model, image: np.ndarray) -> str:
        """Return how much each pixel supports the answer: x dz/dx, where z is the answer's log-probability.

        The numbers are bytes around 128: larger ones support the answer, smaller ones contradict it.
        """
        network = model.network
        x = network.as_input(image[None])
        label = np.array([int(model.shares(image[None]).argmax())])
        gradient = -input_gradient(network, SoftmaxCrossEntropy(), x, label)
        return text_of(signed_bytes((gradient * x).reshape(28, 28))[0])

    def nearest(self, image: np.ndarray) -> list[dict[str, Any]]:
        """Return the training images nearest to an image, by the distance of their pixels."""
        x = image.reshape(-1).astype(np.float32) / 255
        far = self._squares - 2 * (self._pixels @ x)
        rows = np.argsort(far, kind="stable")[:_NEAREST]
        return [self._example(int(row)) for row in rows]

    def unit(self, model: Model, layer: str, number: int) -> dict[str, Any]:
        """Return the weights of a unit or map, and the training images that activate it most.

        Raises: `InputError` if there is no such unit or map.
        """
        network = model.network
        paths = layer_paths(network)
        place = place_of(paths, network.out_shapes, layer, number)
        with network.context(training=False):
            excited = []
            for start in range(0, min(_SHOWN_TO_UNITS, len(self.examples)), 250):
                x = network.as_input(self.examples.inputs[start : start + 250])
                for one in network.layers[: place + 1]:
                    x = one.forward(x)
                excited.append(_with_channels(x)[..., number].reshape(len(x), -1).max(axis=1).copy())
        values = np.concatenate(excited)
        rows = np.argsort(-values, kind="stable")[:_EXCITING]
        told: dict[str, Any] = {
            "layer": layer, "unit": number, "kind": type(network.layers[place]).__name__,
            "exciting": [self._example(int(row)) | {"value": float(values[row])} for row in rows],
        }  # fmt: skip
        weighed = next((k for k in range(place, -1, -1) if isinstance(network.layers[k], Dense | Conv2D)), None)
        if weighed is not None and network.out_shapes[weighed][-1] > number:
            told |= {"of": paths[weighed], **_weights(network.layers[weighed], number)}
        return told

    def _example(self, row: int) -> dict[str, Any]:
        data = self.examples
        return {
            "row": row, "label": data.class_names[int(data.labels[row])],
            "pixels": text_of(data.inputs[row].reshape(-1)),
        }  # fmt: skip

    @cached_property
    def _pixels(self) -> np.ndarray:
        return self.examples.inputs[:_COMPARED].reshape(-1, 784).astype(np.float32) / 255

    @cached_property
    def _squares(self) -> np.ndarray:
        squares: np.ndarray = np.square(self._pixels).sum(axis=1)
        return squares


def _with_channels(x: np.ndarray) -> np.ndarray:
    """Return images (N, H, W) as images with one channel; anything else unchanged."""
    return x[..., None] if x.ndim == 3 else x


def _weights(layer: Any, number: int) -> dict[str, Any]:
    """Return the weights of a unit as bytes around 128, in the shape to draw, and its bias."""
    W = layer.W.value[..., number]
    side = round(W.size**0.5)
    if W.ndim == 3:
        W = W.mean(axis=2)  # over the channels
    shape = list(W.shape) if W.ndim == 2 else [side, side] if side * side == W.size else [1, W.size]
    if W.size > 4096:
        return {}
    values, worth = signed_bytes(W)
    return {"weights": text_of(values), "size": shape, "largest": worth, "bias": float(layer.b.value[number])}
