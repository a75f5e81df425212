"""Watch a forward pass: record every intermediate array, and measure how the results depend on it.

`sys.settrace` stops after every line of the author's files. Each new array is recorded with its name, its line and its value. The next pass
computes the same arrays in the same order. So one of them can be changed in place as soon as it is computed, and the results show how they
depend on it.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from types import FrameType
from typing import Any, NamedTuple

import numpy as np

from plainnet.checks.code.episode import Episode, Names
from plainnet.checks.code.values import numbers_in

_MOST_LINES, _MOST_SEEN = 4000, 150


class Seen(NamedTuple):
    """One array that the forward pass computed: its name, its place in the code, and its value at that moment."""

    name: str
    function: str
    line: int
    value: np.ndarray


class Watch:
    """The tracer of one pass; `move` gives the number of an array and the change to add to it."""

    def __init__(self, files: frozenset[str], names: Names, move: tuple[int, np.ndarray] | None = None) -> None:
        self.files, self.move = files, move
        self.seen: list[Seen] = []
        self.kept = [
            value for _, value in numbers_in(names, scalars=False)
        ]  # kept alive, so that addresses stay unique
        self.known = set(map(_where, self.kept))
        self.latest: dict[tuple[int, int], Seen] = {}
        self.lines = 0
        self.last: dict[FrameType, int] = {}

    def trace(self, frame: FrameType, event: str, argument: Any) -> Any:
        """Trace a call if it is in the author's files."""
        return self._line if frame.f_code.co_filename in self.files else None

    def _line(self, frame: FrameType, event: str, argument: Any) -> Any:
        self.lines += 1
        if self.lines > _MOST_LINES or len(self.seen) >= _MOST_SEEN:
            return None
        line = self.last.get(frame, frame.f_lineno)
        for name, value in _arrays_of(frame.f_locals):
            self._notice(name, frame, line, value)
        if event == "return":
            for name, value in [*_arrays_of({f"{frame.f_code.co_name}(...)": argument}), *_arrays_of(frame.f_locals)]:
                self._notice(name, frame, frame.f_lineno, value, filled=True)
        self.last[frame] = frame.f_lineno
        return self._line

    def _notice(self, name: str, frame: FrameType, line: int, value: np.ndarray, *, filled: bool = False) -> None:
        """Record an array when it is new, and again at the end of a function that has filled it since."""
        where = _where(value)
        number = len(self.seen)
        if where in self.known:
            before = self.latest.get(where)
            if not filled or before is None or np.array_equal(before.value, value):
                return
        self.known.add(where)
        self.kept.append(value)
        if self.move is not None and self.move[0] == number and value.flags.writeable:
            value += self.move[1]
        self.latest[where] = Seen(name, frame.f_code.co_name, line, value.copy())
        self.seen.append(self.latest[where])


def _where(value: np.ndarray) -> tuple[int, int]:
    return value.__array_interface__["data"][0], value.size


def _arrays_of(table: dict[str, Any]) -> Iterator[tuple[str, np.ndarray]]:
    """Yield the float arrays of a table of names, including those in lists, dicts and attributes of its object."""
    for name, value in list(table.items()):
        if isinstance(value, np.ndarray):
            if value.dtype == np.float64 and value.ndim:
                yield name, value
        elif isinstance(value, list | tuple) and len(value) < 50:
            for part in value:
                if isinstance(part, np.ndarray) and part.dtype == np.float64 and part.ndim:
                    yield name, part
        elif isinstance(value, dict) and len(value) < 50:
            for key, part in value.items():
                if isinstance(part, np.ndarray) and part.dtype == np.float64 and part.ndim:
                    yield str(key), part
        elif name == "self" and hasattr(value, "__dict__"):
            yield from _arrays_of({key: inner for key, inner in vars(value).items() if key != "self"})


def watched(
    episode: Episode, files: frozenset[str], change: Any = None, move: tuple[int, np.ndarray] | None = None
) -> tuple[Names, list[Seen]]:
    """Run forward on a fresh table after applying a change, and return the table and the arrays that were computed."""
    names = episode.fresh()
    if change is not None:
        change(names)
    watch = Watch(files, names, move)
    before = sys.gettrace()
    sys.settrace(watch.trace)
    try:
        episode.run(names)
    finally:
        sys.settrace(before)
    return names, watch.seen
