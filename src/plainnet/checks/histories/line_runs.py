"""Runs of lines: many lines in a row that differ only in their numbers are read at once."""

from __future__ import annotations

import re
from functools import lru_cache
from itertools import chain

import numpy as np

from plainnet.checks.histories.cells import NUMBER
from plainnet.checks.histories.line_plans import SPLIT

_AT_ONCE = 2_000_000  # characters; more would need more memory, not less time
_NEAR = 500  # lines that are matched one after the other; then twice as many, as long as all are alike
_LONGEST = 2_000  # characters


def numbers_after(text: str, position: int, whole: str, line: str) -> tuple[np.ndarray, int]:
    """Return the numbers of the following lines of the same shape, and the position after them.

    The numbers have the shape (lines, numbers of a line), (0, 0) if there is none. `whole` is the line before, `line`
    the same without its time stamp, whose digits may differ.
    """
    pattern = None if len(whole) > _LONGEST or not whole.endswith(line) else _pattern(*_shape(whole, line))
    if pattern is None:
        return np.zeros((0, 0)), position
    run, one = pattern
    if (near := run.match(text, position)) is None:
        return np.zeros((0, 0)), position
    end = near.end()
    found = one.findall(text, position, end)
    while len(found) >= _NEAR and end - position < _AT_ONCE:  # there may be many more
        far = text.rfind("\n", end, 2 * end - position) + 1
        more = one.findall(text, end, far)
        if not more or len(more) < text.count("\n", end, far):  # other lines are among them
            break
        found, end = found + more, far
    cells = chain.from_iterable(found) if isinstance(found[0], tuple) else found
    return np.fromiter(map(float, cells), float).reshape(len(found), -1), end


def _shape(whole: str, line: str) -> tuple[str, tuple[str, ...]]:
    """Return the time stamp with every digit as 0, and the text around the numbers of a line."""
    return re.sub(r"\d", "0", whole.removesuffix(line)), tuple(SPLIT.split(line)[::2])


@lru_cache(maxsize=256)
def _pattern(stamp: str, pieces: tuple[str, ...]) -> tuple[re.Pattern[str], re.Pattern[str]] | None:
    """Return patterns of a short run of lines of a shape, and of one line; None if they could be split in another way.

    A number takes all that it can (an atomic group), as where a line is split; a sign before it would belong to it.
    """
    if len(pieces) < 2 or any(piece.endswith(("-", "+")) for piece in pieces[:-1]) or not pieces[-1].endswith("\n"):
        return None
    begin, between = re.escape(stamp).replace("0", r"\d"), [re.escape(piece) for piece in pieces]
    number = f"(?>{NUMBER})"
    run = f"(?:{begin}{number.join(between)}){{1,{_NEAR}}}+"
    return re.compile(run), re.compile("^" + begin + f"({number})".join(between), re.MULTILINE)
