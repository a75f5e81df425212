"""Pictures of handwritten digits as people photograph, scan and draw them, rendered from MNIST's shapes.

Two parts that share no ingredient: "choose" draws MNIST's training digits, to choose among ways of preparing a
picture, and "test" its test digits, to judge what was chosen. Fonts and random numbers are kept apart as well.

A picture is (H, W, 3) from 0 to 255; a cover, (H, W) from 0 to 1, says how far ink hides each of its pixels.
"""

import colorsys
from collections.abc import Callable, Iterator
from functools import cache, partial
from io import BytesIO

import numpy as np
from numpy.random import Generator
from PIL import Image, ImageDraw, ImageFilter

import drawn
from plainnet import mnist

PARTS = ("choose", "test")
_INKS = ((20, 20, 24), (24, 40, 125), (15, 28, 75), (52, 54, 60), (20, 80, 50), (150, 25, 40), (75, 30, 110))
_PALE = ((250, 222, 80), (255, 180, 195), (130, 215, 240), (165, 230, 150), (255, 195, 120), (200, 200, 200))
_NOTES = ((255, 240, 130), (255, 190, 205), (190, 235, 170), (175, 215, 245), (255, 210, 150))
_TABLES = ((120, 82, 52), (70, 46, 32), (46, 44, 46), (160, 120, 80), (215, 212, 208))
_BOARDS = ((46, 50, 48), (44, 84, 64), (70, 72, 80))
_LINES = ((150, 185, 220), (120, 150, 205), (170, 170, 180), (190, 165, 200))
_FRAMES = ((15, 15, 15), (60, 60, 70), (40, 70, 140), (225, 110, 60))
_SEVERAL = {"two digits": (2,), "row of digits": (3, 4)}
Shape = drawn.Shape
Draw = Callable[[Generator, list[np.ndarray], str], bytes]  # of random numbers, digits (28, 28) and the part: a file
Pictures = Iterator[tuple[str, str, bytes]]


def digit_pictures(part: str, count: int, seed: int = 0) -> Pictures:
    """Yield kind, label and the content of an image file that shows one digit, going round the kinds."""
    return _pictures(KINDS, 1, part, count, seed)


def other_pictures(part: str, count: int, seed: int = 0) -> Pictures:
    """Yield kind, the number read from left to right or "", and a file that shows no single digit."""
    return _pictures(UNSURE, 0, part, count, seed)


def _pictures(kinds: dict[str, Draw], digits: int, part: str, count: int, seed: int) -> Pictures:
    for number in range(count):
        rng = np.random.default_rng([PARTS.index(part), digits, seed, number])
        kind = list(kinds)[number % len(kinds)]
        hand = [_any_digit(rng, part) for _ in range(rng.choice(_SEVERAL.get(kind, (digits,))))]
        yield kind, "".join(label for label, _ in hand), kinds[kind](rng, [digit for _, digit in hand], part)


@cache
def _shapes(part: str) -> list[np.ndarray]:
    """Return the images of each digit that a part may draw."""
    splits = mnist.load()
    data = splits.train if part == "choose" else splits.test
    return [data.images[data.labels == label].reshape(-1, 28, 28) for label in range(10)]


def _any_digit(rng: Generator, part: str) -> tuple[str, np.ndarray]:
    label = int(rng.integers(10))
    return str(label), rng.choice(_shapes(part)[label])


def _shape(rng: Generator, low: int = 100, high: int = 800, slim: float = 0.7) -> tuple[int, int]:
    """Return height and width, the longer between `low` and `high`, the shorter at least a share `slim` of it."""
    longer = low * (high / low) ** rng.random()
    sides = (round(longer), round(longer * rng.uniform(slim, 1)))
    return sides if rng.random() < 0.4 else sides[::-1]


