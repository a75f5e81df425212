"""Shifted views: average a network's answers over an image and its copies, shifted by a few pixels."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from plainnet.config import whole_number
from plainnet.errors import InputError
from plainnet.softmax import expect_finite, log_softmax, softmax, with_two_columns


def probabilities(
    logits: Callable[[np.ndarray], np.ndarray], images: np.ndarray, shifts: int = 0, temperature: float = 1.0
) -> np.ndarray:
    """Return a network's probabilities for images (N, H, W), averaged over shifts by up to `shifts` pixels.

    `logits` is the network's function; its results are divided by the `temperature`. The log-probabilities of the
    (2 shifts + 1)^2 views are averaged.

    Shapes: result (N, K).
    Raises: `InputError` if `shifts` is not a whole number from 0, or is positive and inputs are not (N, H, W).
    Source: Krizhevsky, Sutskever, Hinton 2012, "ImageNet classification with deep convolutional neural networks",
    section 4.1, which averages the probabilities of ten views.
    """
    if whole_number(shifts, "shifts", least=0) == 0:
        return softmax(with_two_columns(expect_finite(logits(images))) / temperature)
    if images.ndim != 3:
        raise InputError(f"images to shift must have the shape (N, H, W), received {images.shape}; reshape them")
    height, width = images.shape[1:]
    framed = np.pad(images, [(0, 0), (shifts, shifts), (shifts, shifts)])
    corners = [(down, right) for down in range(2 * shifts + 1) for right in range(2 * shifts + 1)]
    moved = (framed[:, down : down + height, right : right + width] for down, right in corners)
    views = [log_softmax(with_two_columns(expect_finite(logits(view))) / temperature) for view in moved]
    return softmax(np.mean(views, axis=0))
