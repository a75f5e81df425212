"""Turns the strokes of a drawing on a web page into an image like those of MNIST.

It uses integer arithmetic only: `page/prepare.js` does the same in a browser and gets the same bytes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from plainnet.sources.pen.placing import BOX, SIZE

PAPER = 1120  # the side of the paper in its own units
_SAMPLES, _FINE = 8, 8  # samples along the side of a pixel; units from one sample to the next
_LEAST = 6  # the least radius of the pen in units: a smaller one may cover no sample
_ACROSS = BOX * _SAMPLES
_THINNEST, _THICKEST = 8, 15  # % of the digit's longer side; most strokes in MNIST lie between

Stroke = Sequence[tuple[int, int]]


@dataclass(frozen=True, eq=False)
class Drawing:
    """The result for strokes: the suitable pen width, the box (20, 20) and the image (28, 28), both bytes.

    `under` (160, 160) marks the samples that the pen covers, in the box around all strokes.
    """

    pen: int
    box: np.ndarray
    image: np.ndarray
    under: np.ndarray


def prepared(strokes: Sequence[Stroke], pen: int) -> Drawing | None:
    """Return the image that a network sees for strokes of points (x, y) from 0 to `PAPER` and a pen width, or None.

    The box around the strokes becomes 20x20 pixels, each the mean of 8x8 samples, and its center of mass is moved to
    the middle of 28x28.
    """
    lines = [np.array(stroke, np.int64) for stroke in strokes if len(stroke)]
    if not lines:
        return None
    wide = usual_pen(lines, pen)
    under = sampled(lines, wide)
    box = _fitted(under)
    return Drawing(wide, box, _centered(box), under)


def _around(lines: Sequence[np.ndarray]) -> tuple[np.ndarray, int]:
    """Return twice the middle (x, y) of the box around all points, and its longer side."""
    points = np.concatenate(lines)
    return points.min(axis=0) + points.max(axis=0), int(np.ptp(points, axis=0).max())


def in_samples(points: np.ndarray, lines: Sequence[np.ndarray], pen: int) -> np.ndarray:
    """Return points (N, 2) in units of 1/8 of the distance between samples, within the box around all lines."""
    twice_middle, longer = _around(lines)
    whole, side = longer + pen, _ACROSS * _FINE
    return (side * (2 * points - twice_middle + whole) + whole) // (2 * whole)


def sampled(lines: Sequence[np.ndarray], pen: int) -> np.ndarray:
    """Return which of 160x160 samples the pen covers: those at most half its width away from a line."""
    whole, side = _around(lines)[1] + pen, _ACROSS * _FINE
    radius = max(_LEAST, (side * pen + whole) // (2 * whole))
    under = np.zeros((_ACROSS, _ACROSS), bool)
    for line in lines:
        points = in_samples(line, lines, pen)
        for a, b in zip(points[[0, *range(len(points) - 1)]], points, strict=True):
            _mark(under, a, b, radius)
    return under


def _mark(under: np.ndarray, a: np.ndarray, b: np.ndarray, radius: int) -> None:
    """Mark the samples within `radius` of the line from a to b, each (x, y)."""
    first = np.maximum((np.minimum(a, b) - radius) // _FINE, 0)
    last = np.minimum((np.maximum(a, b) + radius) // _FINE, _ACROSS - 1) + 1
    dx, dy = b - a
    long, near = dx * dx + dy * dy, radius * radius
    px = np.arange(first[0], last[0]) * _FINE + _FINE // 2 - a[0]
    py = (np.arange(first[1], last[1]) * _FINE + _FINE // 2 - a[1])[:, None]
    along, cross = px * dx + py * dy, px * dy - py * dx
    to_ends = np.where(along <= 0, px * px + py * py, (px - dx) ** 2 + (py - dy) ** 2)
    between = (along > 0) & (along < long)
    inside = np.where(between, cross * cross <= near * long, to_ends <= near)
    under[first[1] : last[1], first[0] : last[0]] |= inside


def usual_pen(lines: Sequence[np.ndarray], pen: int) -> int:
    """Return the width of a pen that makes strokes as thick as in MNIST; the pen's own width, if they already are.

    A pen too wide for its digit is made narrower. Lines that are too thin are made wider, unless they fill an area.
    """
    longer = _around(lines)[1]
    whole = longer + pen
    if 4 * longer < pen:  # a dot
        return pen
    if 100 * pen > _THICKEST * whole:
        return max(1, _THICKEST * longer // (100 - _THICKEST))
    under = sampled(lines, pen)
    framed = np.pad(under, 1)
    inside = framed[:-2, 1:-1] & framed[2:, 1:-1] & framed[1:-1, :-2] & framed[1:-1, 2:]
    unit = _ACROSS * int((under & ~inside).sum())
    thick = 2 * int(under.sum()) * whole  # the width of the strokes, times `unit`
    if 100 * thick >= _THINNEST * whole * unit:
        return pen
    return max(1, (_THINNEST * longer * unit + 100 * (pen * unit - thick)) // ((100 - _THINNEST) * unit))


def _fitted(under: np.ndarray) -> np.ndarray:
    """Return the mean of the samples in each of 20x20 pixels, scaled so that the strongest pixel is 255."""
    counts = under.reshape(BOX, _SAMPLES, BOX, _SAMPLES).sum(axis=(1, 3), dtype=np.int64)
    most = max(1, int(counts.max()))
    return ((510 * counts + most) // (2 * most)).astype(np.uint8)


def _centered(box: np.ndarray) -> np.ndarray:
    """Return the image with its center of mass at the middle of 28x28, to the nearest pixel."""
    ink = int(box.sum(dtype=np.int64))
    image = np.zeros((SIZE, SIZE), np.uint8)
    rows, columns = np.indices(box.shape)
    top, left = (
        min(SIZE - BOX, max(0, (SIZE * ink - 2 * int((places * box).sum())) // (2 * ink))) for places in (rows, columns)
    )
    image[top : top + BOX, left : left + BOX] = box
    return image
