"""Train the small network that tells digits from whatever else people draw, which `predict` asks beside the model.

Digits: MNIST's training images, and the digits of the fonts on this machine, so that print is no reason to refuse.
Everything else: letters and signs of the same fonts (but for those that look like digits), lines, polygons, arrows and
scribbles, pairs of digits that touch, halves of digits, and digits lying on their side. Each is drawn large, with a pen
of another width, bent and slanted, and then placed as `predict` does it. The more fonts, the better: the record says
how many there were.

    python benchmarks/digit_or_not.py          # writes src/plainnet/sources/pen/digit_or_not.safetensors and a record
"""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFilter, ImageFont

from plainnet import Adam, DataSet, Model, Network, SoftmaxCrossEntropy, epochs, mnist, save_model
from plainnet.data.augmentation import Augmentation
from plainnet.layers import BatchNorm, Conv2D, Dense, Flatten, MaxPool, ReLU
from plainnet.runs.environment import hardware, versions
from plainnet.schedules import one_cycle
from plainnet.sources.pen.placing import placed
from plainnet.writing import to_json, write_atomically

ROOT = Path(__file__).parents[1]
MODEL = ROOT / "src/plainnet/sources/pen/digit_or_not.safetensors"
EXAMPLES, EPOCHS, CLEAN, HELD_OUT, SEED = 120_000, 8, 5, 8000, 1
SHARES = {"mnist": 0.30, "print": 0.20, "sign": 0.34, "lines": 0.08, "pair": 0.05, "part": 0.03}
DIGITS = "0123456789"
SIGNS = "ABCDEFGHJKLMNPQRTUVWXYacdefhjkmnprtuvwxy+=?%&@#*!<>{}$€£±÷~^§¶√∑πΩΔΘΨΣαβγδλμξφ"  # but O, I, S, Z, b, g, l, q
NO_LETTERS = ("BRK", "Emoji", "Symbol", "Dingbat", "D050000L", "Abecedario", "Math", "pautada", "Elusive")

rng = np.random.default_rng(SEED)
learn = mnist.load().train


def fonts() -> list[tuple[ImageFont.FreeTypeFont, bytes]]:
    """Return the fonts of this machine that have letters, each with the sign that it shows for one it lacks."""
    found = []
    for line in sorted(set(subprocess.check_output(["fc-list", ":", "file", "family"], text=True).splitlines())):
        path = line.split(":")[0].strip()
        if path.lower().endswith((".ttf", ".otf")) and not any(word in line for word in NO_LETTERS):
            try:
                font = ImageFont.truetype(path, 96)
                if all(font.getmask(sign).getbbox() for sign in "A8z") and bytes(font.getmask("A")) != bytes(
                    font.getmask("B")
                ):
                    found.append((font, bytes(font.getmask("\uffff"))))
            except (OSError, ValueError):
                continue
    return found


FONTS = fonts()


def sign(signs: str) -> np.ndarray:
    """Return one of the signs in one of the fonts."""
    while True:
        chosen, (font, lacking) = signs[rng.integers(len(signs))], FONTS[rng.integers(len(FONTS))]
        if bytes(font.getmask(chosen)) == lacking:
            continue
        picture = Image.new("L", (240, 240))
        ImageDraw.Draw(picture).text((60, 40), chosen, font=font, fill=255)
        box = picture.getbbox()
        if box is not None and box[3] - box[1] >= 12:
            return np.asarray(picture.crop(box))


def digit() -> np.ndarray:
    """Return one of MNIST's digits, three times as large."""
    large = np.asarray(
        Image.fromarray(learn.images[rng.integers(len(learn))]).resize((84, 84), Image.Resampling.BICUBIC)
    )
    rows, columns = np.flatnonzero(large.max(axis=1) > 60), np.flatnonzero(large.max(axis=0) > 60)
    return large[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]