def _across(rng: Generator, shape: Shape, aslant: float = 45) -> np.ndarray:
    """Return coordinates toward a side, up to so many degrees aslant: 0 in the middle, 0.5 there, (H, W, 1)."""
    turn = np.deg2rad(90 * rng.integers(4) + rng.uniform(-aslant, aslant))
    y, x = np.ogrid[-0.5 : 0.5 : shape[0] * 1j, -0.5 : 0.5 : shape[1] * 1j]
    return np.float32(x * np.cos(turn) + y * np.sin(turn))[..., None]


def _painted(ground: np.ndarray, cover: np.ndarray, ink: object) -> np.ndarray:
    return ground + cover.reshape(*ground.shape[:2], 1) * (np.asarray(ink, np.float32) - ground)


def _dark(rng: Generator) -> np.ndarray:
    return np.clip(rng.choice(_INKS) + rng.uniform(-12, 12, 3), 0, 255)


# Grounds: of random numbers and a shape, a picture


def _paper(rng: Generator, shape: Shape, color: object = None, grain: float = 2) -> np.ndarray:
    base = rng.uniform(228, 248) + rng.uniform([-2, -3, -12], [4, 2, 6]) if color is None else color
    return np.float32(base) + grain * (
        rng.standard_normal((*shape[:2], 1), np.float32) + 1.5 * drawn.field(rng, shape, 5, 5)
    )


def _colored(colors: tuple, grain: float) -> Callable:
    return lambda rng, shape: _paper(rng, shape, rng.choice(colors), grain)


def _lined(rng: Generator, shape: Shape, squared: bool = False) -> np.ndarray:
    """Ruled paper, a few with a red margin, or squared paper."""
    apart, angle, first = min(shape) * rng.uniform(0.1, 0.28), rng.normal(0, 0.01), rng.uniform(0, 99)
    wide = max(1, min(shape) * rng.uniform(0.003, 0.009))
    y, x = np.ogrid[: shape[0], : shape[1]]
    picture, color = _paper(rng, shape), rng.choice(_LINES)
    for along in (y - angle * x, x + angle * y) if squared else (y - angle * x,):
        off = np.abs((along + first) % apart - apart / 2)
        picture = _painted(picture, np.clip(wide / 2 + 0.5 - off, 0, 1), color)
    margin = np.abs(x + angle * y - rng.uniform(0.06, 0.14) * shape[1])
    return _painted(picture, np.clip(wide / 2 + 0.5 - margin, 0, 1) * (not squared and first < 33), (225, 120, 130))


def _framed(rng: Generator, shape: Shape, inset: tuple[float, float] = (0, 0)) -> np.ndarray:
    """Paper with a printed frame at its border, or set in by shares of the shorter side."""
    y, x = np.ogrid[: shape[0], : shape[1]]
    left, top, right, bottom = min(shape) * rng.uniform(*inset, 4)
    inside = np.minimum(np.minimum(x - left, shape[1] - 1 - right - x), np.minimum(y - top, shape[0] - 1 - bottom - y))
    cover = np.clip(max(1.5, min(shape) * rng.uniform(0.006, 0.02)) - np.abs(inside), 0, 1)
    return _painted(_paper(rng, shape), cover, rng.choice(_FRAMES))


def _everyday(rng: Generator, shape: Shape) -> np.ndarray:
    return (_WHITE, _paper, _lined, _framed)[rng.integers(4)](rng, shape)


def _noise(rng: Generator, shape: Shape) -> np.ndarray:
    return 128 + 80 * drawn.field(rng, shape, *rng.integers(4, min(shape), 2)) * np.ones(3)


_WHITE, _BLACK, _TABLE = _colored(((255, 255, 255),), 0), _colored(((0, 0, 0),), 0), _colored(_TABLES, 4)
_SQUARED, _BOX = partial(_lined, squared=True), partial(_framed, inset=(0.03, 0.08))


# Effects: of random numbers and a picture, a picture


