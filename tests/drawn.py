"""What is drawn on a picture: covers of strokes, letters, lines of print, drawings and scribbles.

A cover, (H, W) from 0 to 1, says how far ink hides each pixel of a picture.
"""

from pathlib import Path

import matplotlib
import numpy as np
from numpy.random import Generator
from PIL import Image, ImageDraw, ImageFilter, ImageFont

_FONTS = {"choose": "DejaVuSans*.ttf", "test": "DejaVuSerif*.ttf"}  # Sans Mono among the first
_LETTERS = "ACEFHKMNPRTUVWXYadefhkmnrtwx"  # none that a digit looks like
WORDS = "name date total please write one digit in each box form page city street number paid by order sum"
CUBIC = Image.Resampling.BICUBIC
Shape = tuple[int, ...]


def field(rng: Generator, shape: Shape, down: int = 4, across: int = 4) -> np.ndarray:
    """Return smooth noise, mostly between -1 and 1, (H, W, 1), of so many cells down and across."""
    grid = Image.fromarray(rng.uniform(-1, 1, (down, across)).astype(np.float32))
    return np.asarray(grid.resize(shape[1::-1], CUBIC))[..., None]


def image(picture: np.ndarray) -> Image.Image:
    return Image.fromarray(np.uint8(np.clip(picture, 0, 255)))


def cover(page: Image.Image, blur: float = 0) -> np.ndarray:
    return np.asarray(page.filter(ImageFilter.GaussianBlur(blur)), np.float32) / 255


def _thinned(shape: np.ndarray) -> np.ndarray:
    """Return the middle lines of a shape, both boolean, by the method of Zhang and Suen (1984)."""
    steps = ((1, 0), (1, -1), (0, -1), (-1, -1), (-1, 0), (-1, 1), (0, 1), (1, 1))  # clockwise from above
    before = np.zeros_like(shape)
    while (before != shape).any():
        before = shape
        for turn in (0, 2):
            around = [np.roll(shape, step, (0, 1)) for step in steps]
            up, right, down, left = np.roll(around[::2], turn, axis=0)
            count = np.sum(around, axis=0, dtype=np.uint8)
            rises = np.sum([~around[k - 1] & around[k] for k in range(8)], axis=0, dtype=np.uint8)
            shape = shape & ~((rises == 1) & (count >= 2) & (count <= 6) & ~(right & down & (up | left)))
    return shape


def strokes(rng: Generator, digit: np.ndarray, tall: float, pen: tuple | None = None, tilt: float = 0) -> Image.Image:
    """Return a character with its longer side `tall`: MNIST's own strokes, or drawn anew with a pen.

    `pen` bounds the width of its line as a share of `tall`; without it, the line is about as wide as MNIST's.
    """
    rows, columns = np.flatnonzero(digit.max(axis=1) > 60), np.flatnonzero(digit.max(axis=0) > 60)
    ink = np.pad(digit[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1], 2)
    own = pen is None and rng.random() < 0.5
    scale = tall / (max(ink.shape) - 4) if own else 6
    large = Image.fromarray(ink).resize([round(side * scale) for side in ink.shape[::-1]], CUBIC)
    values = 255 * cover(large, 0.35 * scale) - 95
    if own:
        page = image(255 * np.clip(values * max(scale, 1) / 160 + 0.5, 0, 1))
    else:
        points = np.argwhere(_thinned(values > 0)).astype(float)
        near = np.exp(-np.minimum(((points[:, None] - points) ** 2).sum(axis=2), 500) / 18)
        points = near @ points / near.sum(axis=1, keepdims=True)  # without the steps of pixels
        points -= points.min(axis=0)
        wide = rng.uniform(*pen) if pen else np.clip((values > 0).sum() / len(points) / 130, 0.05, 0.16)
        fine = int(np.clip(400 / tall, 1, 4))  # drawn larger, then reduced
        wide = max(wide * tall, 1.3) * fine
        points *= (tall * fine - wide) / max(points.max(), 1)
        radii = wide / 2 * (1 + rng.uniform(0, 0.25) * field(rng, (1, len(points)), 1, 6).ravel())  # by pressure
        page = Image.new("L", [int(side + 2 * wide + 2) for side in points.max(axis=0)[::-1]])
        for (y, x), radius in zip(points + wide, radii, strict=True):
            ImageDraw.Draw(page).ellipse((x - radius, y - radius, x + radius, y + radius), 255)
        page = page.reduce(fine)
    page = page.rotate(rng.choice((-1, 1)) * rng.uniform(0.5, 1) * tilt, CUBIC, expand=True)
    return page.crop(page.getbbox())


