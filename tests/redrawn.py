"""MNIST's digits drawn again as strokes, as a hand would move a pen: along the middle of what was written."""

import numpy as np
from PIL import Image

_FINER = 4


def strokes_of(image, *, at=(60, 60), size=1000, threshold=100):
    """Return strokes, lists of points (x, y), that redraw an image (28, 28), so large, its corner at a place."""
    picture = Image.fromarray(np.asarray(image, np.uint8)).resize((28 * _FINER,) * 2, Image.Resampling.BICUBIC)
    thin = thinned(np.asarray(picture) > threshold)
    rows, columns = np.nonzero(thin)
    if not len(rows):
        rows, columns = np.array([56]), np.array([56])
    corner = np.array([columns.min(), rows.min()])
    scale = size / max(1, np.ptp(rows), np.ptp(columns))
    return [
        [(int(x), int(y)) for x, y in np.rint((np.array(line) - corner) * scale + at)] for line in _lines(rows, columns)
    ]


def in_place(image, *, threshold=100):
    """Return an image (28, 28) redrawn along the middle of its lines where they are, as thick as they are.

    What is lost is lost by thinning, not by any preparation of a drawing.
    """
    finer = Image.fromarray(np.asarray(image, np.uint8)).resize((28 * _FINER,) * 2, Image.Resampling.BICUBIC)
    mask = np.asarray(finer) > threshold
    rows, columns = np.indices(mask.shape)
    far = np.full(mask.shape, np.inf)
    for row, column in np.argwhere(thinned(mask)):
        np.minimum(far, (rows - row) ** 2 + (columns - column) ** 2, out=far)
    thick = np.sort(far.ravel())[max(0, int(mask.sum()) - 1)]
    return np.rint(255 * (far <= thick).reshape(28, _FINER, 28, _FINER).mean(axis=(1, 3))).astype(np.uint8)


def thinned(mask):
    """Return the lines in the middle of a mask, one pixel wide.

    Source: Zhang, Suen 1984, "A fast parallel algorithm for thinning digital patterns".
    """
    mask = np.pad(mask, 2)
    while True:
        before = mask.copy()
        for step in (0, 1):
            around = [np.roll(mask, shift, (0, 1)) for shift in
                      ((1, 0), (1, -1), (0, -1), (-1, -1), (-1, 0), (-1, 1), (0, 1), (1, 1))]  # fmt: skip
            count = np.sum(around, axis=0)
            rises = np.sum([~a & b for a, b in zip(around, [*around[1:], around[0]], strict=True)], axis=0)
            n, e, s, w = around[0], around[2], around[4], around[6]
            sides = (~(n & e & s) & ~(e & s & w)) if step == 0 else (~(n & e & w) & ~(n & s & w))
            mask = mask & ~((count >= 2) & (count <= 6) & (rises == 1) & sides)
        if (mask == before).all():
            return mask[2:-2, 2:-2]


def _lines(rows, columns):
    """Return the pixels as lines, each begun at an end where there is one."""
    left = set(zip(columns.tolist(), rows.tolist(), strict=True))

    def near(x, y):
        steps = ((0, 1), (1, 0), (0, -1), (-1, 0), (1, 1), (1, -1), (-1, 1), (-1, -1))
        return [(x + i, y + j) for i, j in steps if (x + i, y + j) in left]

    found = []
    while left:
        here = min(left, key=lambda place: (len(near(*place)), place))
        joined = [place for line in found for place in line
                  if max(abs(place[0] - here[0]), abs(place[1] - here[1])) == 1]  # fmt: skip
        line = [*joined[:1], here]
        left.discard(here)
        while ahead := near(*line[-1]):
            line.append(ahead[0])
            left.discard(ahead[0])
        ends = [place for other in found for place in other
                if max(abs(place[0] - line[-1][0]), abs(place[1] - line[-1][1])) == 1]  # fmt: skip
        found.append(line + ends[:1])
    return found
