"""A curve: one figure of a training run over its epochs, without gaps, and measures of its course."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Curve:
    """The recorded figures, `values`, and the numbers of their epochs, `at`.

    `broken` is the epoch of the first figure that is not finite. If the curve ends with such figures, it is the epoch
    of the first of these.
    """

    values: np.ndarray
    at: np.ndarray
    broken: float | None = None
    broken_at_the_end: bool = False

    @classmethod
    def of(cls, figures: tuple[float, ...], at: tuple[float, ...]) -> Curve:
        """Return the curve of figures by epoch; NaN marks a gap, infinity a figure that was not finite."""
        values = np.array(figures, float)
        places = np.array(at[: len(values)] if len(at) >= len(values) else range(1, len(values) + 1), float)
        recorded, finite = ~np.isnan(values), np.isfinite(values)
        bad, good = np.flatnonzero(recorded & ~finite), np.flatnonzero(finite)
        after = bad[bad > good[-1]] if len(good) else bad  # those at the end
        first = after if len(after) else bad
        return cls(values[finite], places[finite], float(places[first[0]]) if len(first) else None, len(after) > 0)

    def __len__(self) -> int:
        return len(self.values)

    @property
    def first(self) -> float:
        """The first figure; NaN if there is none, as below, which no comparison fits."""
        return float(self.values[0]) if len(self) else np.nan

    @property
    def last(self) -> float:
        """The last figure."""
        return float(self.values[-1]) if len(self) else np.nan

    @property
    def end(self) -> float:
        """The median of the last tenth of the figures, but of at least two."""
        return float(np.median(self.values[-max(2, len(self) // 10) :])) if len(self) else np.nan

    @property
    def least(self) -> float:
        """The smallest figure."""
        return float(self.values.min()) if len(self) else np.nan

    @property
    def most(self) -> float:
        """The largest figure."""
        return float(self.values.max()) if len(self) else np.nan

    def epoch_of(self, place: int | np.integer) -> float:
        """Return the epoch of a figure."""
        return float(self.at[place])

    def before(self, epoch: float) -> np.ndarray:
        """Return the figures before an epoch."""
        return self.values[self.at < epoch]

    def share_falling(self) -> float:
        """Return the share of steps from one figure to the next in which the curve fell."""
        return float((np.diff(self.values) < 0).mean()) if len(self) > 1 else 0.0

    def alike(self) -> int:
        """Return how many figures at the end are the same to seven digits."""
        if not len(self):
            return 0
        differ = np.abs(self.values - self.last) > 1e-7 * max(1e-3, abs(self.last))
        return int(differ[::-1].argmax()) if differ.any() else len(self)

    def constant(self, least: int = 4) -> bool:
        """Return whether the curve ends with equal figures: at least `least` of them, and a third of all.

        If they are rounded to fewer than five decimal places, one and a half times as many must be equal, and half of
        all.
        """
        coarse = bool((np.abs(self.values * 1e4 - np.rint(self.values * 1e4)) < 1e-5).all())
        if coarse and abs(self.last) < 0.02:
            return False  # rounding hides what moves
        return self.alike() >= (max(least * 3 // 2, len(self) // 2) if coarse else max(least, len(self) // 3))

    def spread(self, skip: int = 0) -> float:
        """Return how far apart the figures are, relative to their median, without the first `skip`."""
        values = self.values[skip:]
        return float(np.ptp(values) / max(abs(float(np.median(values))), 1e-30)) if len(values) else 0.0

    def roughness(self) -> np.ndarray:
        """Return the distance of each figure from the mean of its neighbors."""
        values = self.values
        return np.abs(values[1:-1] - (values[:-2] + values[2:]) / 2) if len(self) > 2 else np.zeros(0)

    def smooth(self) -> np.ndarray:
        """Return the running median of three."""
        values = self.values
        if len(self) < 3:
            return values
        inner = np.median([values[:-2], values[1:-1], values[2:]], axis=0)
        return np.concatenate([values[:1], inner, values[-1:]])
