"""Patches: the parts of an image that a filter sees, laid out as the rows of a matrix (known as im2col)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Protocol

import numpy as np
from numpy.lib.stride_tricks import as_strided

from plainnet.errors import InputError

Size = tuple[int, int]
Buffer = Callable[[str, tuple[int, ...], np.dtype], np.ndarray]

_ELEMENTS = 1 << 18  # in a matrix of patches: 1 MB in float32, which stays in the processor's cache
_SHORT = 16  # adjacent numbers; copying fewer at a time takes longer than computing with them


class Pool(Protocol):
    """What `pooled_shape` needs of a layer."""

    size: int


def pooled_shape(layer: Pool, in_shape: tuple[int, ...]) -> tuple[int, int, int]:
    """Return the shape (H // K, W // K, C) after pooling images (H, W, C) by squares of K x K pixels, K = `layer.size`.

    Raises: `InputError` if the examples are not images, or smaller than a square.
    """
    if len(in_shape) != 3 or min(in_shape[:2]) < layer.size:
        raise InputError(
            f"{type(layer).__name__} expects images (H, W, C) of at least {layer.size}x{layer.size}, received shape "
            f"{in_shape}"
        )
    return in_shape[0] // layer.size, in_shape[1] // layer.size, in_shape[2]


def windows(x: np.ndarray, size: Size, stride: int, *, writeable: bool = False) -> np.ndarray:
    """Return all patches of a batch of images as a view; nothing is copied. They overlap: write with care.

    Shapes: x (N, H, W, C), result (N, Ho, Wo, K, L, C) for `size` (K, L), with Ho = (H - K) // stride + 1.
    """
    (n, h, w, c), (dn, dh, dw, dc) = x.shape, x.strides
    shape = (n, (h - size[0]) // stride + 1, (w - size[1]) // stride + 1, *size, c)
    return as_strided(x, shape, (dn, stride * dh, stride * dw, dh, dw, dc), writeable=writeable)


def patches(
    x: np.ndarray, size: Size, stride: int, buffer: Buffer, *, bias: bool = False
) -> Iterator[tuple[slice, np.ndarray]]:
    """Yield, for a few images at a time, their slice of the batch and their patches as the rows of a matrix.

    The product of the patches (n Ho Wo, K L C) and a matrix of F filters (K L C, F) is the filters' output
    (n Ho Wo, F), already in the order of an image with F channels. This is known as im2col. With `bias`, each
    patch ends in a 1: a bias is the weight of an input that is always 1. Each matrix overwrites the one before it, so
    that one matrix, which fits into the cache, serves all images.

    Source: Chellapilla, Puri, Simard 2006, "High performance convolutional neural networks for document processing".
    """
    view = windows(x, size, stride)
    height, width = view.shape[1:3]
    length = view[0, 0, 0].size
    count = min(len(x), max(1, _ELEMENTS // view[0].size))
    whole = buffer(f"patches {view.shape[1:]}", (count, height, width, length + bias), x.dtype)
    whole[..., length:] = 1
    for start in range(0, len(x), count):
        images = slice(start, min(start + count, len(x)))
        some = whole[: images.stop - start]
        matrix = some[..., :length].reshape(len(some), *view.shape[1:])
        if size[1] * x.shape[3] < _SHORT:
            _copy_by_columns(x[images], matrix, stride, buffer)
        else:
            np.copyto(matrix, view[images])
        yield images, some.reshape(-1, length + bias)


def _copy_by_columns(x: np.ndarray, matrix: np.ndarray, stride: int, buffer: Buffer) -> None:
    """Copy the patches of images with few channels, K L C numbers at a time instead of L C.

    First it copies each column of patches, L pixels wide and as high as the image; in it, every patch is contiguous.
    """
    n, height, width, k, across, c = matrix.shape
    columns = buffer("columns", (n, width, x.shape[1], across, c), x.dtype)
    for i in range(across):
        columns[:, :, :, i] = x[:, :, i : i + stride * (width - 1) + 1 : stride].swapaxes(1, 2)
    dn, dw, dh, _, step = columns.strides
    runs = as_strided(columns, (n, height, width, k * across * c), (dn, stride * dh, dw, step))
    np.copyto(matrix.reshape(runs.shape), runs)
