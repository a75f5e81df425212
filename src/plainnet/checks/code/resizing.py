"""Fix sizes that do not fit: read the wanted sizes from the error message, and make the arrays of a table again."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

import numpy as np

from plainnet.checks.code.episode import RAISED, Episode, Names
from plainnet.checks.code.roles import random

_MOST_REPAIRS, _DEEPEST, _LARGEST = 60, 3, 10_000
_SIZES = (  # two sizes that should be one
    re.compile(r"(\d+) \(dim \d\) != (\d+) \(dim \d\)"),
    re.compile(r"size (\d+) is different from (\d+)"),
    re.compile(r"has size (\d+) and the array at index \d has size (\d+)"),
)
_SHAPES = re.compile(
    r"(?:broadcast|doesn't match).*?\(([\d,]+)\)\D*?\(([\d,]+)\)|shape \(([\d,]+)\) doesn't match the broadcast shape \(([\d,]+)\)"
)


def with_sizes_that_fit(
    starts: Iterator[Names], bound: Callable[[Names], Iterator[Episode]], of: tuple[str, ...] = ()
) -> Iterator[Episode]:
    """Yield the episodes of tables with sizes changed to what the calls need, if no unchanged table works.

    `of` names the arrays that may change; if it is empty, all may.
    """
    tried: set[tuple[tuple[str, tuple[int, ...]], ...]] = set()
    for start in starts:
        queue = [(start, 0)]
        while queue:
            table, depth = queue.pop()
            RAISED.clear()
            ran = False
            for episode in bound(table):
                ran = True
                yield episode
            if ran or depth == _DEEPEST:
                continue
            for other in _resized(table, list(RAISED), of):
                form = tuple((key, value.shape) for key, value in other.items() if isinstance(value, np.ndarray))
                if form not in tried and len(tried) < _MOST_REPAIRS:
                    tried.add(form)
                    queue.append((other, depth + 1))


def _resized(table: Names, said: list[str], of: tuple[str, ...]) -> Iterator[Names]:
    for old, new in dict.fromkeys(pair for text in said for p, q in _pairs(text) for pair in ((p, q), (q, p))):
        if new > _LARGEST:
            continue
        changed = {
            key: _again(value, tuple(new if size == old else size for size in value.shape))
            for key, value in table.items()
            if isinstance(value, np.ndarray) and old in value.shape and (not of or key in of)
        }
        if changed:
            yield table | changed


def _again(value: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """Return an array of the same kind with another shape."""
    return random(*shape, seed=3) if value.dtype.kind == "f" else np.resize(value, shape)


def _pairs(text: str) -> Iterator[tuple[int, int]]:
    """Yield pairs of sizes that should be equal according to an error message."""
    for pattern in _SIZES:
        if found := pattern.search(text):
            yield int(found[1]), int(found[2])
    if found := _SHAPES.search(text):
        first, second = ([int(n) for n in group.split(",") if n] for group in [g for g in found.groups() if g])
        for p, q in zip(reversed(first), reversed(second), strict=False):
            if p != q and 1 not in (p, q):
                yield p, q