def _shaded(rng: Generator, picture: np.ndarray) -> np.ndarray:
    """Light that fades to one side, or the soft shadow of a hand."""
    across = _across(rng, picture.shape) - rng.uniform(-0.25, 0.25) + 0.05 * drawn.field(rng, picture.shape, 3, 3)
    return picture * (1 - rng.uniform(0.15, 0.3) * (1 + np.tanh(across / rng.choice((0.05, 0.15, 0.5, 0.8)))))


def _photographed(rng: Generator, picture: np.ndarray) -> np.ndarray:
    """Seen aslant through a lens: vignette, color of the light, blur and the sensor's noise."""
    inward, size = np.array([[1, 1], [1, -1], [-1, -1], [-1, 1]]), picture.shape[1::-1]
    quad = ((inward < 0) + inward * rng.uniform(0, 0.06, (4, 2))) * size
    image = drawn.image(picture).transform(size, Image.Transform.QUAD, quad.ravel().tolist(), drawn.CUBIC)
    sharp = 255 * drawn.cover(image, min(size) * rng.uniform(0.001, 0.005))
    y, x = np.ogrid[-1 : 1 : size[1] * 1j, -1 : 1 : size[0] * 1j]
    light = 1 - rng.uniform(0.05, 0.25) * (y**2 + x**2)[..., None] + rng.uniform(0, 0.3) * _across(rng, picture.shape)
    tint = rng.uniform([0.86, 0.86, 0.65], [1, 0.95, 1])
    return sharp * light * tint + rng.uniform(1, 5) * rng.standard_normal(picture.shape, np.float32)


def _folded(rng: Generator, picture: np.ndarray) -> np.ndarray:
    """A few folds, each with a light and a dark side, or the many of crumpled paper."""
    count = rng.choice((1, 2, 3, 9))
    for _ in range(count):
        off = 12 * (_across(rng, picture.shape) - rng.uniform(-0.4, 0.4))
        shade = np.sign(off) / (1 + np.abs(off) * rng.uniform(0.5, 3)) ** 2
        picture = picture * (1 + rng.uniform(0.03, 0.12 if count < 9 else 0.07) * shade)
        picture = picture + rng.uniform(-25, 10) * (np.abs(off) < 0.04)
    return picture


def _dirty(rng: Generator, picture: np.ndarray) -> np.ndarray:
    """Specks toward a corner or two."""
    page = Image.new("L", picture.shape[1::-1])
    for corner in rng.integers(0, 2, (rng.integers(1, 3), 2)):
        for _ in range(rng.integers(1, 9)):
            x, y = np.abs(corner - np.abs(rng.normal(0, 0.06, 2)).clip(0, 0.14)) * page.size
            wide, tall = min(page.size) * rng.uniform(0.003, 0.018, 2) + 0.5
            ImageDraw.Draw(page).ellipse((x - wide, y - tall, x + wide, y + tall), int(rng.uniform(120, 255)))
    return _painted(picture, drawn.cover(page), rng.choice(((30, 25, 20), (90, 70, 50))))


def _salted(rng: Generator, picture: np.ndarray) -> np.ndarray:
    """Hot pixels: a few of any color, or many, black and white."""
    many, chance = rng.random() < 0.5, rng.random((*picture.shape[:2], 1))
    color = rng.choice((0.0, 255.0), (*picture.shape[:2], 1 if many else 3))
    return np.where(chance < (rng.uniform(0.004, 0.03) if many else 0.0015), color, picture)


def _at_edge(rng: Generator, picture: np.ndarray) -> np.ndarray:
    """The table beside the paper, and the paper's shadow on it."""
    off = rng.uniform(0.32, 0.43) - _across(rng, picture.shape, 5)  # below 0 on the table
    table = _TABLE(rng, picture.shape) * (1 - 0.5 * np.exp(np.clip(40 * off, -20, 0)))
    return _painted(table, np.clip(0.5 + off * min(picture.shape[:2]), 0, 1), picture)


