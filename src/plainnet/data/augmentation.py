"""Augmentation: rotate, stretch, shift, bend, mirror or partly cover each training image, in a new way each time.

Each pixel of the new image takes its value from the old image at its own position plus a displacement. For a shift, a
rotation or a stretch, the displacement is linear in the position; an elastic displacement is a sum of smooth bumps of
random height. All are combinations of a few fixed fields, so that one matrix product gives the displacements of a whole
batch.
"""

from __future__ import annotations

from typing import Literal

import numpy as np

from plainnet.config import number
from plainnet.data.preparation import scaled
from plainnet.errors import InputError

_MOST = {  # more would hide everything
    "rotation": 180.0, "scale": 0.99, "shear": 10.0, "shift": 1000.0, "elastic": 100.0, "flip": 1.0, "cut": 1000.0,
}  # fmt: skip
_AROUND: dict[str, Literal["constant", "edge"]] = {"dark": "constant", "edge": "edge"}  # NumPy's names
_SPACING = 4  # pixels from one bump to the next; closer bumps would only add up to the same fields

_MOST_PIXELS = 1 << 14  # in an image; the memory for the fixed fields grows with the square of this number


class Augmentation:
    """Random affine and elastic displacements of images, with bilinear interpolation; all channels change alike.

    Arguments: the largest change, drawn uniformly, by `rotation` in degrees, `scale` and `shear` as fractions (0.1:
    from 0.9 to 1.1 times the size), and `shift` in pixels. `elastic` is the standard deviation of the elastic
    displacement in pixels, averaged over the image (wide bumps move its corners a little less); `smoothness` is the
    standard deviation of its Gaussian bumps in pixels. `flip` is the probability of mirroring an image left to right.
    `cut` is the side in pixels of a black square, which covers a random part of the image. The area `around` the image
    is "dark", as around a pen's stroke, or continues its "edge", which suits photographs.

    Raises: `InputError` for a negative number, a number above the limit (180 degrees, a scale of 0.99, a shear of 10, a
    shift of 1000, an elastic displacement of 100, a flip of 1, a cut of 1000), a smoothness below 3 or above 1000, or
    an unknown `around`.
    Sources: Simard, Steinkraus, Platt 2003, "Best practices for convolutional neural networks applied to visual
    document analysis", for the elastic displacements; DeVries, Taylor 2017, "Improved regularization of convolutional
    neural networks with cutout", for the squares.
    """

    def __init__(
        self,
        *,
        rotation: float = 0.0,
        scale: float = 0.0,
        shear: float = 0.0,
        shift: float = 0.0,
        elastic: float = 0.0,
        smoothness: float = 4.0,
        flip: float = 0.0,
        cut: float = 0.0,
        around: str = "dark",
    ) -> None:
        self.most = {
            "rotation": rotation, "scale": scale, "shear": shear, "shift": shift, "elastic": elastic,
            "flip": flip, "cut": cut,
        }  # fmt: skip
        for name, value in self.most.items():
            if not 0.0 <= number(value, name) <= _MOST[name]:
                raise InputError(f"{name} must be at least 0 and at most {_MOST[name]:g}, received {value}")
        if not 3.0 <= number(smoothness, "smoothness") <= 1000.0:  # pixels between narrower bumps would hardly move
            raise InputError(f"smoothness must be from 3 to 1000 pixels, received {smoothness}; 4 is common")
        if around not in _AROUND:
            raise InputError(f"around must be one of {', '.join(_AROUND)}, received {around!r}")
        self.smoothness, self.around = smoothness, around
        self._fields: dict[tuple[int, int], np.ndarray] = {}

    def __call__(self, images: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Return new images, float32 from 0 to 1.

        Shapes: images (N, H, W) or (N, H, W, C), bytes or floating-point numbers from 0 to 1; result of the same shape.
        Raises: `InputError` for flattened or too large images, or numbers that are neither bytes nor floating-point.
        """
        if images.ndim not in (3, 4):
            raise InputError(
                f"images to augment must have the shape (N, H, W) or (N, H, W, channels), received {images.shape}; "
                "reshape them"
            )
        if images.dtype != np.uint8 and not np.issubdtype(images.dtype, np.floating):
            raise InputError(f"images to augment must be of dtype uint8 or floating-point, received {images.dtype}")
        n, height, width = images.shape[:3]
        if height * width > _MOST_PIXELS:
            raise InputError(
                f"images to augment must have at most {_MOST_PIXELS:,} pixels, such as 128x128, received "
                f"{height}x{width}; make them smaller, or train without augmentation"
            )
        fields = self._fields_for(height, width)
        down, right = (weights @ fields for weights in self._weights(n, len(fields), rng))
        rows, columns = np.indices((height, width), np.float32).reshape(2, -1) + 2
        down += rows
        right += columns
        np.clip(down, 0, height + 2.5, out=down)
        np.clip(right, 0, width + 2.5, out=right)
        # The image gets a border of two rows and columns; every place farther out takes the nearest of their values.
        planes = np.moveaxis(scaled(images).reshape(n, height, width, -1), 3, 0)
        framed = np.pad(planes, ((0, 0), (0, 0), (2, 2), (2, 2)), _AROUND[self.around])
        changed = interpolated(framed, down, right).reshape(planes.shape)
        if self.most["cut"] > 0:
            self._cover(changed, rng)
        return np.moveaxis(changed, 0, 3).reshape(images.shape)

    def _cover(self, planes: np.ndarray, rng: np.random.Generator) -> None:
        """Cover a square in each image of (C, N, H, W); its center is anywhere, so that some of it may lie outside."""
        _, n, height, width = planes.shape
        near = [
            np.abs(np.arange(size) - rng.uniform(-0.5, size - 0.5, (n, 1))) < self.most["cut"] / 2
            for size in (height, width)
        ]
        planes *= ~(near[0][:, :, None] & near[1][:, None, :])

    def _fields_for(self, height: int, width: int) -> np.ndarray:
        """Return the fixed fields as rows, (3 + bumps, H W): a constant 1, the row, the column, and the bumps."""
        if (height, width) not in self._fields:
            rows, columns = np.indices((height, width), np.float32).reshape(2, -1)
            affine = np.ones_like(rows), rows - (height - 1) / 2, columns - (width - 1) / 2
            centers = np.indices((height // _SPACING + 1, width // _SPACING + 1)).reshape(2, -1).T * _SPACING
            exponents = [((rows - i) ** 2 + (columns - j) ** 2) / (2 * self.smoothness**2) for i, j in centers]
            bumps = np.exp(-np.minimum(exponents, 50))  # practically 0 far from its center, without underflow
            deviation = np.sqrt(np.square(bumps).sum(axis=0).mean())  # of the sum of bumps of random heights
            self._fields[height, width] = np.array([*affine, *(bumps / deviation)], np.float32)
        return self._fields[height, width]

    def _weights(self, n: int, count: int, rng: np.random.Generator) -> np.ndarray:
        """Return the factor of each field for each image, (2, N, count): downwards and to the right."""

        def drawn(name: str) -> np.ndarray:
            return rng.uniform(-self.most[name], self.most[name], n)

        angle, shear = np.radians(drawn("rotation")), drawn("shear")
        tall, wide = 1 + drawn("scale"), 1 + drawn("scale")
        if self.most["flip"] > 0:
            wide[rng.random(n) < self.most["flip"]] *= -1
        weights = np.empty((2, n, count), np.float32)
        # The new image reads the old one at A (place - center): shear, rotate, then stretch; the displacement is A - 1.
        weights[0, :, 0], weights[1, :, 0] = drawn("shift"), drawn("shift")
        weights[0, :, 1], weights[0, :, 2] = np.cos(angle) / tall - 1, (shear * np.cos(angle) - np.sin(angle)) / tall
        weights[1, :, 1], weights[1, :, 2] = np.sin(angle) / wide, (shear * np.sin(angle) + np.cos(angle)) / wide - 1
        weights[:, :, 3:] = rng.standard_normal((2, n, count - 3), np.float32) * self.most["elastic"]
        return weights


def interpolated(planes: np.ndarray, down: np.ndarray, right: np.ndarray) -> np.ndarray:
    """Return the values of N images with C planes at M places between their pixels, (C, N, M).

    Interpolation is bilinear: between four pixels, the value is linear in both directions.
    """
    _, n, height, width = planes.shape
    row, column = down.astype(np.int32), right.astype(np.int32)
    down -= row
    right -= column
    row *= width
    row += column
    row += (np.arange(n, dtype=np.int32) * (height * width))[:, None]
    found = []
    for plane in planes:
        pixels, halves = plane.reshape(-1), []
        for start in (0, width):
            near, far = pixels.take(row + start, mode="clip"), pixels.take(row + (start + 1), mode="clip")
            far -= near
            far *= right
            near += far
            halves.append(near)
        above, below = halves
        below -= above
        below *= down
        above += below
        found.append(above)
    return np.array(found)
