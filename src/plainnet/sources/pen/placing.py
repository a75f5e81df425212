"""Makes an image of one digit as in MNIST: light on dark, with the usual thickness, centered in 28x28.

The makers of MNIST fitted each digit into 20x20 pixels, keeping its proportions and smoothing its edges, and moved its
center of mass to the middle of 28x28 (LeCun et al. 1998, "Gradient-based learning applied to document recognition",
section III.A). A network trained on such images needs inputs of the same kind.
"""

from __future__ import annotations

import numpy as np
from PIL import Image, ImageFilter

BOX, SIZE = 20, 28
_THINNEST, _THICKEST = 0.09, 0.20  # of the digit's longer side; most strokes in MNIST lie between


def placed(ink: np.ndarray) -> np.ndarray:
    """Return ink (H, W) from 0 to 1 as an image (28, 28) of bytes.

    Raises: `ValueError` if nothing is drawn.
    """
    return centered(fitted(_cropped(as_thick_as_usual(_cropped(ink)))))


def _cropped(ink: np.ndarray) -> np.ndarray:
    rows, columns = np.flatnonzero(ink.max(axis=1) > 0.3), np.flatnonzero(ink.max(axis=0) > 0.3)
    if len(rows) == 0:
        raise ValueError("nothing is drawn")
    return ink[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]


def stroke_width(drawn: np.ndarray) -> float:
    """Return the mean width of the strokes in a mask: twice their area divided by the length of their outline."""
    framed = np.pad(drawn, 1)
    inside = framed[:-2, 1:-1] & framed[2:, 1:-1] & framed[1:-1, :-2] & framed[1:-1, 2:]
    outline = int((drawn & ~inside).sum())
    return 2 * int(drawn.sum()) / max(outline, 1)


def as_thick_as_usual(ink: np.ndarray) -> np.ndarray:
    """Return ink with its strokes widened if they are thinner than in MNIST, and narrowed if they are thicker."""
    drawn, longer = ink > 0.5, max(ink.shape)
    if not drawn.any():
        return ink
    width = stroke_width(drawn) / longer
    if width < _THINNEST:
        wider = round((_THINNEST - width) * longer)
        if wider >= 1:
            return _filtered(np.pad(ink, wider), ImageFilter.MaxFilter(2 * ((wider + 1) // 2) + 1))
    elif width > _THICKEST:
        narrower = round((width - _THICKEST) * longer)
        if narrower >= 2:
            eroded = _filtered(np.pad(ink, 1), ImageFilter.MinFilter(2 * (narrower // 2) + 1))
            if (eroded > 0.5).sum() > 0.2 * drawn.sum():
                return eroded
    return ink


def _filtered(ink: np.ndarray, how: ImageFilter.Filter) -> np.ndarray:
    return np.asarray(Image.fromarray((ink * 255).astype(np.uint8)).filter(how), float) / 255


def fitted(ink: np.ndarray) -> np.ndarray:
    """Scale the ink so that its longer side is 20 pixels, averaging the ink within each pixel."""
    height, width = ink.shape
    scale = BOX / max(height, width)
    size = max(1, round(width * scale)), max(1, round(height * scale))
    picture = Image.fromarray((ink * 255).astype(np.uint8))
    small = np.asarray(picture.resize(size, Image.Resampling.BOX if scale < 1 else Image.Resampling.BICUBIC), float)
    return small * (255 / max(float(small.max()), 1.0))


def centered(ink: np.ndarray) -> np.ndarray:
    """Paste the ink into 28x28 so that its center of mass lies in the middle, to the nearest pixel."""
    height, width = ink.shape
    rows, columns = np.indices(ink.shape)
    middle = (SIZE - 1) / 2
    top = round(middle - float((rows * ink).sum() / ink.sum()))
    left = round(middle - float((columns * ink).sum() / ink.sum()))
    top, left = int(np.clip(top, 0, SIZE - height)), int(np.clip(left, 0, SIZE - width))
    image = np.zeros((SIZE, SIZE))
    image[top : top + height, left : left + width] = ink
    return np.rint(image).astype(np.uint8)