def _sheet(rng: Generator, picture: np.ndarray) -> Image.Image:
    """Return a picture as a sheet, turned a little or not, with transparent around it."""
    sheet = drawn.image(picture).convert("RGBA").rotate(rng.choice((0, rng.uniform(-8, 8))), drawn.CUBIC, expand=True)
    around = Image.new("RGBA", [round(side * rng.uniform(1.05, 1.4)) for side in sheet.size])
    around.paste(sheet, [int(room * rng.uniform(0.2, 0.8)) for room in np.subtract(around.size, sheet.size)])
    return around


def _on_table(rng: Generator, picture: np.ndarray) -> np.ndarray:
    sheet = _sheet(rng, picture)
    alpha = sheet.getchannel("A")
    table = _TABLE(rng, alpha.size[::-1]) * (1 - 0.5 * drawn.cover(alpha, alpha.width / 60)[..., None])
    return _painted(table, drawn.cover(alpha), sheet.convert("RGB"))


def _anyhow(rng: Generator, picture: np.ndarray) -> np.ndarray:
    return (_shaded, _photographed, *[lambda rng, picture: picture] * 3)[rng.integers(5)](rng, picture)


# Files: of random numbers and a picture, the content of a file


def _content(image: Image.Image, form: str = "PNG", **options: object) -> bytes:
    file = BytesIO()
    image.save(file, form, **options)
    return file.getvalue()


def _any_file(rng: Generator, picture: np.ndarray) -> bytes:
    return _content(
        drawn.image(picture), rng.choice(("PNG", "JPEG", "WEBP", "BMP", "TIFF"), p=(0.4, 0.4, 0.1, 0.05, 0.05))
    )


def _jpeg(rng: Generator, picture: np.ndarray, low: int = 60, high: int = 95) -> bytes:
    return _content(drawn.image(picture), "JPEG", quality=int(rng.integers(low, high + 1)))


def _clear(rng: Generator, picture: np.ndarray) -> bytes:
    """Of black on white, ink of a color on nothing."""
    image = Image.new("RGB", picture.shape[1::-1], tuple(_dark(rng).astype(int).tolist()))
    image.putalpha(drawn.image(255 - picture.mean(axis=2)))
    return _content(image.convert(rng.choice(("RGBA", "LA"), p=(0.8, 0.2))))


def _one_bit(rng: Generator, picture: np.ndarray) -> bytes:
    """Black and white, by dots of the one or by a threshold."""
    gray = picture.mean(axis=2)
    bits = drawn.image(gray if rng.random() < 0.4 else 255 * (gray > 150)).convert("1")
    return _content(bits, rng.choice(("PNG", "TIFF", "PPM", "BMP")))


def _palette(rng: Generator, picture: np.ndarray) -> bytes:
    return _content(drawn.image(picture).quantize(int(rng.integers(3, 33))), "GIF")


def _turned(rng: Generator, picture: np.ndarray) -> bytes:
    """Stored sidewise or upside down, with the note in EXIF that says so."""
    exif = Image.Exif()
    exif[0x0112], turns = ((3, 2), (6, 1), (8, 3))[rng.integers(3)]
    return _content(drawn.image(np.rot90(picture, turns)), "JPEG", exif=exif, quality=85)


# Kinds: of random numbers, the digits to draw and the part, the content of a file


