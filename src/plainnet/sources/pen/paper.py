"""Separates ink from paper: how far each pixel differs from the paper around it, toward the color of the ink.

First the color of the ink is estimated: a smooth surface is fitted to the paper, channel by channel, and the strongest
deviations from it give the direction in which ink differs. Then the paper is found by a morphological closing along
this direction, which fills in everything thinner than a window and follows shadows, edges and folds. The rest is
ink.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageFilter

from plainnet.sources.picture_files import layers

WORK = 256  # pixels of the longer side, after shrinking
_WINDOW = 0.4  # of the shorter side: strokes are thinner
_CLOSE, _MOST_OF_IT = 0.06, 0.6  # of the range from black to white; share of pixels this near to a surface
_INK_ON_NOTHING = 0.4  # if more of the picture is opaque, the opaque part is a card, not ink


@dataclass(frozen=True)
class Ink:
    """Ink (H, W) from 0 to 1; its contrast with the paper; and the noise of the paper."""

    strength: np.ndarray
    contrast: float
    noise: float


def colors_of(picture: Image.Image) -> np.ndarray:
    """Return colors (H, W, C) from 0 to 1, at most 256 pixels long, with transparent pixels filled in as paper."""
    colors, alpha = layers(picture)
    shown = colors.astype(np.float32) / 255
    if alpha is not None:
        opaque = alpha > 127
        share = float(opaque.mean())
        if share == 0:
            return np.ones((*shown.shape[:2], 1), np.float32)
        seen = shown[opaque]
        paper = np.median(seen, axis=0)
        cover = alpha[..., None].astype(np.float32) / 255
        if share < _INK_ON_NOTHING and np.abs(seen - paper).mean() < 0.15:
            shown = 1 - cover  # one color on a transparent background: it is the ink
        else:
            shown = shown * cover + paper * (1 - cover)
    return _shrunk(shown)


def _shrunk(colors: np.ndarray) -> np.ndarray:
    height, width, channels = colors.shape
    factor = max(height, width) / WORK
    if factor <= 1:
        return colors
    size = max(1, round(width / factor)), max(1, round(height / factor))
    parts = [Image.fromarray(colors[..., k]).resize(size, Image.Resampling.BOX) for k in range(channels)]
    return np.stack([np.asarray(part) for part in parts], axis=-1)


def ink_of(colors: np.ndarray) -> Ink:
    """Return the ink in colors (H, W, C) from 0 to 1."""
    toward = _direction(colors)
    if toward is None:
        return Ink(np.zeros(colors.shape[:2]), 0.0, 0.0)
    brightness = -(colors @ toward) / np.abs(toward).sum()  # low where there is ink
    height, width = brightness.shape
    if min(height, width) > 60:
        brightness = _blurred(brightness)
    radius = max(2, int(_WINDOW * min(height, width)) // 2)
    depth = _closing(brightness, radius) - brightness
    depth = np.maximum(depth - np.median(depth), 0)
    noise = float(1.4826 * np.median(depth) + np.percentile(depth, 60))
    inner = depth[height // 20 : height - height // 20, width // 20 : width - width // 20]
    top = max(float(np.percentile(inner, 99.7)) if inner.size > 4000 else float(inner.max()), 0.5 * float(inner.max()))
    strong = inner[inner > 0.5 * top]
    contrast = float(np.percentile(strong, 60)) if strong.size else 0.0
    return Ink(np.clip(depth / max(contrast, 1e-6), 0, 1), contrast, noise)


def _direction(colors: np.ndarray) -> np.ndarray | None:
    """Return the direction from the color of paper to that of ink, a unit vector (C,), or None for one color."""
    channels = colors.shape[2]
    paper = np.all([np.abs(colors[..., k] - _usual(colors[..., k])) < 0.15 for k in range(channels)], axis=0)
    if paper.mean() < 0.05:
        paper[:] = True
    rest = np.stack([colors[..., k] - _surface(colors[..., k], paper) for k in range(channels)], axis=-1)
    if (np.abs(rest).max(axis=-1) < _CLOSE).mean() < _MOST_OF_IT:  # the edge of a shadow, or of the paper
        rest = np.stack([colors[..., k] - _local_median(colors[..., k]) for k in range(channels)], axis=-1)
    size = np.sqrt(np.square(rest).mean(axis=-1))
    top = max(float(np.percentile(size, 99.5)) if size.size > 2000 else float(size.max()), 0.5 * float(size.max()))
    strong = size > max(0.5 * top, 3 * 1.4826 * float(np.median(size)))
    if not strong.any():
        strong = size > 0.5 * top
    if top < 1e-6 or not strong.any():
        return None
    toward = rest[strong].mean(axis=0)
    if np.linalg.norm(toward) < 0.3 * size[strong].mean() * np.sqrt(channels):  # both ways: take the stronger
        toward = np.linalg.svd(rest[strong], full_matrices=False)[2][0]
        along = rest[strong] @ toward
        toward = toward * np.sign((np.sign(along) * np.square(along)).sum() or 1.0)
    return toward / max(float(np.linalg.norm(toward)), 1e-9)


def _usual(values: np.ndarray) -> float:
    """Return the most frequent value, in steps of 1/64."""
    counts = np.histogram(values, 64, (0, 1))[0]
    return (int(np.convolve(counts, [1, 2, 1], "same").argmax()) + 0.5) / 64


def _surface(values: np.ndarray, paper: np.ndarray) -> np.ndarray:
    """Return a quadratic surface fitted to the paper, repeatedly leaving out the pixels that do not fit.

    The fit starts once from the probable paper and once from all pixels; the one with the smaller median error wins.
    """
    height, width = values.shape
    y, x = np.meshgrid(np.linspace(-1, 1, height), np.linspace(-1, 1, width), indexing="ij")
    terms = np.stack([(x**i * y**j).ravel() for i in range(3) for j in range(3 - i)], axis=1)
    step = max(1, values.size // 20_000)
    some, wanted = terms[::step], values.ravel()[::step]
    found = [_fitted(some, wanted, first) for first in (paper.ravel()[::step], np.ones(len(wanted), bool))]
    best = min(found, key=lambda coefficients: float(np.median(np.abs(wanted - some @ coefficients))))
    return (terms @ best).reshape(height, width)


def _fitted(terms: np.ndarray, wanted: np.ndarray, fits: np.ndarray) -> np.ndarray:
    coefficients = np.zeros(terms.shape[1])
    for _ in range(6):
        if fits.sum() < 20:
            break
        coefficients = np.linalg.lstsq(terms[fits], wanted[fits], rcond=None)[0]
        away = np.abs(wanted - terms @ coefficients)
        fits = away < 2.5 * (1.4826 * np.median(away[fits]) + 1 / 255) + 0.01
    return coefficients


def _local_median(values: np.ndarray) -> np.ndarray:
    """Return the median around each pixel, within a window that is wider than the strokes."""
    height, width = values.shape
    factor = max(1.0, max(height, width) / 64)
    picture = Image.fromarray((np.clip(values, 0, 1) * 255).astype(np.uint8))
    small = picture.resize((max(1, round(width / factor)), max(1, round(height / factor))), Image.Resampling.BOX)
    window = max(3, int(_WINDOW * min(small.size))) | 1
    median = small.filter(ImageFilter.MedianFilter(window)).resize((width, height), Image.Resampling.BILINEAR)
    return np.asarray(median, np.float32) / 255


def _blurred(values: np.ndarray) -> np.ndarray:
    framed = np.pad(values, 1, mode="edge")
    rows = (framed[:-2] + framed[1:-1] + framed[2:]) / 3
    return (rows[:, :-2] + rows[:, 1:-1] + rows[:, 2:]) / 3


def _closing(values: np.ndarray, radius: int) -> np.ndarray:
    """Return the largest, then the smallest value within a window, which fills in low areas thinner than it."""
    for best in (np.maximum, np.minimum):
        for axis in (0, 1):
            values = _sliding(values, radius, axis, best)
    return values


def _sliding(values: np.ndarray, radius: int, axis: int, best: np.ufunc) -> np.ndarray:
    """Return the best of the 2 radius + 1 values around each value along an axis, by doubling the window."""
    padding = [(0, 0), (0, 0)]
    padding[axis] = (radius, radius)
    found, window = np.pad(values, padding, mode="edge"), 1
    while window < 2 * radius + 1:
        step = min(window, 2 * radius + 1 - window)
        ends = [slice(None), slice(None)]
        begins = list(ends)
        begins[axis], ends[axis] = slice(0, found.shape[axis] - step), slice(step, None)
        found = best(found[tuple(begins)], found[tuple(ends)])
        window += step
    return found
