"""Deskewing: make slanted handwriting upright by moving each row of an image sideways."""

from __future__ import annotations

import numpy as np
from numpy.lib.stride_tricks import as_strided

from plainnet.layers.brightness import BrightnessLayer, brightness, total

_STEEPEST = 1.0  # pixels per row: 45 degrees; a larger slant, as of a flat stroke, is no real slant


class Deskew(BrightnessLayer):
    """Shear each image so that its bright strokes stand upright on the dark background.

    Let r be the row and k the column of a pixel, weighted by its brightness: c is the mean of r, d the mean of k, v the
    variance of r, s the covariance of r and k, m the sum of the weights. The slant is a = s / v, in pixels per row:

        y(r, k) = x(r, k + a (r - c))       linear interpolation between two pixels; x = 0 outside the image

    The brightness of a pixel is the sum of its channels; a negative one counts as 0. The slant is limited to 1, which
    is 45 degrees. A black image, and an image with a single bright row, does not change.

    Shapes: x, y (N, H, W) or (N, H, W, C).
    Gradient: c and a depend on x as well. With g, the difference of the two pixels that y lies between (dy/dk),
    A = sum dy g (r - c) and B = -a sum dy g:

        dx = (dy moved back) + A (r - c) (k - d - a (r - c)) / (m v) + B (r - c) / m

    If the slant is at its limit, A = 0. For pixels that are not bright, only the first term remains.

    Raises: `InputError` if the examples are not images.
    Source: LeCun, Bottou, Bengio, Haffner 1998, "Gradient-based learning applied to document recognition", section III.

    Example:
        >>> import numpy as np
        >>> from plainnet.layers import Deskew
        >>> print(Deskew().forward(np.eye(3)[None])[0])
        [[0. 1. 0.]
         [0. 1. 0.]
         [0. 1. 0.]]
    """

    def forward(self, x: np.ndarray, *, training: bool = False) -> np.ndarray:
        images = x.reshape(*x.shape[:3], -1)
        rows, columns = (np.arange(size, dtype=x.real.dtype) for size in x.shape[1:3])
        weight, bright = brightness(images)
        mass, moment = np.moveaxis(weight @ np.stack([np.ones_like(columns), columns], axis=1), 2, 0)
        m = total(mass)
        c, d = ((part * place).sum(axis=1, keepdims=True) / m for part, place in ((mass, rows), (moment, 1)))
        away = rows - c  # (N, H), as `mass` and `moment`
        v, s = ((part * away).sum(axis=1, keepdims=True) / m for part in (mass * away, moment))
        leans = np.abs(s.real) < _STEEPEST * v.real
        v = np.where(leans, v, 1)
        slant = np.where(leans, s / v, _STEEPEST * np.sign(s.real))
        y, difference = _moved(images, slant * away)
        self.remember(m, d, v, slant, leans, away, difference, bright)
        return y.reshape(x.shape)

    def backward(self, dy: np.ndarray, *, need_dx: bool = True) -> np.ndarray | None:
        m, d, v, slant, leans, away, difference, bright = self.recall()
        if not need_dx:
            return None
        images = dy.reshape(difference.shape)
        by_row = np.einsum("nhwc,nhwc->nh", images, difference)
        of_slant = np.where(leans, (by_row * away).sum(axis=1, keepdims=True), 0)
        of_middle = -slant * by_row.sum(axis=1, keepdims=True)
        dx, _ = _moved(images, -slant * away)
        from_axis = np.arange(dy.shape[2]) - (d + slant * away)[:, :, None]
        weight = (of_slant / (m * v) * away)[:, :, None] * from_axis + (of_middle / m * away)[:, :, None]
        dx += (bright * weight).astype(dx.dtype, copy=False)[..., None]
        return dx.reshape(dy.shape)


def _moved(images: np.ndarray, by: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return images (N, H, W, C) whose row r is read `by` (N, H) pixels farther right, and the slopes between pixels.

    A place between two pixels takes its value from the line through them. Both results have the shape of the images.
    """
    n, height, width, channels = images.shape
    whole = np.clip(np.floor(by.real), -width - 1, width)  # farther out there is only background
    reach = int(np.abs(whole).max()) + 1
    framed = np.zeros((n, height, reach + width + reach, channels), images.dtype)
    framed[:, :, reach : reach + width] = images
    dn, dh, dw, dc = framed.strides
    starts = as_strided(framed, (n, height, 2 * reach, width + 1, channels), (dn, dh, dw, dw, dc), writeable=False)
    read = starts[np.arange(n)[:, None], np.arange(height), whole.astype(np.intp) + reach]
    near, slopes = read[:, :, :-1], np.diff(read, axis=2)
    return near + (by - whole)[:, :, None, None] * slopes, slopes