def _kind(
    *effects: Callable, ground: Callable = _paper, sides: tuple = (100, 800), share: tuple = (0.4, 0.75),
    pen: tuple | None = None, tilt: float = 0, at: tuple = (0.3, 0.7), ink: Callable = _dark, rough: float = 1,
    other: Callable | None = None, by_part: Callable | None = None, file: Callable = _any_file,
) -> Draw:  # fmt: skip
    """Return what writes digits on a ground, or what `other` draws instead, applies effects and makes a file.

    `share`: how tall a digit is, of the picture's shorter side. `pen`: its line, of the digit. `tilt`: degrees at
    most. `at`: where it stands in the room left. `rough`: the least that a grainy ink covers.
    """

    def draw(rng: Generator, hand: list[np.ndarray], part: str) -> bytes:
        shape = _shape(rng, *sides)
        if hand:
            row = drawn.row(rng, hand, min(shape) * rng.uniform(*share), pen, tilt)
            shape = (shape[0], max(shape[1], int(row.width * rng.uniform(1.1, 1.6)))) if len(hand) > 1 else shape
            cover = drawn.placed(rng, row, shape, at)
        else:
            cover = other(rng, shape, part) if other else np.zeros(shape)
        if rough < 1:  # as chalk and pencil are
            grain = np.clip(0.8 + 0.35 * rng.standard_normal(shape, np.float32), rough, 1)
            cover = drawn.cover(drawn.image(255 * cover * grain), 0.6)
        picture = _painted(ground(rng, shape), cover, ink(rng))
        for effect in (*effects, *([partial(by_part, part=part)] if by_part else ())):
            picture = effect(rng, picture)
        return file(rng, picture)

    return draw


def _captioned(rng: Generator, picture: np.ndarray, part: str) -> np.ndarray:
    text, (height, width, _) = " ".join(rng.choice(drawn.WORDS.split(), 3)), picture.shape
    tall = min(1.3 * width / len(text), 0.05 * height)
    return _painted(picture, drawn.typed(rng, picture.shape, text, tall, rng.uniform(0.92, 0.95), part), (40, 40, 40))


def _seen_through(rng: Generator, picture: np.ndarray, part: str) -> np.ndarray:
    """The writing on the back of the sheet, mirrored."""
    for _ in range(rng.integers(2, 5)):
        strokes = drawn.strokes(rng, _any_digit(rng, part)[1], min(picture.shape[:2]) * rng.uniform(0.2, 0.5))
        soft = strokes.filter(ImageFilter.GaussianBlur(max(picture.shape) / 200))
        cover = drawn.placed(rng, soft, picture.shape, (0, 1))[:, ::-1, None]
        picture = picture * (1 - rng.uniform(0.04, 0.12) * cover)
    return picture


def _hue_only(rng: Generator, hand: list[np.ndarray], part: str) -> bytes:
    """Ink and ground of the same brightness."""
    first, light, colors = rng.random(), rng.uniform(90, 160), []
    for hue in (first, first + rng.uniform(0.33, 0.67)):
        pure = 255 * np.array(colorsys.hsv_to_rgb(hue % 1, 1, 1))
        own = pure @ (0.299, 0.587, 0.114)
        colors.append(pure * light / own if light < own else 255 - (255 - pure) * (255 - light) / (255 - own))
    ground = partial(_paper, color=colors[0], grain=rng.choice((0, 1.5)))
    return _kind(ground=ground, ink=lambda rng: colors[1], pen=(0.08, 0.15))(rng, hand, part)


def _as_stored(rng: Generator, hand: list[np.ndarray], part: str) -> bytes:
    """28x28 as MNIST has it, or 32x32, light on dark or the reverse."""
    image = np.pad(hand[0], rng.choice((0, 0, 2)))
    return _content(Image.fromarray(image if rng.random() < 0.7 else 255 - image))


