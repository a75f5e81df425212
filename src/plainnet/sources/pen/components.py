"""Connected components: finds the shapes drawn in one piece, and which of them are frames, lines or edges."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, eq=False)
class Piece:
    """A connected component: its number, its box (ends excluded), its area in pixels and the ink in them."""

    number: int
    top: int
    bottom: int
    left: int
    right: int
    area: int
    mass: float

    @property
    def height(self) -> int:
        """The height of its box."""
        return self.bottom - self.top

    @property
    def width(self) -> int:
        """The width of its box."""
        return self.right - self.left

    @property
    def size(self) -> int:
        """The longer side of its box."""
        return max(self.height, self.width)

    def gap(self, other: Piece) -> int:
        """Return the distance between its box and another one, in the direction in which they are further apart."""
        down = max(self.top, other.top) - min(self.bottom, other.bottom)
        right = max(self.left, other.left) - min(self.right, other.right)
        return max(0, down, right)


def labeled(mask: np.ndarray) -> tuple[np.ndarray, int]:
    """Return the connected components of a mask (H, W) as numbers, where 0 is the outside (8-connectivity).

    Row by row, each run of the mask takes the number of a run that it touches in the row above. A run that touches
    several merges their numbers.

    Source: Rosenfeld, Pfaltz 1966, "Sequential operations in digital picture processing", by runs.
    """
    labels = np.zeros(mask.shape, np.int32)
    parent = [0]

    def root(number: int) -> int:
        while parent[number] != number:
            parent[number] = parent[parent[number]]
            number = parent[number]
        return number

    steps = np.diff(np.pad(mask.astype(np.int8), ((0, 0), (1, 1))), axis=1)
    above: list[tuple[int, int, int]] = []
    for row, step in enumerate(steps):
        runs = []
        for start, end in zip(np.flatnonzero(step == 1).tolist(), np.flatnonzero(step == -1).tolist(), strict=True):
            own = 0
            for first, last, number in above:
                if first <= end and last >= start:
                    found = root(number)
                    own = own or found
                    parent[found] = own
            if own == 0:
                own = len(parent)
                parent.append(own)
            labels[row, start:end] = own
            runs.append((start, end, own))
        above = runs
    roots, numbers = np.unique([root(number) for number in range(len(parent))], return_inverse=True)
    return numbers[labels], len(roots) - 1


def pieces(strength: np.ndarray, labels: np.ndarray, count: int) -> list[Piece]:
    """Return the components of labels (H, W) with the ink in them."""
    if count == 0:
        return []
    rows, columns = np.nonzero(labels)
    numbers = labels[rows, columns]
    area = np.bincount(numbers, minlength=count + 1)
    mass = np.bincount(numbers, strength[rows, columns], count + 1)
    boxes = []
    for places, pick in ((rows, np.minimum), (rows, np.maximum), (columns, np.minimum), (columns, np.maximum)):
        end = np.full(count + 1, np.iinfo(np.int64).max if pick is np.minimum else -1)
        pick.at(end, numbers, places)
        boxes.append(end)
    top, bottom, left, right = boxes
    return [
        Piece(n, int(top[n]), int(bottom[n]) + 1, int(left[n]), int(right[n]) + 1, int(area[n]), float(mass[n]))
        for n in range(1, count + 1)
    ]


def is_edge(piece: Piece, height: int, width: int) -> bool:
    """Return whether a piece is the edge of a table, a line across the paper, or something at the border."""
    touches = _touches(piece, height, width, 1)
    across = piece.height > 0.8 * height or piece.width > 0.8 * width
    thin = min(piece.height, piece.width) < 0.06 * max(height, width) and piece.size > 0.3 * max(height, width)
    return (touches >= 2 and across) or (touches >= 1 and thin)


def is_frame(piece: Piece, others: Sequence[Piece], labels: np.ndarray) -> bool:
    """Return whether a piece is a frame: it follows the straight sides of its box, and something else is inside."""
    height, width = labels.shape
    if piece.height < 0.3 * height or piece.width < 0.3 * width:
        return False
    own = labels[piece.top : piece.bottom, piece.left : piece.right] == piece.number
    down, right = max(2, piece.height // 8), max(2, piece.width // 8)
    along = own.sum() - own[down:-down, right:-right].sum()
    sides = own[:down].any(axis=0), own[-down:].any(axis=0), own[:, :right].any(axis=1), own[:, -right:].any(axis=1)
    straight = sum(float(side.mean()) > 0.85 for side in sides)
    inside = any(
        piece.top < p.top and p.bottom < piece.bottom and piece.left < p.left and p.right < piece.right
        and p.height > 0.15 * piece.height
        for p in others
    )  # fmt: skip
    return bool(
        along > 0.8 * own.sum()
        and straight >= 2
        and (inside or straight >= 3 or _touches(piece, height, width, 2) >= 2)
    )


def could_be_all(piece: Piece, height: int, width: int) -> bool:
    """Return whether a piece that looks like an edge may be writing that fills the picture, if it is alone."""
    if piece.width > 0.9 * width and piece.height < 0.35 * height:
        return False
    thin = piece.width < 0.15 * piece.height
    at_side = piece.left <= 0.08 * width or piece.right >= 0.92 * width
    return not (thin and at_side and width > 0.5 * height)


def _touches(piece: Piece, height: int, width: int, within: int) -> int:
    """Return how many sides of the picture a piece is near to."""
    near = piece.top <= within, piece.left <= within, piece.bottom >= height - within, piece.right >= width - within
    return sum(map(int, near))
