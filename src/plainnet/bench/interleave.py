"""Interleaved timing: rivals take turns, so that whatever disturbs the machine disturbs all of them equally."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

Rival = Callable[[], object]
_CALM = 0.2  # on an undisturbed machine, the interquartile range of the rounds is at most this share of the median


class Comparison:
    """The seconds of each rival in each round, and their ratios.

    A ratio is the median of the ratios in each round, so that A is compared with the B that ran next to it.
    """

    def __init__(self, title: str, seconds: Mapping[str, list[float]], work: str = "") -> None:
        self.title = title
        self.seconds = {name: np.array(values) for name, values in seconds.items()}
        self.work = work
        self.neighbors = 0  # number of busy processes during the measurement

    def median(self, name: str) -> float:
        """Return the median seconds of one rival."""
        return float(np.median(self.seconds[name]))

    def ratio(self, name: str, other: str) -> float:
        """Return the median, over the rounds, of one rival's seconds divided by another's."""
        return float(np.median(self.seconds[name] / self.seconds[other]))

    @property
    def disturbed(self) -> list[str]:
        """The rivals whose times vary so much between rounds that another program must have been running."""
        quartiles = {name: np.percentile(values, (25, 50, 75)) for name, values in self.seconds.items()}
        return [name for name, (low, middle, high) in quartiles.items() if high - low > _CALM * middle]

    def to_table(self) -> dict[str, Any]:
        """Return the figures as plain values: medians, quartiles, ratios of the first rival to the others."""
        first, *others = self.seconds
        return {
            "title": self.title,
            "work": self.work,
            "rounds": len(self.seconds[first]),
            "seconds": {name: _quartiles(values) for name, values in self.seconds.items()},
            "disturbed": self.disturbed,
            "ratios": {f"{first} / {other}": _quartiles(self.seconds[first] / self.seconds[other]) for other in others},
        }

    def __str__(self) -> str:
        first = next(iter(self.seconds))
        lines = [f"{self.title}  ({self.work}; {len(self.seconds[first])} rounds)"]
        for name, values in self.seconds.items():
            low, middle, high = np.percentile(values, (25, 50, 75))
            ratio = "" if name == first else f"   {first} / this: {self.ratio(first, name):.2f}"
            lines.append(f"  {name:<34}{_human(middle):>10}  ({_human(low)} to {_human(high)}){ratio}")
        if self.disturbed and not self.neighbors:
            lines.append(
                f"  not reliable: the quartiles of {', '.join(self.disturbed)} are more than {_CALM:.0%} "
                "apart; measure again while no other program runs"
            )
        return "\n".join(lines)


def interleave(title: str, rivals: Mapping[str, Rival], *, rounds: int, work: str, dropped: int = 2) -> Comparison:
    """Call all rivals in turn, `rounds` times, and time each call; the first `dropped` rounds do not count."""
    seconds: dict[str, list[float]] = {name: [] for name in rivals}
    for number in range(dropped + rounds):
        for name, rival in rivals.items():
            started = time.perf_counter()
            rival()
            if number >= dropped:
                seconds[name].append(time.perf_counter() - started)
    return Comparison(title, seconds, work)


def _quartiles(values: np.ndarray) -> dict[str, float]:
    low, middle, high = np.percentile(values, (25, 50, 75))
    return {"median": float(middle), "lower_quartile": float(low), "upper_quartile": float(high)}


def _human(seconds: float) -> str:
    unit, size = next(pair for pair in (("s", 1.0), ("ms", 1e-3), ("us", 1e-6), ("ns", 0.0)) if seconds >= pair[1])
    return f"{seconds / (size or 1e-9):.3g} {unit}"
