"""Minimal filtering, known as Winograd's convolution: the same outputs with fewer multiplications.

In one dimension F(m, r) gives m neighboring outputs of a filter g of r numbers from a = m + r - 1 inputs d:

    y = A^T [(G g) * (B^T d)]        with a products, where the sliding filter needs m r

A, B and G depend only on m and r (see `matrices`). In two dimensions rows and columns are transformed in the same way:

    Y = A^T [(G g G^T) * (B^T d B)] A

a a products give m m outputs, each a sum over r r inputs: F(2, 3) needs 16 products instead of 36, F(4, 3) 36 instead
of 144. With many channels and filters, the products of all tiles at one of the a a places form a matrix product.
`docs/winograd.md` derives F(2, 3) with numbers.

Sources: Winograd 1980, "Arithmetic complexity of computations"; Lavin, Gray 2016, "Fast algorithms for convolutional
neural networks"; Barabasz et al. 2020, "Error analysis and improving the accuracy of Winograd convolution for deep
neural networks", on the choice of points.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.lib.stride_tricks import as_strided

from plainnet.layers.patches import Buffer

_POINTS = 0.0, 1.0, -1.0, 0.5, -2.0, 2.0  # and infinity; 1/2 and -2 lose fewer digits than 2 and -2
_ELEMENTS = 1 << 17  # numbers in the largest array: 0.5 MB in float32, so that the second-level cache holds a few


@lru_cache
def matrices(m: int, r: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return A (a, m), B (a, a) and G (a, r) of F(m, r), in float64.

    A filter that slides over d is the transpose of a product of polynomials. A product of degree a - 1 is determined by
    its values at a points, which are the products of the factors' values. So G evaluates the filter at the points, A^T
    is the transpose of such an evaluation, and B^T that of Lagrange interpolation: its polynomial for the point p_i is
    the product of all x - p_j, j != i, divided by the product of all p_i - p_j. G includes the division, because it is
    applied less often. The last point is infinity, where a polynomial's value is its highest coefficient.
    """
    a = m + r - 1
    points = np.array(_POINTS[: a - 1])
    A, G = (np.vstack([np.vander(points, n, increasing=True), np.eye(1, n, n - 1)]) for n in (m, r))
    B = np.zeros((a, a))
    for i, point in enumerate(points):
        others = np.delete(points, i)
        divisor = np.prod(point - others)
        B[:-1, i] = np.sign(divisor) * np.poly(others)[::-1]
        G[i] /= abs(divisor)
    B[:, -1] = np.poly(points)[::-1]
    return A, B, G


