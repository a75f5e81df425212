"""Average pooling: replace each square of pixels, or the whole image, by its mean."""

from __future__ import annotations

import numpy as np

from plainnet.config import whole_number
from plainnet.errors import InputError
from plainnet.layers.layer import Layer, Shape
from plainnet.layers.long_sums import long_sum
from plainnet.layers.patches import pooled_shape


class AveragePool(Layer):
    """Mean over squares of K x K pixels that do not overlap, channel by channel, K = `size`.

    Shapes: x (N, H, W, C), y (N, H // K, W // K, C); rows and columns left over at the end are ignored.
    Gradient: dx = dy / K^2 at each pixel of the square.

    Raises: `InputError` if `size` is not a positive whole number, or larger than the image.
    Source: LeCun et al. 1998, "Gradient-based learning applied to document recognition" (as subsampling).

    Example:
        >>> import numpy as np
        >>> from plainnet import Network
        >>> from plainnet.layers import AveragePool
        >>> image = np.array([[1.0, 2.0], [3.0, 4.0]]).reshape(1, 2, 2, 1)
        >>> Network(AveragePool(2)).build((2, 2, 1)).logits(image).tolist()
        [[[[2.5]]]]
    """

    def __init__(self, size: int = 2) -> None:
        super().__init__()
        self.size = whole_number(size, "size")

    def build(self, in_shape: Shape) -> Shape:
        self.in_shape = in_shape
        self.out_shape = pooled_shape(self, in_shape)
        return self.out_shape

    def forward(self, x: np.ndarray, *, training: bool = False) -> np.ndarray:
        y = self.buffer("y", (len(x), *self.out_shape), x.dtype)
        self.remember()
        y[...] = long_sum(long_sum(self._squares(x), 4), 2) / self.size**2
        return y

    def backward(self, dy: np.ndarray, *, need_dx: bool = True) -> np.ndarray | None:
        self.recall()
        dx = self.buffer("dx", (len(dy), *self.in_shape), dy.dtype)
        dx[...] = 0
        self._squares(dx)[...] = (dy / self.size**2)[:, :, None, :, None]
        return dx

    def _squares(self, x: np.ndarray) -> np.ndarray:
        """Return a view (N, rows, K, columns, K, C) of images: the pixels of each square."""
        rows, columns, channels = self.out_shape
        used = x[:, : rows * self.size, : columns * self.size]
        return used.reshape(len(x), rows, self.size, columns, self.size, channels)


class GlobalAveragePool(Layer):
    """Mean over all pixels of an image, channel by channel: it tells what the image shows, regardless of where.

    Shapes: x (N, H, W, C), y (N, C).
    Gradient: dx = dy / (H W) at each pixel.

    Raises: `InputError` if an example is not an image with channels.
    Source: Lin, Chen, Yan 2014, "Network in network".

    Example:
        >>> import numpy as np
        >>> from plainnet.layers import GlobalAveragePool
        >>> GlobalAveragePool().forward(np.array([[1.0, 2.0], [3.0, 6.0]]).reshape(1, 2, 2, 1)).tolist()
        [[3.0]]
    """

    def build(self, in_shape: Shape) -> Shape:
        if len(in_shape) != 3:
            raise InputError(f"GlobalAveragePool expects images (H, W, C), received shape {in_shape}")
        self.in_shape = in_shape
        return in_shape[2:]

    def forward(self, x: np.ndarray, *, training: bool = False) -> np.ndarray:
        y = self.buffer("y", (len(x), x.shape[3]), x.dtype)
        self.remember()
        y[...] = long_sum(x.reshape(len(x), -1, x.shape[3]), 1) / (x.shape[1] * x.shape[2])
        return y

    def backward(self, dy: np.ndarray, *, need_dx: bool = True) -> np.ndarray | None:
        self.recall()
        dx = self.buffer("dx", (len(dy), *self.in_shape), dy.dtype)
        dx[...] = (dy / (self.in_shape[0] * self.in_shape[1]))[:, None, None]
        return dx
