"""Corruptions of images, each at five severities: effects of light, lenses, paper and hands.

Each takes images (N, H, W) or (N, H, W, C) from 0 to 1, a severity from 1 to 5 and a generator, and returns images
of the same shape, from 0 to 1. Lengths are shares of the image's side.

Sources: Hendrycks, Dietterich 2019, "Benchmarking neural network robustness to common corruptions and perturbations";
Mu, Gilmer 2019, "MNIST-C: a robustness benchmark for computer vision", for the kinds.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from plainnet.data.augmentation import interpolated

SEVERITIES = (1, 2, 3, 4, 5)
Corruption = Callable[[np.ndarray, int, np.random.Generator], np.ndarray]


def _level(severity: int, *levels: float) -> float:
    return levels[severity - 1]


def _kept(images: np.ndarray) -> np.ndarray:
    return np.clip(images, 0, 1).astype(np.float32)


def gaussian_noise(images: np.ndarray, severity: int, rng: np.random.Generator) -> np.ndarray:
    """Add Gaussian noise to every pixel."""
    return _kept(images + _level(severity, 0.08, 0.16, 0.25, 0.35, 0.5) * rng.standard_normal(images.shape))


def shot_noise(images: np.ndarray, severity: int, rng: np.random.Generator) -> np.ndarray:
    """Simulate a low number of photons: Poisson noise, which is stronger for lighter pixels."""
    photons = _level(severity, 60, 25, 12, 5, 3)
    return _kept(rng.poisson(images * photons) / photons)


def impulse_noise(images: np.ndarray, severity: int, rng: np.random.Generator) -> np.ndarray:
    """Make some pixels black and some white."""
    share, drawn = _level(severity, 0.02, 0.06, 0.1, 0.17, 0.27), rng.random(images.shape)
    return _kept(np.where(drawn < share / 2, 0, np.where(drawn < share, 1, images)))


def blur(images: np.ndarray, severity: int, rng: np.random.Generator) -> np.ndarray:
    """Blur the image with a Gaussian, as if out of focus."""
    side = images.shape[1]
    deviation = side / 28 * _level(severity, 0.6, 1.0, 1.4, 2.0, 2.8)
    down, across = (_gaussian(length, deviation) for length in images.shape[1:3])
    return _kept(np.einsum("ij,njk...,lk->nil...", down, images, across, optimize=True))


def _gaussian(length: int, deviation: float) -> np.ndarray:
    """Return the matrix (L, L) that blurs a line of pixels; outside, the edge pixels continue."""
    places = np.arange(length)
    reach = np.arange(-4 * length, 5 * length)
    weights = np.exp(-((places[:, None] - reach) ** 2) / (2 * deviation**2))
    matrix = np.zeros((length, length))
    for k, place in enumerate(np.clip(reach, 0, length - 1)):
        matrix[:, place] += weights[:, k]
    return matrix / matrix.sum(axis=1, keepdims=True)


def motion_blur(images: np.ndarray, severity: int, rng: np.random.Generator) -> np.ndarray:
    """Simulate a camera that moves in a straight line while the shutter is open."""
    length = images.shape[1] * _level(severity, 0.08, 0.13, 0.19, 0.26, 0.34)
    turn = rng.uniform(0, np.pi, len(images))
    moved = [
        _moved(images, np.tile(np.eye(2), (len(images), 1, 1)), t * length * np.stack([np.sin(turn), np.cos(turn)], 1))
        for t in np.linspace(-0.5, 0.5, 7)
    ]
    return _kept(np.mean(moved, axis=0))


def rotation(images: np.ndarray, severity: int, rng: np.random.Generator) -> np.ndarray:
    """Rotate the image to the left or to the right."""
    degrees = _level(severity, 10, 20, 30, 40, 55) * rng.choice((-1, 1), len(images))
    a = np.radians(degrees)
    return _moved(images, np.array([[np.cos(a), -np.sin(a)], [np.sin(a), np.cos(a)]]).transpose(2, 0, 1))


def shear(images: np.ndarray, severity: int, rng: np.random.Generator) -> np.ndarray:
    """Slant the image to the left or to the right."""
    slant = _level(severity, 0.15, 0.3, 0.45, 0.6, 0.8) * rng.choice((-1.0, 1.0), len(images))
    one, none = np.ones(len(images)), np.zeros(len(images))
    return _moved(images, np.array([[one, none], [slant, one]]).transpose(2, 0, 1))


def shift(images: np.ndarray, severity: int, rng: np.random.Generator) -> np.ndarray:
    """Shift the image in a random direction."""
    length = images.shape[1] * _level(severity, 0.05, 0.09, 0.14, 0.19, 0.25)
    turn = rng.uniform(0, 2 * np.pi, len(images))
    away = length * np.stack([np.sin(turn), np.cos(turn)], axis=1)
    return _moved(images, np.tile(np.eye(2), (len(images), 1, 1)), away)


def smaller(images: np.ndarray, severity: int, rng: np.random.Generator) -> np.ndarray:
    """Make the drawing smaller."""
    return _moved(images, np.tile(np.eye(2) / _level(severity, 0.85, 0.72, 0.6, 0.5, 0.4), (len(images), 1, 1)))


def larger(images: np.ndarray, severity: int, rng: np.random.Generator) -> np.ndarray:
    """Make the drawing larger."""
    return _moved(images, np.tile(np.eye(2) / _level(severity, 1.1, 1.2, 1.35, 1.5, 1.7), (len(images), 1, 1)))


def _moved(images: np.ndarray, matrices: np.ndarray, away: np.ndarray | float = 0.0) -> np.ndarray:
    """Return images that read each pixel at matrix (place - center) + center - away; everything outside is dark."""
    n, height, width = images.shape[:3]
    places = np.indices((height, width)).reshape(2, -1) - np.array([[height - 1], [width - 1]]) / 2
    down, right = (matrices @ places - np.reshape(away, (-1, 2, 1)) if np.ndim(away) else matrices @ places).transpose(
        1, 0, 2
    )
    planes = np.moveaxis(images.reshape(n, height, width, -1), 3, 0).astype(np.float32)
    framed = np.pad(planes, ((0, 0), (0, 0), (2, 2), (2, 2)))
    down = np.clip(down + (height - 1) / 2 + 2, 0, height + 2.5).astype(np.float32)
    right = np.clip(right + (width - 1) / 2 + 2, 0, width + 2.5).astype(np.float32)
    return _kept(np.moveaxis(interpolated(framed, down, right).reshape(planes.shape), 0, 3).reshape(images.shape))


def contrast(images: np.ndarray, severity: int, rng: np.random.Generator) -> np.ndarray:
    """Reduce the contrast: move every pixel toward the mean of its image."""
    mean = images.mean(axis=(1, 2), keepdims=True)
    return _kept(mean + _level(severity, 0.6, 0.4, 0.25, 0.15, 0.08) * (images - mean))


def brightness(images: np.ndarray, severity: int, rng: np.random.Generator) -> np.ndarray:
    """Make all pixels lighter."""
    return _kept(images + _level(severity, 0.1, 0.2, 0.35, 0.5, 0.65))


def fog(images: np.ndarray, severity: int, rng: np.random.Generator) -> np.ndarray:
    """Lay smooth patches of light over the image."""
    n, height, width = images.shape[:3]
    cells = rng.random((n, 4, 4))
    rows, columns = (np.linspace(0, 3, length) for length in (height, width))
    smooth = _linear(rows), _linear(columns)
    mist = np.einsum("ia,nab,jb->nij", smooth[0], cells, smooth[1]).reshape(n, height, width, *[1] * (images.ndim - 3))
    share = _level(severity, 0.25, 0.4, 0.55, 0.7, 0.85)
    return _kept((1 - share / 2) * images + share * mist)


def _linear(places: np.ndarray) -> np.ndarray:
    """Return the weights (L, 4) of four cells at places between them."""
    return np.maximum(1 - np.abs(places[:, None] - np.arange(4)), 0)


def occlusion(images: np.ndarray, severity: int, rng: np.random.Generator) -> np.ndarray:
    """Cover a square of the image with gray."""
    found, (height, width) = images.copy(), images.shape[1:3]
    side = max(1, round(min(height, width) * _level(severity, 0.15, 0.22, 0.29, 0.36, 0.45)))
    for image in found:
        top, left = (rng.integers(length - side + 1) for length in (height, width))
        image[top : top + side, left : left + side] = 0.5
    return _kept(found)


def stripe(images: np.ndarray, severity: int, rng: np.random.Generator) -> np.ndarray:
    """Invert a broad vertical stripe in the middle."""
    found, width = images.copy(), images.shape[2]
    half = max(1, round(width * _level(severity, 0.04, 0.07, 0.11, 0.16, 0.22)))
    middle = slice(width // 2 - half, width // 2 + half)
    found[:, :, middle] = 1 - found[:, :, middle]
    return _kept(found)


def _line(images: np.ndarray, severity: int, rng: np.random.Generator, *, dotted: bool, zigzag: bool) -> np.ndarray:
    found, (height, width) = images.copy(), images.shape[1:3]
    for image in found:
        for _ in range(severity):
            (y0, y1), columns = rng.uniform(0, height - 1, 2), np.arange(0, width, 2 if dotted else 1)
            rows = y0 + (y1 - y0) * columns / max(width - 1, 1)
            if zigzag:
                rows = rows + height * 0.08 * (np.abs(columns % 8 - 4) - 2)
            places = np.clip(np.rint(rows), 0, height - 1).astype(int)
            image[places, columns] = 1
    return _kept(found)


def dotted_line(images: np.ndarray, severity: int, rng: np.random.Generator) -> np.ndarray:
    """Draw dotted lines across the image, as many as the severity."""
    return _line(images, severity, rng, dotted=True, zigzag=False)


def zigzag(images: np.ndarray, severity: int, rng: np.random.Generator) -> np.ndarray:
    """Draw zigzag lines across the image, as many as the severity."""
    return _line(images, severity, rng, dotted=False, zigzag=True)


CORRUPTIONS: dict[str, Corruption] = {
    "Gaussian noise": gaussian_noise, "shot noise": shot_noise, "impulse noise": impulse_noise, "blur": blur,
    "motion blur": motion_blur, "rotation": rotation, "shear": shear, "shift": shift, "smaller": smaller,
    "larger": larger, "less contrast": contrast, "brightness": brightness, "fog": fog, "occlusion": occlusion,
    "stripe": stripe, "dotted line": dotted_line, "zigzag": zigzag,
}  # fmt: skip