@dataclass(frozen=True)
class Winograd:
    """Convolution by F(m, r), r = ceil(size / stride): one of the methods of `Conv2D`.

    With a stride of s, s s pixels count as one place with s s C channels, and filters are padded with zeros to r s.

    Shapes: x (N, H, W, C), where `needs` gives the H and W that are read; filters W (K, K, C, F), K = `size`; b (F,);
    y (N, Ho, Wo, F). Each gradient has the shape of its array.
    """

    m: int
    size: int
    stride: int

    def __str__(self) -> str:
        return f"winograd{self.m}"

    @property
    def r(self) -> int:
        """The size of a filter, in places."""
        return -(-self.size // self.stride)

    @property
    def a(self) -> int:
        """The size of a tile, in places."""
        return self.m + self.r - 1

    @property
    def possible(self) -> bool:
        """Whether the method saves products, and there are enough points for a tile."""
        return self.r > 1 and self.a <= len(_POINTS) + 1

    def products(self, rows: int, columns: int) -> int:
        """Return the number of multiplications for one output image, per channel and filter."""
        return (-(-rows // self.m) * -(-columns // self.m)) * (self.a * self.stride) ** 2

    def needs(self, outputs: int) -> int:
        """Return how many pixels in a row are read for this many outputs."""
        return (-(-outputs // self.m) * self.m + self.r - 1) * self.stride

    def forward(self, x: np.ndarray, W: np.ndarray, b: np.ndarray, y: np.ndarray, buffer: Buffer) -> None:
        """Write the outputs for the images x into y."""
        A, B, G = (matrix.astype(x.dtype) for matrix in matrices(self.m, self.r))
        U = self._transformed(G, self._by_place(W), buffer)
        tiles, whole = self._tiles(x, y), self._whole(y, buffer)
        outputs = self._by_tile(whole)
        for n, starts in self._blocks(tiles, y):
            V, M, Y = self._rooms(n, tiles, y, buffer)
            to_V, to_Y = sandwich(B.T, V, V, buffer), sandwich(A.T, M, Y, buffer)
            V_rows = self._rows(V)
            for start in starts:
                images = slice(start, start + n)
                np.copyto(V, tiles[:, :, images])
                to_V()
                np.matmul(V_rows, U, out=M)
                M[self.a + 1] += b  # place (1, 1): its powers are all 1, so every output includes it once
                to_Y()
                np.copyto(outputs[:, :, images], Y)
        if whole is not y:
            np.copyto(y, whole[:, : y.shape[1], : y.shape[2]])

    def backward(
        self, x: np.ndarray, dy: np.ndarray, W: np.ndarray, dW: np.ndarray, db: np.ndarray, dx: np.ndarray | None,
        buffer: Buffer,
    ) -> None:  # fmt: skip
        """Write the gradients of filters, biases and, unless dx is None, images.

        Each step of `forward` is linear, so its gradient is its transpose: dM = A dY A^T; at each place dU = V^T dM and
        dV = dM U^T; the tiles' B dV B^T sum to dx, and dW = G^T dU G.
        """
        A, B, G = (matrix.astype(x.dtype) for matrix in matrices(self.m, self.r))
        filters = self._by_place(W)
        UT = self._transformed(G, np.ascontiguousarray(filters.swapaxes(2, 3)), buffer)
        dU = _room(buffer, "dU", (len(UT), *filters.shape[2:]), x.dtype)
        part = _room(buffer, "part of dU", dU.shape, x.dtype)
        dU[:] = db[:] = 0
        tiles, whole = self._tiles(x, dy), self._whole(dy, buffer)
        if whole is not dy:
            whole[:] = 0
            whole[:, : dy.shape[1], : dy.shape[2]] = dy
        doutputs = self._by_tile(whole)
        if dx is not None:
            dtiles = self._tiles(dx, dy)
            rows, columns = (self.m * self.stride * count for count in dtiles.shape[3:5])
            dx[:, rows:] = dx[:, :, columns:] = 0  # pixels outside the first m m places of every tile
        for n, starts in self._blocks(tiles, dy):
            V, dM, dY = self._rooms(n, tiles, dy, buffer)
            to_V, to_dM, to_dtiles = sandwich(B.T, V, V, buffer), sandwich(A, dY, dM, buffer), sandwich(B, V, V, buffer)
            V_rows = self._rows(V)
            for start in starts:
                images = slice(start, start + n)
                np.copyto(V, tiles[:, :, images])
                to_V()
                np.copyto(dY, doutputs[:, :, images])
                to_dM()
                np.matmul(V_rows.swapaxes(1, 2), dM, out=part)
                dU += part
                db += dM[self.a + 1].sum(axis=0)
                if dx is not None:
                    np.matmul(dM, UT, out=V_rows)  # V is no longer needed; its memory takes dV
                    to_dtiles()
                    self._overlap(V, dtiles[:, :, images])
        r, s, K, (C, F) = self.r, self.stride, self.size, W.shape[2:]
        places = self._transformed(G.T, dU, buffer).reshape(r, r, s, s, C, F)
        dW[:] = places.swapaxes(1, 2).reshape(r * s, r * s, C, F)[:K, :K]

    def _overlap(self, parts: np.ndarray, tiles: np.ndarray) -> None:
        """Write the sum of the overlapping tiles' `parts` into the images that `tiles` is a view of.

        The first m m places of all tiles cover every pixel once, and their next m rows or columns cover them again.
        """
        np.copyto(tiles[: self.m, : self.m], parts[: self.m, : self.m])
        for i in range(0, self.a, self.m):
            for j in range(0, self.a, self.m):
                if i or j:
                    some = slice(i, i + self.m), slice(j, j + self.m)
                    tiles[some] += parts[some]

    def _by_place(self, W: np.ndarray) -> np.ndarray:
        """Return filters as (r, r, s s C, F)."""
        r, s, K, (C, F) = self.r, self.stride, self.size, W.shape[2:]
        whole = np.zeros((r * s, r * s, C, F), W.dtype)
        whole[:K, :K] = W
        return whole.reshape(r, s, r, s, C, F).swapaxes(1, 2).reshape(r, r, s * s * C, F)

    def _transformed(self, G: np.ndarray, filters: np.ndarray, buffer: Buffer) -> np.ndarray:
        """Return G g G^T of all filters (p p, I, J), or (p, p, I, J), as (q q, I, J)."""
        out = _room(buffer, f"filters {G.shape}", (len(G) ** 2, *filters.shape[-2:]), G.dtype)
        sandwich(G, filters, out, buffer)()
        return out

    def _tiles(self, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        """Return the tiles of images for outputs like y as a view (a, a, N, rows, columns, s, s, C)."""
        (n, _, _, c), (dn, dh, dw, dc), s, m = x.shape, x.strides, self.stride, self.m
        rows, columns = -(-y.shape[1] // m), -(-y.shape[2] // m)
        shape = self.a, self.a, n, rows, columns, s, s, c
        return as_strided(x, shape, (s * dh, s * dw, dn, m * s * dh, m * s * dw, dh, dw, dc))

    def _blocks(self, tiles: np.ndarray, y: np.ndarray) -> Iterator[tuple[int, range]]:
        """Yield how many images to compute at a time, and the first image of each block; then the same for the rest."""
        places = self.a**2 * math.prod(tiles.shape[3:5])
        step = max(1, _ELEMENTS // (places * max(math.prod(tiles.shape[5:]), y.shape[3])))
        whole = len(y) // step * step
        if whole:
            yield step, range(0, whole, step)
        if whole < len(y):
            yield len(y) - whole, range(whole, len(y), step)

    def _rooms(
        self, n: int, tiles: np.ndarray, y: np.ndarray, buffer: Buffer
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return memory for V, M and Y of n images."""
        rows, columns = tiles.shape[3:5]
        V = _room(buffer, "V", (self.a, self.a, n, *tiles.shape[3:]), y.dtype)
        M = _room(buffer, "M", (self.a**2, n * rows * columns, y.shape[3]), y.dtype)
        Y = _room(buffer, "Y", (self.m, self.m, n, rows, columns, y.shape[3]), y.dtype)
        return V, M, Y

    def _rows(self, V: np.ndarray) -> np.ndarray:
        """Return V (a, a, n, rows, columns, s, s, C) as a matrix for each place, (a a, n rows columns, s s C)."""
        return V.reshape(self.a**2, -1, math.prod(V.shape[5:]))

    def _whole(self, y: np.ndarray, buffer: Buffer) -> np.ndarray:
        """Return y, or memory for as many rows and columns as all tiles have together."""
        n, rows, columns, f = y.shape
        shape = n, -(-rows // self.m) * self.m, -(-columns // self.m) * self.m, f
        return y if y.shape == shape else _room(buffer, "whole", shape, y.dtype)

    def _by_tile(self, whole: np.ndarray) -> np.ndarray:
        """Return outputs (N, m rows, m columns, F) as a view (m, m, N, rows, columns, F)."""
        n, rows, columns, f = whole.shape
        return whole.reshape(n, rows // self.m, self.m, columns // self.m, self.m, f).transpose(2, 4, 0, 1, 3, 5)


def sandwich(T: np.ndarray, x: np.ndarray, out: np.ndarray, buffer: Buffer) -> Callable[[], None]:
    """Return a function that writes T x T^T to `out` for each of many small matrices, x (p p, ...) or (p, p, ...).

    T is (q, p) and `out` (q q, ...) or (q, q, ...); it may be x itself. All views are prepared beforehand: threads take
    turns with the interpreter, so they wait longer for each other the more Python code runs between products.
    """
    q, p = T.shape
    half = _room(buffer, "half", (q, p, x.size // (p * p)), x.dtype)
    columns, rows = x.reshape(p, p, -1).swapaxes(0, 1), out.reshape(q, q, -1)
    columns_of_half = half.swapaxes(0, 1)

    def compute() -> None:
        np.matmul(T, columns, out=columns_of_half)
        np.matmul(T, half, out=rows)

    return compute


def _room(buffer: Buffer, name: str, shape: tuple[int, ...], dtype: np.dtype) -> np.ndarray:
    """Return scratch memory, reallocated only when it needs more numbers than ever before."""
    return buffer(name, (math.prod(shape),), dtype).reshape(shape)
