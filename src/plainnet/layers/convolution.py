"""The convolutional layer: apply the same small filters at every position of an image."""

from __future__ import annotations

import math

import numpy as np

from plainnet.config import whole_number
from plainnet.errors import InputError
from plainnet.initializers import Initializer, as_initializer, he_normal, zeros
from plainnet.layers.direct import Direct
from plainnet.layers.layer import Layer, Shape
from plainnet.layers.winograd import Winograd

_TILES = 2, 4, 5  # sizes m of the squares of outputs that Winograd's method computes at once
METHODS = "auto", "direct", "winograd2", "winograd4", "winograd5"
_MANY = 16  # with at least this many channels, fewer products are worth the transforms


class Conv2D(Layer):
    """Two-dimensional convolution, y[n, i, j, f] = sum_klc x[n, s i + k, s j + l, c] W[k, l, c, f] + b[f].

    Channels come last. Images without a channel axis have one channel. `padding` "valid" keeps the filter within
    the image; "same" adds zeros around it, so that Ho = ceil(H / s), with an odd row or column below or on the right.

    Shapes: x (N, H, W, C) or (N, H, W), W (K, K, C, F) with F = `filters` and K = `size`, b (F,), y (N, Ho, Wo, F);
    "valid": Ho = (H - K) // s + 1 with s = `stride`.
    Gradients: dW = sum over all positions of patch^T dy, db = sum_nij dy; each pixel of dx is the sum of dy W^T over
    the patches that contain it.

    `method` selects how to compute this: "direct" uses the formula above (`direct.py`); "winograd2", "winograd4" and
    "winograd5" need fewer multiplications, for tiles of 2x2, 4x4 or 5x5 outputs (`winograd.py`); "auto" chooses by
    shape when the layer is built. The results differ only in their last digits. `Network.methods` and `Network.summary`
    show the choice.

    Raises: `InputError` if a size is not a positive whole number, the filter is larger than the image, or the method is
    unknown or does not support the filter's size and stride.
    Source: LeCun et al. 1989, "Backpropagation applied to handwritten zip code recognition".

    Example:
        >>> import numpy as np
        >>> from plainnet import Conv2D, Network
        >>> network = Network(Conv2D(1, 2, initializer="ones")).build((2, 3))  # a filter of ones sums 2x2 pixels
        >>> network.logits(np.array([[[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]])).reshape(-1).tolist()
        [12.0, 16.0]
    """

    def __init__(
        self,
        filters: int,
        size: int,
        *,
        stride: int = 1,
        padding: str = "valid",
        method: str = "auto",
        initializer: Initializer | str = he_normal,
    ) -> None:
        super().__init__()
        self.filters = whole_number(filters, "filters")
        self.size = whole_number(size, "size")
        self.stride = whole_number(stride, "stride")
        if padding not in ("valid", "same"):
            raise InputError(f'padding must be "valid" or "same", received {padding!r}')
        self.padding = padding
        if method not in METHODS:
            raise InputError(f"method must be one of {', '.join(METHODS)}, received {method!r}")
        self.method = method
        if method not in ("auto", *map(str, self._ways())):
            raise InputError(
                f"{method} needs filters that span 2 to {8 - int(method[-1])} strides, received size {size} and stride "
                f'{stride}; choose method="auto"'
            )
        self.initializer = as_initializer(initializer)

    def build(self, in_shape: Shape) -> Shape:
        if len(in_shape) not in (2, 3):
            raise InputError(f"Conv2D expects images (H, W) or (H, W, C), received examples of shape {in_shape}")
        self.image = height, width, channels = (*in_shape, 1)[:3]
        K, s, F = self.size, self.stride, self.filters
        above, left = self._zeros_around(height), self._zeros_around(width)
        high, wide = height + sum(above), width + sum(left)
        if high < K or wide < K:
            raise InputError(f"a filter of {K}x{K} does not fit into images of {height}x{width}; choose a smaller size")
        self.W = self.declare("W", (K, K, channels, F), self.initializer, fan_in=K * K * channels, decay=True)
        self.b = self.declare("b", (F,), zeros)
        self.out_shape = ((high - K) // s + 1, (wide - K) // s + 1, F)
        self.way = self._choose(channels)
        self.rows = above[0], above[1] + max(0, self.way.needs(self.out_shape[0]) - high)
        self.columns = left[0], left[1] + max(0, self.way.needs(self.out_shape[1]) - wide)
        return self.out_shape

    @property
    def computed_by(self) -> str:
        return str(self.way)

    def _ways(self) -> list[Direct | Winograd]:
        """Return all methods that can compute these filters."""
        winograd = (Winograd(m, self.size, self.stride) for m in _TILES)
        return [Direct(self.size, self.stride), *(way for way in winograd if way.possible)]

    def _choose(self, channels: int) -> Direct | Winograd:
        """Return the method requested; for "auto" and at least 16 channels, the one with the fewest products.

        Winograd's method must save at least half of the products. Products in larger tiles count more, because their
        transforms take longer and lose more digits.
        """
        ways = {str(way): way for way in self._ways()}
        if self.method != "auto":
            return ways[self.method]
        if min(channels, self.filters) < _MANY:
            return ways["direct"]
        weights = {"direct": 1 / 2, "winograd2": 1.0, "winograd4": 4 / 3, "winograd5": 8 / 5}
        return min(ways.values(), key=lambda way: weights[str(way)] * way.products(*self.out_shape[:2]))

    def _zeros_around(self, length: int) -> tuple[int, int]:
        """Return how many zeros to add before and after `length` pixels."""
        missing = (math.ceil(length / self.stride) - 1) * self.stride + self.size - length
        total = max(missing, 0) if self.padding == "same" else 0
        return total // 2, total - total // 2

    def forward(self, x: np.ndarray, *, training: bool = False) -> np.ndarray:
        padded = self._surround(x.reshape(len(x), *self.image), self.rows, self.columns)
        y = self.buffer("y", (len(x), *self.out_shape), x.dtype)
        self.way.forward(padded, self.W.value, self.b.value, y, self.buffer)
        self.remember(x, padded)
        return y

    def backward(self, dy: np.ndarray, *, need_dx: bool = True) -> np.ndarray | None:
        x, padded = self.recall()
        dpadded = self.buffer("dpadded", padded.shape, dy.dtype) if need_dx else None
        self.way.backward(padded, dy, self.W.value, self.W.grad, self.b.grad, dpadded, self.buffer)
        if dpadded is None:
            return None
        (top, _), (left, _), (height, width, _) = self.rows, self.columns, self.image
        dx = dpadded[:, top : top + height, left : left + width]
        if dx.shape != dpadded.shape:
            inside = self.buffer("dx", dx.shape, dy.dtype)
            np.copyto(inside, dx)
            dx = inside
        return dx.reshape(x.shape)

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
