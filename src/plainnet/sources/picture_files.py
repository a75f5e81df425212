"""Opens picture files of all common formats, with a limit on memory, and converts them to arrays."""

from __future__ import annotations

import io
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

from plainnet.errors import InputError
from plainnet.foreign.opening import open_file

ENDINGS = (".png", ".jpg", ".jpeg", ".gif", ".bmp", ".tif", ".tiff", ".webp", ".ppm", ".pgm", ".pbm", ".jpe", ".jfif")
_FORMATS = ("PNG", "JPEG", "GIF", "BMP", "TIFF", "WEBP", "PPM")  # formats that run no program and need no other library
_MOST_PIXELS, _MOST_BYTES = 150_000_000, 300_000_000
_BYTES = {"1": 2, "L": 1, "P": 2, "LA": 8, "RGB": 5, "RGBA": 8, "I;16": 4}  # of a pixel in memory
_SIDE = 1024  # pixels: the content of a picture never needs more


@contextmanager
def opened(source: str | Path | bytes, name: str | None = None) -> Iterator[Image.Image]:
    """Provide the picture in a file or in its content, upright, with its longer side below 2,048 pixels.

    Raises: `InputError` if it is not a picture, would take too much memory, or fails while it is used.
    """
    where = name or (f"the image {source}" if not isinstance(source, bytes) else "the image")
    with io.BytesIO(source) if isinstance(source, bytes) else open_file(source, "image") as file:
        try:
            with warnings.catch_warnings(action="ignore"), _unlimited(), Image.open(file, formats=_FORMATS) as picture:
                if picture.width * picture.height > _SIDE * _SIDE:
                    _check_size(picture)
                yield ImageOps.exif_transpose(_reduced(picture))
        except InputError as error:
            raise InputError(f"cannot read {where}: {error}") from error
        except Exception as error:  # picture readers raise many kinds of errors for damaged files
            reason = getattr(error, "strerror", None) or "it is not a picture that can be opened"
            raise InputError(f"cannot read {where}: {reason}; give a PNG, JPEG or similar file") from error


@contextmanager
def _unlimited() -> Iterator[None]:
    """Let Pillow open headers of any size; `_check_size` checks the size and gives a reason."""
    limit, Image.MAX_IMAGE_PIXELS = Image.MAX_IMAGE_PIXELS, None
    try:
        yield
    finally:
        Image.MAX_IMAGE_PIXELS = limit


def _check_size(picture: Image.Image) -> None:
    """Check that a picture does not take too much memory, before anything is decoded.

    Raises: `InputError` if it does.
    """
    width, height = picture.size
    if width * height > _MOST_PIXELS:
        raise InputError(f"it has {width:,} x {height:,} pixels, but at most {_MOST_PIXELS:,} can be read")
    each = _BYTES.get(picture.mode, 12)
    if picture.format == "JPEG":  # decoded at the needed size; a progressive one keeps all its coefficients
        each = 2 * len(picture.getbands()) if picture.info.get("progressive") else 0
    needed = width * height * (14 if picture.format == "WEBP" else each)
    if needed > _MOST_BYTES:
        raise InputError(
            f"its {width:,} x {height:,} pixels would take {needed / 1e6:,.0f} MB when decoded; make it smaller, or "
            "save it as 8-bit gray or as JPEG"
        )


def _reduced(picture: Image.Image) -> Image.Image:
    """Return the picture with its longer side below 2,048 pixels, reduced by averaging squares."""
    factor = max(1, max(picture.size) // _SIDE)
    if factor == 1:
        return picture
    picture.draft("RGB", (picture.width // factor, picture.height // factor))  # has an effect only for JPEG
    if picture.mode == "P":
        picture = picture.convert("RGBA" if "transparency" in picture.info else "RGB")
    elif picture.mode in ("CMYK", "YCbCr", "LAB", "HSV"):
        picture = picture.convert("RGB")
    elif picture.mode == "1":
        picture = picture.convert("L")
    factor = max(1, max(picture.size) // _SIDE)
    if is_deep(picture):  # 16 or more bits, which Pillow cannot reduce
        values = np.asarray(picture)
        rows, columns = (size // factor * factor for size in values.shape)
        squares = values[:rows, :columns].reshape(rows // factor, factor, columns // factor, factor)
        return Image.fromarray(squares.mean(axis=(1, 3), dtype=np.float32))
    return picture.reduce(factor)


def is_deep(picture: Image.Image) -> bool:
    """Return whether the picture has 16 or more bits per pixel."""
    return picture.mode.startswith("I") or picture.mode == "F"


def layers(picture: Image.Image) -> tuple[np.ndarray, np.ndarray | None]:
    """Return brightness (H, W, 1) or colors (H, W, 3) as bytes, and the opacity (H, W) if not all pixels are opaque.

    For deep pictures, white is 255 or, if a value is larger, 65,535; for floating-point values it can also be 1.
    """
    if is_deep(picture):
        values = np.asarray(picture, np.float32)
        largest = float(values.max(initial=0))
        white = next((w for w in (1, 255, 65_535) if largest <= w and (w > 1 or picture.mode == "F")), largest)
        return (np.clip(values / white, 0, 1) * 255).round().astype(np.uint8)[..., None], None
    if picture.mode == "P":
        picture = picture.convert("RGBA" if "transparency" in picture.info else "RGB")
    elif picture.mode not in ("L", "RGB", "RGBA", "LA"):
        picture = picture.convert("L" if picture.mode == "1" else "RGB")
    if "transparency" in picture.info and picture.mode in ("L", "RGB"):
        picture = picture.convert("RGBA")
    array = np.asarray(picture)
    if array.ndim == 2:
        return array[..., None], None
    alpha = array[..., -1] if picture.mode in ("LA", "RGBA") else None
    colors = array[..., :-1] if alpha is not None else array
    return colors, None if alpha is None or bool((alpha == 255).all()) else alpha


def is_gray(colors: np.ndarray) -> bool:
    """Return whether colors (H, W, 3) or (H, W, 1) are shades of gray."""
    if colors.shape[2] == 1:
        return True
    return bool((colors[..., 0] == colors[..., 1]).all() and (colors[..., 1] == colors[..., 2]).all())


def as_stored(picture: Image.Image, size: tuple[int, int], channels: int) -> np.ndarray:
    """Return a picture as bytes, (H, W) for one channel or (H, W, 3), on a white background where it is transparent.

    It is resized only if its size is not `size` (height, width).
    """
    colors, alpha = layers(picture)
    if alpha is not None:
        share = alpha[..., None].astype(np.float32) / 255
        colors = (colors * share + 255 * (1 - share)).round().astype(np.uint8)
    if channels == 1 and colors.shape[2] == 3:
        colors = colors[..., :1] if is_gray(colors) else np.asarray(Image.fromarray(colors).convert("L"))[..., None]
    elif channels == 3 and colors.shape[2] == 1:
        colors = np.repeat(colors, 3, axis=2)
    if colors.shape[:2] != size:
        drawn = Image.fromarray(colors[..., 0] if channels == 1 else colors)
        smaller = colors.shape[0] >= size[0] and colors.shape[1] >= size[1]
        resampling = Image.Resampling.BOX if smaller else Image.Resampling.BICUBIC
        colors = np.asarray(drawn.resize(size[::-1], resampling)).reshape(*size, channels)
    return colors[..., 0] if channels == 1 else colors
