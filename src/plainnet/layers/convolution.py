"""The convolutional layer: the same small filters at every place of an image."""

from __future__ import annotations

import math

import numpy as np

from plainnet.config import whole_number
from plainnet.errors import InputError
from plainnet.initializers import Initializer, as_initializer, he_normal, zeros
from plainnet.layers.layer import Layer, Shape
from plainnet.layers.patches import patches


class Conv2D(Layer):
    """Two-dimensional convolution, y[n, i, j, f] = sum_klc x[n, s i + k, s j + l, c] W[k, l, c, f] + b[f].

    Channels come last. Images without a channel axis have one channel. `padding` "valid" keeps the filter within
    the image; "same" puts zeros around it, so that Ho = ceil(H / s), with the odd row and column below and right.

    Shapes: x (N, H, W, C) or (N, H, W), W (K, K, C, F) with F = `filters` and K = `size`, b (F,), y (N, Ho, Wo, F);
    "valid": Ho = (H - K) // s + 1 with s = `stride`.
    Gradients: dW = sum over all places of patch^T dy, db = sum_nij dy; dx is the correlation of dy, with zeros
    around it, with the filters turned by 180 degrees (for s = 1; see `_dx` for more).

    Raises: `InputError` if a size is not a positive whole number, or the filter is larger than the image.
    Source: LeCun et al. 1989, "Backpropagation applied to handwritten zip code recognition".
    """

    def __init__(
        self,
        filters: int,
        size: int,
        *,
        stride: int = 1,
        padding: str = "valid",
        initializer: Initializer | str = he_normal,
    ) -> None:
        super().__init__()
        self.filters = whole_number(filters, "filters")
        self.size = whole_number(size, "size")
        self.stride = whole_number(stride, "stride")
        if padding not in ("valid", "same"):
            raise InputError(f'padding must be "valid" or "same", received {padding!r}')
        self.padding = padding
        self.initializer = as_initializer(initializer)

    def build(self, in_shape: Shape) -> Shape:
        if len(in_shape) not in (2, 3):
            raise InputError(f"Conv2D expects images (H, W) or (H, W, C), received examples of shape {in_shape}")
        self.image = height, width, channels = (*in_shape, 1)[:3]
        K, s, F = self.size, self.stride, self.filters
        self.rows, self.columns = self._zeros_around(height), self._zeros_around(width)
        if height + sum(self.rows) < K or width + sum(self.columns) < K:
            raise InputError(f"a filter of {K}x{K} does not fit into images of {height}x{width}; choose a smaller size")
        self.W = self.declare("W", (K, K, channels, F), self.initializer, fan_in=K * K * channels, decay=True)
        self.b = self.declare("b", (F,), zeros)
        self.out_shape = ((height + sum(self.rows) - K) // s + 1, (width + sum(self.columns) - K) // s + 1, F)
        return self.out_shape

    def _zeros_around(self, length: int) -> tuple[int, int]:
        """Return how many zeros stand before and after `length` pixels."""
        missing = (math.ceil(length / self.stride) - 1) * self.stride + self.size - length
        total = max(missing, 0) if self.padding == "same" else 0
        return total // 2, total - total // 2

    def forward(self, x: np.ndarray, *, training: bool = False) -> np.ndarray:
        padded = self._surround(x.reshape(len(x), *self.image), self.rows, self.columns)
        y = self.buffer("y", (len(x), *self.out_shape), x.dtype)
        filters = np.vstack([self.W.value.reshape(-1, self.filters), self.b.value])
        for images, matrix in patches(padded, (self.size, self.size), self.stride, self.buffer, bias=True):
            np.matmul(matrix, filters, out=y[images].reshape(len(matrix), -1))
        self.remember(x, padded)
        return y

    def backward(self, dy: np.ndarray, *, need_dx: bool = True) -> np.ndarray | None:
        x, padded = self.recall()
        total = np.zeros((self.W.grad.size // self.filters + 1, self.filters), dy.dtype)  # filters, and bias below
        for images, matrix in patches(padded, (self.size, self.size), self.stride, self.buffer, bias=True):
            total += matrix.T @ dy[images].reshape(len(matrix), -1)
        self.W.grad[:] = total[:-1].reshape(self.W.shape)
        self.b.grad[:] = total[-1]
        return self._dx(dy).reshape(x.shape) if need_dx else None

    def _dx(self, dy: np.ndarray) -> np.ndarray:
        """Return the gradient of the images, without scattering anything: each pixel gathers what it contributed to.

        A pixel at row s q + a of the padded image was multiplied by row a + s m of a filter for output row q - m.
        So the pixels with the same a (and b, for the columns) form an image of their own, which is the correlation
        of dy with every s-th row of the filters, in reverse order. With s = 1 there is one such image.
        """
        K, s = self.size, self.stride
        height, width, channels = self.image
        top, left = self.rows[0], self.columns[0]
        around = self._surround(dy, (K - 1, K - 1), (K - 1, K - 1))
        dx = self.buffer("dx", (len(dy), height, width, channels), dy.dtype)
        for a in range(s):
            for b in range(s):
                filters = self.W.value[a::s, b::s][::-1, ::-1].swapaxes(2, 3)
                high, wide = filters.shape[:2]
                rows, columns = range((a - top) % s, height, s), range((b - left) % s, width, s)
                if 0 in (high, wide, len(rows), len(columns)):  # no filter looks at these pixels, or there are none
                    dx[:, rows.start :: s, columns.start :: s] = 0
                    continue
                i, j = (rows.start + top - a) // s + K - high, (columns.start + left - b) // s + K - wide
                seen = around[:, i : i + len(rows) + high - 1, j : j + len(columns) + wide - 1]
                part = (
                    dx if s == 1 else self.buffer(f"dx {a} {b}", (len(dy), len(rows), len(columns), channels), dy.dtype)
                )
                by_channel = filters.reshape(-1, channels)
                for images, matrix in patches(seen, (high, wide), 1, self.buffer):
                    np.matmul(matrix, by_channel, out=part[images].reshape(len(matrix), -1))
                if s > 1:
                    dx[:, rows.start :: s, columns.start :: s] = part
        return dx

    def _surround(self, x: np.ndarray, rows: tuple[int, int], columns: tuple[int, int]) -> np.ndarray:
        """Return images (N, H, W, C) with rows of zeros above and below, and columns of zeros left and right."""
        if not any(rows + columns):
            return x
        n, h, w, c = x.shape
        shape = (n, sum(rows) + h, sum(columns) + w, c)
        wide = self.buffer(f"surrounded {shape[1:]}", shape, x.dtype)
        inside = slice(rows[0], rows[0] + h), slice(columns[0], columns[0] + w)
        wide[:, : inside[0].start] = wide[:, inside[0].stop :] = 0
        wide[:, :, : inside[1].start] = wide[:, :, inside[1].stop :] = 0
        wide[:, inside[0], inside[1]] = x
        return wide
