"""Reads a picture: finds its digits, or the reason why there is none."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from PIL import Image, ImageFilter

from plainnet.sources.pen.components import Piece, could_be_all, is_edge, is_frame, labeled, pieces
from plainnet.sources.pen.paper import colors_of, ink_of
from plainnet.sources.pen.placing import placed, stroke_width

NOTHING, SEVERAL, FAINT, NO_DIGIT, NOT_SURE = "nothing drawn", "several digits", "too faint", "no digit", "not sure"
_DRAWN = 0.35  # of the full ink: pixels above this are drawn
_NEAR = 0.25  # of a digit's size: parts nearer than this belong to the digit
_MOST_DIGITS, _MOST_PIECES = 20, 60


@dataclass(frozen=True, eq=False)
class Digit:
    """One digit: its box as shares of the sides of the picture, and the image (28, 28) for the network."""

    box: tuple[float, float, float, float]  # top, bottom, left, right
    image: np.ndarray
    shape: str | None = None  # what is wrong with its shape, if it cannot be a digit


@dataclass(frozen=True, eq=False)
class Reading:
    """The result: digits from left to right, or the reason why there are none; and the steps, for a picture of them."""

    digits: tuple[Digit, ...] = ()
    reason: str | None = None
    steps: dict[str, np.ndarray] = field(default_factory=dict, repr=False)


def read(picture: Image.Image) -> Reading:
    """Return the digits in a picture, each as an image like those of MNIST."""
    colors = colors_of(picture)
    ink = ink_of(colors)
    steps = {"picture": colors, "ink": ink.strength * min(1.0, ink.contrast / 0.06)}
    if ink.contrast < 0.06 or (ink.contrast < 5 * ink.noise and ink.contrast < 0.3):
        return Reading((), NOTHING, steps)
    strength = ink.strength
    labels, count = labeled(strength > _DRAWN)
    writing = _writing(strength, labels, count)
    groups = _grouped(writing, labels.shape)
    kept = np.isin(labels, [piece.number for group in groups for piece in group])
    steps["kept"] = np.where(_grown(kept), strength, 0)
    if not groups:
        return Reading((), NOTHING, steps)
    if ink.contrast < 0.14:
        return Reading((), FAINT, steps)
    digits = tuple(_digit(group, labels, strength) for group in groups)
    if len(digits) > 1:
        in_line = _in_line(groups) and len(digits) <= _MOST_DIGITS and len(writing) <= _MOST_PIECES
        return Reading(digits if in_line else (), None if in_line else SEVERAL, steps)
    return Reading(digits, NO_DIGIT if digits[0].shape else None, steps)


def drawn_apart(under: np.ndarray) -> bool:
    """Return whether the strokes in a mask (H, W) are several digits rather than the parts of one."""
    strength = np.pad(under, 2).astype(float)
    labels, count = labeled(strength > _DRAWN)
    return len(_grouped(pieces(strength, labels, count), labels.shape)) > 1


def _writing(strength: np.ndarray, labels: np.ndarray, count: int) -> list[Piece]:
    """Return the pieces that are not specks, frames, lines or edges."""
    height, width = labels.shape
    found = [p for p in pieces(strength, labels, count) if p.area >= max(2, 0.0004 * height * width)]
    writing = [p for p in found if not is_edge(p, height, width) and not is_frame(p, found, labels)]
    if not writing:
        writing = [p for p in found if could_be_all(p, height, width) and not is_frame(p, found, labels)]
    return writing


def _grouped(writing: list[Piece], size: tuple[int, int]) -> list[list[Piece]]:
    """Return the pieces of each digit, from left to right: one main piece and the parts near it.

    Digits cut off by the border are left out if there are others.
    """
    left = sorted(writing, key=lambda piece: -piece.mass)
    groups: list[list[Piece]] = []
    while left:
        main = left.pop(0)
        if groups and (main.mass < 0.15 * groups[0][0].mass or main.height < 0.5 * groups[0][0].height):
            continue
        group, grows = [main], True
        while grows:
            near = [piece for piece in left if _belongs(piece, group)]
            grows = bool(near)
            group += near
            left = [piece for piece in left if piece not in near]
        groups.append(group)
    free = [group for group in groups if not any(_at_border(piece, *size) for piece in group)]
    return sorted(free or groups, key=lambda group: group[0].left)


def _at_border(piece: Piece, height: int, width: int) -> bool:
    return piece.top == 0 or piece.left == 0 or piece.bottom == height or piece.right == width


def _belongs(piece: Piece, group: list[Piece]) -> bool:
    main = group[0]
    if piece.mass < 0.02 * main.mass:
        return False
    large = piece.mass > 0.4 * main.mass and piece.height > 0.6 * main.height
    return min(piece.gap(other) for other in group) < _NEAR * main.size * (0.3 if large else 1.0)


def _in_line(groups: list[list[Piece]]) -> bool:
    """Return whether digits stand on one line."""
    mains = [group[0] for group in groups]
    middle = float(np.median([(p.top + p.bottom) / 2 for p in mains]))
    tallest = max(p.height for p in mains)
    return all(abs((p.top + p.bottom) / 2 - middle) < 0.5 * tallest for p in mains)


def _digit(group: list[Piece], labels: np.ndarray, strength: np.ndarray) -> Digit:
    height, width = labels.shape
    top, bottom = min(p.top for p in group), max(p.bottom for p in group)
    left, right = min(p.left for p in group), max(p.right for p in group)
    own = np.isin(labels, [piece.number for piece in group])
    full = float(np.percentile(strength[own], 70))  # of this digit, which may be fainter than a frame
    soft = np.where(_grown(own), np.clip(strength / full, 0, 1), 0)
    soft[soft < 0.12] = 0
    rows, columns = slice(max(0, top - 1), bottom + 1), slice(max(0, left - 1), right + 1)
    box = (top / height, bottom / height, left / width, right / width)
    image = placed(soft[rows, columns])
    return Digit(box, image, oddity(own[top:bottom, left:right], image))


def _grown(mask: np.ndarray) -> np.ndarray:
    wider: np.ndarray = np.asarray(Image.fromarray((mask * 255).astype(np.uint8)).filter(ImageFilter.MaxFilter(5))) > 0
    return wider


def oddity(drawn: np.ndarray, image: np.ndarray) -> str | None:
    """Return what makes a shape impossible as a handwritten digit, or None."""
    height, width = drawn.shape
    if (
        drawn.mean() > 0.6
        and min(height, width) > 0.5 * max(height, width)
        and stroke_width(drawn) > 0.3 * max(height, width)
    ):
        return "filled"
    light = image > 110
    if light.sum() > 230:
        return "too much ink"
    across = np.diff(np.pad(light.astype(np.int8), ((0, 0), (1, 1))), axis=1) == 1
    down = np.diff(np.pad(light.astype(np.int8), ((1, 1), (0, 0))), axis=0) == 1
    if max(across.sum(axis=1).max(), down.sum(axis=0).max()) > 4 or labeled(~np.pad(light, 1))[1] - 1 > 2:
        return "too many strokes"
    return None
