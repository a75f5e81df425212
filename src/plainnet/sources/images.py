"""From any picture of one character to a 28x28 image made the way MNIST's were.

MNIST's makers fit each digit into 20x20 pixels, keeping its proportions and smoothing its edges, then moved
its center of mass to the middle of 28x28 (LeCun et al. 1998, "Gradient-based learning applied to document
recognition", section III.A). A network that learned from such images needs to be shown such images.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from plainnet.errors import InputError

_BOX, _SIZE = 20, 28
_MIN_CONTRAST = 0.1  # of the range from black to white; less is paper or noise, not ink


def read_image(path: str | Path) -> np.ndarray:
    """Return the character in a picture file as MNIST would show it: (28, 28) bytes, light on dark.

    Raises: `InputError` if the file is no picture, or nothing is drawn on it.
    """
    try:
        with Image.open(path) as picture:
            gray = _grayscale(ImageOps.exif_transpose(picture))
    except (UnidentifiedImageError, Image.DecompressionBombError, SyntaxError, ValueError, OSError) as error:
        reason = getattr(error, "strerror", None) or "it is not a picture that can be opened"
        raise InputError(f"cannot read the image {path}: {reason}; give a PNG, JPEG or similar file") from error
    try:
        return normalize(gray)
    except InputError as error:
        raise InputError(f"{path}: {error}") from error


def _grayscale(picture: Image.Image) -> np.ndarray:
    """Return brightness between 0 and 1, (H, W); what is transparent becomes the ground behind the ink."""
    if picture.mode.startswith("I") or picture.mode == "F":  # 16 or more bits
        values = np.asarray(picture, float)
        return np.asarray(values / max(float(values.max()), 1.0), float)
    if "A" in picture.mode or "transparency" in picture.info:
        layers = np.asarray(picture.convert("RGBA"), float) / 255
        alpha = layers[..., 3]
        light = layers[..., :3].mean(axis=2)
        ink = float((light * alpha).sum() / max(alpha.sum(), 1e-9))
        ground = 1.0 if ink < 0.5 else 0.0
        return np.asarray(light * alpha + ground * (1 - alpha), float)
    return np.asarray(picture.convert("L"), float) / 255


def normalize(gray: np.ndarray) -> np.ndarray:
    """Find the ink, fit it into 20x20 and center its mass in 28x28, light on dark, as bytes.

    Shapes: gray (H, W) with values in [0, 1], result (28, 28) uint8.
    Raises: `InputError` if there is no ink.
    """
    if not np.isfinite(gray).all():
        raise InputError("the picture holds numbers that are not finite; save it again as PNG")
    border = np.concatenate([gray[0], gray[-1], gray[:, 0], gray[:, -1]])
    ground = float(np.median(border))
    ink = gray - ground if abs(gray.max() - ground) > abs(gray.min() - ground) else ground - gray
    strongest = float(ink.max())
    if strongest < _MIN_CONTRAST:
        raise InputError("nothing drawn: the picture is of one brightness; draw a dark digit on white or the reverse")
    ink = np.clip(ink / strongest, 0.0, 1.0)
    ink[ink < 0.1] = 0.0  # paper texture and compression noise
    drawn_rows, drawn_columns = np.flatnonzero(ink.max(axis=1) > 0.3), np.flatnonzero(ink.max(axis=0) > 0.3)
    ink = ink[drawn_rows[0] : drawn_rows[-1] + 1, drawn_columns[0] : drawn_columns[-1] + 1]
    return _center(_fit(ink))


def _fit(ink: np.ndarray) -> np.ndarray:
    """Scale the ink so that its longer side is 20 pixels, averaging what falls into each pixel."""
    height, width = ink.shape
    scale = _BOX / max(height, width)
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    picture = Image.fromarray((ink * 255).astype(np.uint8))
    small = np.asarray(picture.resize(size, Image.Resampling.BOX if scale < 1 else Image.Resampling.BICUBIC), float)
    return small * (255 / max(float(small.max()), 1.0))


def _center(ink: np.ndarray) -> np.ndarray:
    """Paste the ink into 28x28 so that its center of mass lies in the middle, to the nearest pixel."""
    height, width = ink.shape
    rows, columns = np.indices(ink.shape)
    middle = (_SIZE - 1) / 2
    top = round(middle - float((rows * ink).sum() / ink.sum()))
    left = round(middle - float((columns * ink).sum() / ink.sum()))
    top, left = int(np.clip(top, 0, _SIZE - height)), int(np.clip(left, 0, _SIZE - width))
    image = np.zeros((_SIZE, _SIZE))
    image[top : top + height, left : left + width] = ink
    return np.rint(image).astype(np.uint8)
