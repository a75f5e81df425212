"""Size normalization: move each image to the middle, and make small writing larger and large writing smaller."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from plainnet.config import number
from plainnet.errors import InputError
from plainnet.layers.brightness import BrightnessLayer, brightness, total

_LEAST = 1e-12  # variance of the rows; for a single bright row, which has none
_MOST = 2.0  # an image becomes at most twice as high and wide, and at least half as high and wide


class NormalizeSize(BrightnessLayer):
    """Center each image, and scale its height and its width so that its bright pixels spread about as far as usual.

    From top to bottom, with the brightness of the pixels as weights, c is the mean row and v the variance of the rows.
    An image of height H becomes f times as high. Row i of the result is read at place p, between two rows of the image:

        f = (spread H / sqrt(v))^strength, limited to 1/2 to 2  strength 1: all spread equally; 0: only centered
        p(i) = c + (i - (H - 1) / 2) / f
        A(i, r) = max(0, 1 - |p(i) - r|)                        linear interpolation

    and likewise from left to right, with B. Then y = A x B^T for each channel. The brightness of a pixel is the sum of
    its channels; a negative one counts as 0. Outside the image, x = 0.

    Arguments: spread, the usual standard deviation of the rows and columns of bright pixels, as a share of the image's
    side, above 0 and at most 1; strength from 0 to 1.
    Shapes: x, y (N, H, W) or (N, H, W, C).
    Gradient: p depends on x as well. Let D(i, r) be the slope of A, which is -1, 0 or 1, P(i) the sum of
    dy(i, k) (D x B^T)(i, k) over k and the channels, Q = sum P(i), G = sum P(i) (i - (H - 1) / 2), and m the sum of the
    brightness. A bright pixel in row r receives

        dx = A^T dy B + (Q (r - c) + G strength / (2 f v) ((r - c)^2 - v)) / m + the same from left to right

    If f is at a limit, or only one row is bright, G = 0. For other pixels, only the first term remains.

    Raises: `InputError` if the examples are not images, or for arguments outside these ranges.
    Source: Casey 1970, "Moment normalization of handprinted characters", at full strength, and without the slant too.

    Example:
        >>> import numpy as np
        >>> from plainnet.layers import NormalizeSize
        >>> corner = np.zeros((1, 3, 3))
        >>> corner[0, 0, 0] = 1.0
        >>> print(NormalizeSize(strength=0.0).forward(corner)[0])
        [[0. 0. 0.]
         [0. 1. 0.]
         [0. 0. 0.]]
    """

    def __init__(self, *, spread: float = 0.17, strength: float = 0.5) -> None:
        super().__init__()
        if not 0.0 < number(spread, "spread") <= 1.0:
            raise InputError(f"spread must be a share of the image's side, above 0 and at most 1, received {spread}")
        if not 0.0 <= number(strength, "strength") <= 1.0:
            raise InputError(f"strength must be from 0 to 1, received {strength}; 0 only centers the image")
        self.spread, self.strength = spread, strength

    def forward(self, x: np.ndarray, *, training: bool = False) -> np.ndarray:
        images = x.reshape(*x.shape[:3], -1)
        weight, bright = brightness(images)
        planes = np.moveaxis(images, 3, 1)  # (N, C, H, W)
        rows, columns = (self._axis(weight.sum(axis=axis)) for axis in (2, 1))
        A, B = rows.matrix(), columns.matrix()
        y = A @ planes @ B.swapaxes(2, 3)
        self.remember(planes, bright, rows, columns, A, B)
        return np.moveaxis(y, 1, 3).reshape(x.shape)

    def _axis(self, weight: np.ndarray) -> _Axis:
        """Return how images change along their rows or columns with this brightness (N, H)."""
        size = weight.shape[1]
        each = np.arange(size, dtype=weight.real.dtype)
        m = total(weight)
        away = each - (weight @ each)[:, None] / m
        v = (weight * away**2).sum(axis=1, keepdims=True) / m
        several = v.real > _LEAST  # bright rows
        v = np.where(several, v, _LEAST)
        factor = (self.spread * size / np.sqrt(v)) ** self.strength
        free = (factor.real > 1 / _MOST) & (factor.real < _MOST)
        factor = np.where(free, factor, np.clip(factor.real, 1 / _MOST, _MOST)).astype(weight.dtype)
        out = each - (size - 1) / 2
        distance = ((out / factor)[:, :, None] - away[:, None, :])[:, None]  # p(i) - r, for all channels
        return _Axis(distance, out, away, m, v, (free & several) * self.strength / (2 * factor * v))

    def backward(self, dy: np.ndarray, *, need_dx: bool = True) -> np.ndarray | None:
        planes, bright, rows, columns, A, B = self.recall()
        if not need_dx:
            return None
        up = np.moveaxis(dy.reshape(*dy.shape[:3], -1), 3, 1)
        of_rows = (up * (rows.slope() @ planes @ B.swapaxes(2, 3))).sum(axis=(1, 3))
        of_columns = (up * (A @ planes @ columns.slope().swapaxes(2, 3))).sum(axis=(1, 2))
        dx = A.swapaxes(2, 3) @ up @ B
        weight = rows.gradient(of_rows)[:, :, None] + columns.gradient(of_columns)[:, None, :]
        dx = dx + (bright * weight).astype(dx.dtype, copy=False)[:, None]
        return np.moveaxis(dx, 1, 3).reshape(dy.shape)


class _Axis(NamedTuple):
    """One direction, with the names of `NormalizeSize`."""

    distance: np.ndarray  # p(i) - r, (N, 1, H, H)
    out: np.ndarray  # i - (H - 1) / 2, (H,)
    away: np.ndarray  # r - c, (N, H)
    m: np.ndarray
    v: np.ndarray
    rate: np.ndarray  # strength / (2 f v), or 0 where v does not matter

    def matrix(self) -> np.ndarray:
        """Return A (N, 1, H, H), whose rows make the rows of the result."""
        return np.where(np.abs(self.distance.real) < 1, 1 - np.sign(self.distance.real) * self.distance, 0)

    def slope(self) -> np.ndarray:
        """Return the derivative of each A(i, r) by p(i)."""
        return np.where(np.abs(self.distance.real) < 1, -np.sign(self.distance.real), 0)

    def gradient(self, places: np.ndarray) -> np.ndarray:
        """Return the gradient with respect to the brightness of each row (N, H), given that of the places p (N, H)."""
        of_center = places.sum(axis=1, keepdims=True)
        of_spread = (places @ self.out)[:, None] * self.rate
        return (of_center * self.away + of_spread * (self.away**2 - self.v)) / self.m