KINDS: dict[str, Draw] = {  # that show one digit
    "pen on white": _kind(ground=_WHITE),
    "ruled paper": _kind(ground=_lined, share=(0.3, 0.7)),
    "squared paper": _kind(ground=_SQUARED, share=(0.3, 0.7)),
    "shadow": _kind(_shaded),
    "form cell": _kind(ground=_framed, share=(0.4, 0.7)),
    "frame inside": _kind(ground=_BOX, share=(0.4, 0.65)),
    "thin pen": _kind(pen=(0.02, 0.035)),
    "thick marker": _kind(pen=(0.13, 0.17), share=(0.5, 0.85)),
    "ink on transparent": _kind(ground=_WHITE, ink=lambda rng: 0, at=(0.2, 0.8), file=_clear),
    "card on transparent": _kind(file=lambda rng, picture: _content(_sheet(rng, picture))),
    "small, off center": _kind(sides=(200, 900), share=(0.14, 0.25), at=(0.05, 0.95)),
    "in a corner": _kind(sides=(200, 800), share=(0.2, 0.4), at=(0.01, 0.06)),
    "hue only": _hue_only,
    "pale ink": _kind(ground=_WHITE, ink=lambda rng: rng.choice(_PALE), pen=(0.08, 0.15)),
    "chalk": _kind(_shaded, ground=_colored(_BOARDS, 6), ink=lambda rng: 225, pen=(0.06, 0.12), rough=0.45),
    "specks": _kind(_dirty, share=(0.4, 0.65)),
    "strong JPEG": _kind(file=partial(_jpeg, low=5, high=14)),
    "16 bits": _kind(file=lambda rng, picture: _content(Image.fromarray(np.uint16(250 * picture.mean(axis=2))))),
    "hot pixels": _kind(_salted),
    "tilted": _kind(tilt=12),
    "caption": _kind(by_part=_captioned, sides=(220, 800), share=(0.45, 0.65)),
    "folds": _kind(_folded),
    "photograph": _kind(_photographed, ground=partial(_paper, grain=4), sides=(250, 1000), file=_jpeg),
    "pencil": _kind(ink=lambda rng: rng.uniform(110, 170), pen=(0.03, 0.06), rough=0.45),
    "large": _kind(_shaded, sides=(1600, 1600), share=(0.09, 0.13), file=_jpeg),
    "tiny": _as_stored,
    "palette": _kind(file=_palette),
    "one bit": _kind(file=_one_bit),
    "drawing program": _kind(ground=_WHITE, sides=(280, 280, 1), share=(0.5, 0.9), pen=(0.06, 0.12), ink=lambda rng: 0),
    "seen through": _kind(by_part=_seen_through, pen=(0.03, 0.05), rough=0.7),
    "edge of the table": _kind(_at_edge, _photographed, share=(0.25, 0.45), file=_jpeg),
    "turned by EXIF": _kind(_photographed, file=_turned),
    "sticky note": _kind(_on_table, _photographed, ground=_colored(_NOTES, 2)),
    "kraft paper": _kind(ground=_colored(((196, 160, 118), (170, 140, 105)), 7), pen=(0.06, 0.13)),
    "night": _kind(lambda rng, picture: picture * rng.uniform(0.2, 0.4) + rng.normal(12, 6, picture.shape)),
    "light on black": _kind(ground=_BLACK, ink=lambda rng: rng.uniform(170, 255, 3)),
}  # fmt: skip

UNSURE: dict[str, Draw] = {  # that show none, or several
    "two digits": _kind(_anyhow, ground=_everyday, sides=(80, 300)),
    "row of digits": _kind(_anyhow, ground=_everyday, sides=(80, 250)),
    "letter": _kind(_anyhow, ground=_everyday, other=drawn.letter),
    "blank paper": _kind(),
    "blank paper in shadow": _kind(_shaded),
    "blank ruled paper": _kind(ground=_lined),
    "blank squared paper": _kind(_photographed, ground=_SQUARED),
    "blank form cell": _kind(ground=_framed),
    "blank paper on a table": _kind(_at_edge, _photographed),
    "disc": _kind(_anyhow, ground=_everyday, other=drawn.disc),
    "scribble": _kind(_anyhow, ground=_everyday, other=drawn.scribble),
    "line drawing": _kind(_anyhow, ground=_everyday, other=drawn.line_drawing),
    "printed text": _kind(_anyhow, ground=_everyday, other=drawn.text),
    "noise": _kind(ground=_noise),
}
