"""Direct convolution: multiply every patch of an image by every filter, as one matrix product."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from plainnet.layers.patches import Buffer, patches, windows


@dataclass(frozen=True)
class Direct:
    """Convolution by its definition: one of the methods of `Conv2D`, for filters of any size.

    Shapes: x (N, H, W, C), filters W (K, K, C, F), K = `size`; b (F,); y (N, Ho, Wo, F). Each gradient has the shape of
    its array.
    """

    size: int
    stride: int

    def __str__(self) -> str:
        return "direct"

    def products(self, rows: int, columns: int) -> int:
        """Return the number of multiplications for one output image, per channel and filter."""
        return rows * columns * self.size**2

    def needs(self, outputs: int) -> int:
        """Return how many pixels in a row are read for this many outputs."""
        return (outputs - 1) * self.stride + self.size

    def forward(self, x: np.ndarray, W: np.ndarray, b: np.ndarray, y: np.ndarray, buffer: Buffer) -> None:
        """Write the outputs for the images x into y."""
        filters = np.vstack([W.reshape(-1, len(b)), b])
        for images, matrix in patches(x, (self.size, self.size), self.stride, buffer, bias=True):
            np.matmul(matrix, filters, out=y[images].reshape(len(matrix), -1))

    def backward(
        self, x: np.ndarray, dy: np.ndarray, W: np.ndarray, dW: np.ndarray, db: np.ndarray, dx: np.ndarray | None,
        buffer: Buffer,
    ) -> None:  # fmt: skip
        """Write the gradients of filters, biases and, unless dx is None, images.

        dW and db are patches^T dy. The patches' own gradient, dy W^T, is summed into dx where patches overlap. Every
        n-th patch of a row, n = ceil(K / s), does not overlap: these are added at once, then the patches next to them,
        and so on.
        """
        K, s = self.size, self.stride
        filters, total = W.reshape(-1, len(db)), np.zeros((W.size // len(db) + 1, len(db)), W.dtype)
        apart = -(-K // s)
        for images, matrix in patches(x, (K, K), s, buffer, bias=True):
            rows = dy[images].reshape(len(matrix), -1)
            total += matrix.T @ rows
            if dx is not None:
                parts = np.matmul(rows, filters.T, out=buffer("dpatches", (len(matrix), len(filters)), dy.dtype))
                dx[images] = 0
                view = windows(dx[images], (K, K), s, writeable=True)
                parts = parts.reshape(view.shape)
                for i in range(apart):
                    for j in range(apart):
                        view[:, i::apart, j::apart] += parts[:, i::apart, j::apart]
        dW[:], db[:] = total[:-1].reshape(W.shape), total[-1]
