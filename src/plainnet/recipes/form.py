"""The form of data: the shapes and kinds that a recipe needs to fill in the settings it leaves open."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from plainnet.data.dataset import DataSet
from plainnet.layers import LAYERS, Conv2D
from plainnet.layers.brightness import BrightnessLayer

LOSS_OF = {
    "classes": "SoftmaxCrossEntropy", "probabilities": "SoftmaxCrossEntropy", "labels": "BinaryCrossEntropy",
    "numbers": "MeanSquaredError",
}  # fmt: skip
OUTPUTS = {"classes": "classes", "probabilities": "classes", "labels": "labels", "numbers": "numbers"}


class Form(NamedTuple):
    """What a recipe must know about data: the shape of an example, the number of outputs, the kind of targets."""

    in_shape: tuple[int, ...]
    outputs: int
    kind: str

    @classmethod
    def of(cls, data: DataSet) -> Form:
        """Return the form of a data set."""
        columns = data.targets.shape[1] if data.targets.ndim == 2 else 1
        return cls(data.inputs.shape[1:], len(data.class_names) or columns, data.kind)


MNIST = Form((28, 28), 10, "classes")


def expects_images(layers: tuple[Mapping[str, Any], ...]) -> bool:
    """Return whether one of the layers can only take images."""
    kinds = [LAYERS.get(str(layer.get("type"))) for layer in layers]
    return any(kind is not None and issubclass(kind, Conv2D | BrightnessLayer) for kind in kinds)


def last_dense(layers: tuple[Mapping[str, Any], ...]) -> int | None:
    """Return the index of the last `Dense` layer if it gives the outputs; one layer, which scales, may follow it."""
    places = [place for place, layer in enumerate(layers) if layer.get("type") == "Dense"]
    return places[-1] if places and places[-1] >= len(layers) - 2 else None