def row(rng: Generator, hand: list[np.ndarray], tall: float, pen: tuple | None, tilt: float) -> Image.Image:
    """Return digits of one size on one line, clearly apart."""
    digits = [strokes(rng, digit, tall * rng.uniform(0.92, 1), pen, tilt) for digit in hand]
    apart = round(tall * rng.uniform(0.25, 0.6))
    page, x = Image.new("L", (sum(stroke.width + apart for stroke in digits), round(1.3 * tall))), 0
    for stroke in digits:
        page.paste(stroke, (x, round(0.65 * tall - stroke.height / 2 + tall * rng.uniform(-0.04, 0.04))))
        x += stroke.width + apart
    return page.crop(page.getbbox())


def placed(rng: Generator, strokes: Image.Image, shape: Shape, at: tuple = (0.3, 0.7)) -> np.ndarray:
    """Return the cover of strokes, placed between two shares of the room there is, from a side or the opposite one."""
    page, share = Image.new("L", shape[1::-1]), np.abs(rng.integers(0, 2, 2) - rng.uniform(*at, 2))
    page.paste(strokes, [int(room) for room in np.subtract(page.size, strokes.size) * share])
    return cover(page)


def typed(rng: Generator, shape: Shape, text: str, tall: float, y: float, part: str) -> np.ndarray:
    """Return the cover of a printed line, its middle at a share `y` of the picture's height."""
    files = sorted(Path(matplotlib.get_data_path(), "fonts", "ttf").glob(_FONTS[part]))
    font = ImageFont.truetype(rng.choice([str(file) for file in files if "Display" not in file.name]), max(tall, 7))
    page = Image.new("L", shape[1::-1])
    ImageDraw.Draw(page).text((shape[1] / 2, y * shape[0]), text, 255, font, "mm")
    return cover(page)


def letter(rng: Generator, shape: Shape, part: str) -> np.ndarray:
    """Printed, or in handwriting."""
    text, tall = rng.choice(list(_LETTERS)), min(shape) * rng.uniform(0.4, 0.8)
    if rng.random() < 0.5:
        return typed(rng, shape, text, tall, 0.5, part)
    small = np.uint8(255 * typed(rng, (28, 28), text, 20, 0.5, part))
    return placed(rng, strokes(rng, small, tall, (0.04, 0.1)), shape)


def text(rng: Generator, shape: Shape, part: str) -> np.ndarray:
    text = " ".join(rng.choice(WORDS.split(), rng.integers(2, 6)))
    return typed(rng, shape, text, 1.4 * shape[1] / len(text), rng.uniform(0.2, 0.8), part)


def line_drawing(rng: Generator, shape: Shape, part: str) -> np.ndarray:
    """A face, a house or an arrow."""
    page, which, tall = Image.new("L", (176, 176)), rng.integers(3), min(shape) * rng.uniform(0.4, 0.8)
    brush = ImageDraw.Draw(page)
    if which == 0:
        brush.ellipse((16, 16, 160, 160), outline=255, width=15)
        brush.arc((52, 64, 124, 132), 20, 160, fill=255, width=14)
        for x in (64, 110):
            brush.line((x, 50, x, 66), 255, 14)
    elif which == 1:
        brush.line((32, 80, 32, 160, 144, 160, 144, 80, 32, 80, 88, 20, 144, 80), 255, 14)
        brush.line((72, 160, 72, 112, 104, 112, 104, 160), 255, 14)
    else:
        brush.line((16, rng.integers(50, 130), 160, 88), 255, 14)
        brush.line((120, 52, 160, 88, 120, 124), 255, 14)
        page = page.rotate(rng.uniform(0, 360), CUBIC)
    return placed(rng, strokes(rng, np.asarray(page.reduce(4)), tall, (0.015, 0.05)), shape)


def scribble(rng: Generator, shape: Shape, part: str) -> np.ndarray:
    """To and fro: in straight lines, or in loops."""
    turn = np.linspace(0, rng.uniform(44, 88), 400)
    loops = np.stack([np.cos(turn) + np.cos(rng.uniform(0.1, 0.5) * turn), 1.5 * np.sin(1.1 * turn)], axis=1)
    line = loops if rng.random() < 0.5 else rng.uniform(-1.8, 1.8, (rng.integers(20, 50), 2))
    page = Image.new("L", (2 * shape[1], 2 * shape[0]))
    points = np.divide(page.size, 2) + min(shape) * rng.uniform(0.2, 0.45) * line
    ImageDraw.Draw(page).line(
        points.ravel().tolist(), 255, max(2, round(min(shape) * rng.uniform(0.02, 0.05))), "curve"
    )
    return cover(page.reduce(2))


def disc(rng: Generator, shape: Shape, part: str) -> np.ndarray:
    y, x = np.ogrid[-1 : 1 : shape[0] * 1j, -1 : 1 : shape[1] * 1j]
    tall, wide = rng.uniform(0.2, 0.6, 2)
    return np.clip((1 - (y / tall) ** 2 - (x / wide) ** 2) * min(shape) / 6, 0, 1)