def pair() -> np.ndarray:
    """Return two digits that touch."""
    first, second = digit(), digit()
    overlap = int(rng.integers(1 + min(first.shape[1], second.shape[1], 14) // 2))
    width = first.shape[1] + second.shape[1] - overlap
    both = np.zeros((max(len(first), len(second)), width), np.uint8)
    both[: len(first), : first.shape[1]] = first
    right = both[: len(second), width - second.shape[1] :]
    np.maximum(right, second, out=right)
    return both


def part() -> np.ndarray:
    """Return a half of a digit, or one that lies on its side."""
    whole, share, kind = digit(), rng.uniform(0.4, 0.6), rng.integers(4)
    height = int(len(whole) * share)
    return (whole[:height], whole[height:], np.rot90(whole), np.rot90(whole, 3))[kind]


def lines() -> np.ndarray:
    """Return a drawing of lines: a scribble, a polygon, an arrow, a face, or strokes side by side."""
    picture, width = Image.new("L", (110, 110)), int(rng.integers(3, 13))
    pen, kind = ImageDraw.Draw(picture), rng.integers(6)

    def points(count: int) -> list[tuple[float, float]]:
        return [tuple(point) for point in rng.uniform(10, 100, (count, 2)).tolist()]

    if kind == 0:
        t = np.linspace(0, 2 * np.pi, 200)
        waves = [
            rng.normal(0, 1 / f, (2, 1)) * np.sin(f * t + rng.uniform(0, 6.3, (2, 1)))
            for f in range(1, rng.integers(3, 7))
        ]
        curve = np.sum(waves, axis=0)
        curve = (curve - curve.min(axis=1, keepdims=True)) / np.ptp(curve, axis=1, keepdims=True) * 80 + 15
        pen.line([tuple(point) for point in curve.T.tolist()], fill=255, width=width, joint="curve")
    elif kind == 1:
        pen.line(points(rng.integers(4, 9)), fill=255, width=width, joint="curve")
    elif kind == 2:
        pen.polygon(points(rng.integers(3, 6)), outline=255, width=width)
    elif kind == 3:
        start, end = np.array(points(2))
        along = (end - start) / (np.linalg.norm(end - start) + 1e-6)
        across = np.array([-along[1], along[0]])
        pen.line([tuple(start), tuple(end)], fill=255, width=width)
        for side in (-1, 1):
            pen.line([tuple(end), tuple(end - 25 * along + side * 17 * across)], fill=255, width=width)
    elif kind == 4:
        pen.ellipse((12, 12, 98, 98), outline=255, width=width)
        for place in (38, 72):
            pen.ellipse((place - 5, 35, place + 5, 45), fill=255)
        pen.arc((35, 50, 75, 80), 0, 180, fill=255, width=width)
    else:
        for _ in range(rng.integers(3, 6)):
            pen.line(points(2), fill=255, width=width)
    return np.asarray(picture)


def as_by_hand(drawn: np.ndarray) -> np.ndarray:
    """Return a drawing with another pen, slanted, stretched and bent."""
    picture = Image.fromarray(np.pad(drawn, 20))
    kind = rng.integers(4)
    if kind == 1:
        picture = picture.filter(ImageFilter.MaxFilter(int(rng.choice([3, 5, 7, 9]))))
    elif kind == 2:
        thinner = picture.filter(ImageFilter.MinFilter(int(rng.choice([3, 5]))))
        if (np.asarray(thinner) > 127).sum() > 0.25 * (np.asarray(picture) > 127).sum():
            picture = thinner
    width, height = picture.size
    angle, slant, stretch = np.radians(rng.normal(0, 8)), rng.normal(0, 0.15), np.exp(rng.normal(0, 0.12))
    turn = np.array([[np.cos(angle) * stretch, slant - np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    center = np.array([width / 2, height / 2])
    offset = center - turn @ center
    coefficients = (*turn[0], offset[0], *turn[1], offset[1])
    picture = picture.transform((width, height), Image.Transform.AFFINE, coefficients, Image.Resampling.BILINEAR)

    def waves(size: int) -> np.ndarray:
        heights = rng.normal(0, 0.03 * size, (5, 5)).astype(np.float32)
        return np.asarray(Image.fromarray(heights).resize((width, height), Image.Resampling.BICUBIC))

    rows, columns = np.indices((height, width))
    rows = np.clip(rows + waves(height), 0, height - 1).round().astype(int)
    columns = np.clip(columns + waves(width), 0, width - 1).round().astype(int)
    return np.asarray(picture)[rows, columns]


def examples(count: int) -> tuple[np.ndarray, np.ndarray]:
    """Return images (N, 28, 28), and whether each is a digit."""
    draw = {
        "mnist": digit, "print": lambda: sign(DIGITS), "sign": lambda: sign(SIGNS), "lines": lines, "pair": pair,
        "part": part,
    }  # fmt: skip
    images, labels = [], []
    while len(images) < count:
        kind = str(rng.choice(list(SHARES), p=list(SHARES.values())))
        try:
            images.append(placed(as_by_hand(np.ascontiguousarray(draw[kind]())) / 255))
        except ValueError:  # nothing is left of it
            continue
        labels.append(kind in ("mnist", "print"))
    return np.stack(images), np.array(labels)


def main() -> None:
    """Draw the examples, train, and save the model and the record."""
    started = time.time()
    images, labels = examples(EXAMPLES)
    names = ("something else", "digit")
    train, held_out = (
        DataSet(images[s], labels[s].astype(np.uint8), names) for s in (slice(HELD_OUT, None), slice(HELD_OUT))
    )
    network = Network(
        Conv2D(16, size=5, stride=2), BatchNorm(), ReLU(), Conv2D(32, size=3), BatchNorm(), MaxPool(), ReLU(),
        Conv2D(32, size=3), BatchNorm(), ReLU(), Flatten(), Dense(64), ReLU(), Dense(2),
    ).build((28, 28), rng=SEED)  # fmt: skip
    change = Augmentation(rotation=12, scale=0.1, shear=0.1, shift=1.5, elastic=0.4)
    history = []
    for epoch in epochs(
        network, SoftmaxCrossEntropy(label_smoothing=0.02), Adam(), train, held_out, batch_size=128, epochs=EPOCHS,
        learning_rate=one_cycle(0.004, warm_up=0.2), augmentation=change, clean_epochs=CLEAN, averaging=0.999, rng=SEED,
    ):  # fmt: skip
        print(epoch)
        history.append(epoch.to_table())
    about = {
        "made_by": "benchmarks/digit_or_not.py",
        "fonts": len(FONTS),
        "held_out_accuracy": history[-1]["validation_accuracy"],
    }
    save_model(MODEL, Model(network, names, about))
    record = about | {
        "examples": EXAMPLES, "shares": SHARES, "seed": SEED, "parameters": network.theta.size, "history": history,
        "seconds": round(time.time() - started, 1), "versions": versions(), "hardware": hardware(),
    }  # fmt: skip
    write_atomically(ROOT / "records/digit_or_not.json", to_json(record))


if __name__ == "__main__":
    sys.exit(main())
