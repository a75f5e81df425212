"""Preparation: turn stored data into the numbers that a network takes."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import cast

import numpy as np

from plainnet.data.rows import Rows
from plainnet.errors import InputError

Shape = tuple[int, ...]
Buffer = Callable[[Shape, np.dtype], np.ndarray]


def as_array(values: object, what: str) -> np.ndarray:
    """Return `values` as an array.

    Raises: `InputError` for a masked array (its mask would be lost), a sparse array, or rows of different lengths.
    """
    if isinstance(values, Rows):
        return cast(np.ndarray, values)
    if np.ma.isMaskedArray(values):
        raise InputError(
            f"{what} must have no gaps, received a masked array; fill its gaps first, for example with .filled(0), or "
            "leave out the rows that have gaps"
        )
    if hasattr(values, "toarray"):
        raise InputError(f"{what} must be a dense array, received a sparse {type(values).__name__}; give .toarray()")
    try:
        return np.asarray(values)
    except ValueError as error:
        raise InputError(f"{what} must be an array with rows of equal length: {error}") from error


def as_pixels(images: np.ndarray, in_shape: Shape, dtype: np.dtype, buffer: Buffer = np.empty) -> np.ndarray:
    """Return images in the shape and type of a network's inputs, with bytes scaled from 0-255 to [0, 1] in a `buffer`.

    Shapes: images (N, ...) with as many numbers per example as `in_shape`; result (N, *in_shape).
    Raises: `InputError` if they have another size, or are neither bytes nor floating-point numbers.
    """
    images = np.asarray(as_array(images, "images"))
    if images.dtype.kind not in ("fcb" if dtype.kind == "c" else "fb") and images.dtype != np.uint8:
        raise InputError(
            f"images must be bytes (uint8, 0 to 255) or floating-point numbers (0 to 1), received {images.dtype}; "
            "convert pixels with .astype(np.uint8), other numbers with .astype(np.float32)"
        )
    flat = images.ndim == 2 or len(in_shape) == 1
    if (
        images.ndim < 2
        or math.prod(images.shape[1:]) != math.prod(in_shape)
        or not (flat or images.shape[1:] == in_shape[: images.ndim - 1])
    ):
        raise InputError(_wrong_size(in_shape, images.shape))
    shaped = images.reshape(len(images), *in_shape)
    if images.dtype == np.uint8:
        return scaled(shaped, buffer(shaped.shape, dtype))
    return shaped.astype(dtype, copy=False)


def scaled(images: np.ndarray, out: np.ndarray | None = None) -> np.ndarray:
    """Return bytes scaled to 0 to 1, and other numbers unchanged, in `out` or in new float32 memory."""
    out = np.empty(images.shape, np.float32) if out is None else out
    return np.multiply(images, 1 / 255 if images.dtype == np.uint8 else 1, out=out, dtype=out.dtype)


def _wrong_size(in_shape: Shape, received: Shape) -> str:
    size = math.prod(in_shape)
    side = math.isqrt(size)
    image = "x".join(map(str, in_shape)) if len(in_shape) > 1 else f"{side}x{side}"
    drawn = len(in_shape) > 1 or side * side == size
    advice = f"each image must be {image} or flattened to {size}" if drawn else f"each row must hold {size} numbers"
    return f"expected images with {size} features, received shape {received}; {advice}"
