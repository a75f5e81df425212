"""What the layers share that change an image according to where its bright pixels lie."""

from __future__ import annotations

import numpy as np

from plainnet.errors import InputError
from plainnet.layers.layer import Layer, Shape


class BrightnessLayer(Layer):
    """Base class of layers that measure the brightness of an image; they change neither its shape nor its channels.

    Raises: `InputError` if the examples are not images.
    """

    def build(self, in_shape: Shape) -> Shape:
        if len(in_shape) not in (2, 3):
            raise InputError(
                f"{type(self).__name__} expects images (H, W) or (H, W, C), received shape {in_shape}; "
                "place it before Flatten"
            )
        return in_shape


def brightness(images: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the brightness of each pixel of images (N, H, W, C), and whether it is positive, both (N, H, W).

    It is the sum of the channels; a negative sum counts as 0.
    """
    sums = images[..., 0] if images.shape[3] == 1 else images.sum(axis=3)
    bright = sums.real > 0
    return sums * bright, bright


def total(weight: np.ndarray) -> np.ndarray:
    """Return the sum of each row of (N, H), as (N, 1); 1 instead of 0, because it becomes a divisor."""
    m = weight.sum(axis=1, keepdims=True)
    return np.where(m.real > 0, m, 1)
