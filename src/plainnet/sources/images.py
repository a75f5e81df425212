"""From any picture of one character to a 28x28 image made the way MNIST's were.

MNIST's makers fit each digit into 20x20 pixels, keeping its proportions and smoothing its edges, then moved
its center of mass to the middle of 28x28 (LeCun et al. 1998, "Gradient-based learning applied to document
recognition", section III.A). A network that learned from such images needs to be shown such images.
"""

from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

from plainnet.errors import InputError
from plainnet.foreign.opening import open_file

_BOX, _SIZE = 20, 28
_FORMATS = ("PNG", "JPEG", "GIF", "BMP", "TIFF", "WEBP", "PPM")  # those that run no program and need no other library
_MOST_PIXELS, _MOST_BYTES = 150_000_000, 300_000_000
_BYTES = {"1": 2, "L": 1, "P": 2, "LA": 8, "RGB": 5, "RGBA": 8, "I;16": 4}  # that a pixel takes until it is reduced
_MIN_CONTRAST = 0.1  # of the range from black to white; less is paper or noise, not ink


def read_image(path: str | Path) -> np.ndarray:
    """Return the character in a picture file as MNIST would show it: (28, 28) bytes, light on dark.

    Raises: `InputError` if the file is no picture, or nothing is drawn on it.
    """
    with open_file(path, "image") as file:
        try:
            with warnings.catch_warnings(action="ignore"), Image.open(file, formats=_FORMATS) as picture:
                _check_size(picture)
                gray = _grayscale(ImageOps.exif_transpose(_reduced(picture)))
        except InputError as error:
            raise InputError(f"cannot read the image {path}: {error}") from error
        except Exception as error:  # readers of pictures raise whatever a file makes them stumble over
            reason = getattr(error, "strerror", None) or "it is not a picture that can be opened"
            raise InputError(f"cannot read the image {path}: {reason}; give a PNG, JPEG or similar file") from error
    try:
        return normalize(gray)
    except InputError as error:
        raise InputError(f"{path}: {error}") from error


def _check_size(picture: Image.Image) -> None:
    """Refuse, before anything is decoded, what would take too much memory.

    Raises: `InputError`.
    """
    width, height = picture.size
    if width * height > _MOST_PIXELS:
        raise InputError(f"it has {width:,} x {height:,} pixels, at most {_MOST_PIXELS:,} can be read")
    each = _BYTES.get(picture.mode, 12)
    if picture.format == "JPEG":  # decoded at the size that is needed, or all its coefficients are kept
        each = 2 * len(picture.getbands()) if picture.info.get("progressive") else 0
    needed = width * height * (14 if picture.format == "WEBP" else each)
    if needed > _MOST_BYTES:
        raise InputError(
            f"its {width:,} x {height:,} pixels would take {needed / 1e6:,.0f} MB when decoded; make it smaller, or "
            "save it as 8-bit gray or as JPEG"
        )


def _reduced(picture: Image.Image) -> Image.Image:
    """Return the picture with its longer side below 2,048 pixels, by means over squares: a character needs no more."""
    factor = max(1, max(picture.size) // 1024)
    if factor == 1:
        return picture
    picture.draft("L", (picture.width // factor, picture.height // factor))  # which only JPEG can
    if picture.mode == "P":
        picture = picture.convert("RGBA" if "transparency" in picture.info else "L")
    elif picture.mode in ("RGB", "CMYK", "YCbCr", "1", "LAB", "HSV"):
        picture = picture.convert("L")
    factor = max(1, max(picture.size) // 1024)
    if picture.mode.startswith("I") or picture.mode == "F":  # 16 or more bits, which Pillow cannot reduce
        values = np.asarray(picture)
        rows, columns = (size // factor * factor for size in values.shape)
        squares = values[:rows, :columns].reshape(rows // factor, factor, columns // factor, factor)
        return Image.fromarray(squares.mean(axis=(1, 3), dtype=np.float32))
    return picture.reduce(factor)


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
