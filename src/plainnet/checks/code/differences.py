"""True derivatives by central differences: how each result of a forward pass changes with each number that it depends on.

A leaf is an array or number that forward depends on. It is changed at single places (all of them if there are few) and
along random directions, in which a fault at any place shows. All results are kept at four distances, h and h/4 to both
sides. They give the derivative of any function of the results, such as a loss, or a sum weighted by a given gradient.
If the two widths or the two sides disagree, there is a kink or too much rounding, and the place is not judged.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from plainnet.checks.code.episode import Episode, Names
from plainnet.checks.code.values import Path, follow, put

Results = dict[Path, np.ndarray]
Functional = Callable[[Results], float]

_WIDTH = 1e-4
_ROUNDING = 4 * 2.0**-52
_MOST_PLACES, _DIRECTIONS = 200, 6


@dataclass
class Probes:
    """Where a leaf is changed: at single places (flat indices), and along directions of length 1."""

    shape: tuple[int, ...]
    places: np.ndarray
    directions: np.ndarray

    @property
    def count(self) -> int:
        """The number of probes."""
        return len(self.places) + len(self.directions)

    @property
    def all(self) -> bool:
        """Whether every place of the leaf is a probe."""
        return len(self.places) == int(np.prod(self.shape))

    def step(self, number: int) -> np.ndarray:
        """Return the direction of one probe, in the shape of the leaf."""
        flat = np.zeros(int(np.prod(self.shape)))
        if number < len(self.places):
            flat[self.places[number]] = 1.0
        else:
            flat = self.directions[number - len(self.places)]
        return flat.reshape(self.shape)

    def project(self, array: Any) -> np.ndarray:
        """Return the components of an array of the leaf's size along all probes."""
        flat = np.asarray(array, float).reshape(-1)
        return np.concatenate([flat[self.places], self.directions @ flat])


def probes_of(value: Any, most: int = _MOST_PLACES) -> Probes:
    """Return the probes of a leaf: all its places if there are at most `most`, otherwise some places and some directions."""
    shape, size = np.shape(value), int(np.size(value))
    rng = np.random.default_rng([11, size])
    if size <= most:
        return Probes(shape, np.arange(size), np.empty((0, size)))
    places = np.sort(rng.choice(size, min(most // 3, size), replace=False))
    directions = rng.standard_normal((min(_DIRECTIONS, most), size))
    return Probes(shape, places, directions / np.linalg.norm(directions, axis=1, keepdims=True))


@dataclass
class Differences:
    """The results of forward with one leaf changed, for every probe by +h, -h, +h/4 and -h/4."""

    probes: Probes
    here: Results
    there: list[tuple[Results, ...]]

    def slopes(self, functional: Functional) -> tuple[np.ndarray, np.ndarray]:
        """Return the derivative of a function of the results along every probe, and its error bound.

        The error bound is infinite at a kink.
        """
        middle = functional(self.here)
        slopes, errors = np.zeros(self.probes.count), np.zeros(self.probes.count)
        for i, results in enumerate(self.there):
            right, left, near_right, near_left = (functional(result) for result in results)
            wide = (right - left) / (2 * _WIDTH)
            near = 2 * (near_right - near_left) / _WIDTH
            scale = max(abs(middle), abs(right), 1e-3)
            rounding = _ROUNDING * scale / _WIDTH * 16
            bends = [abs(right + left - 2 * middle) / _WIDTH, abs(near_right + near_left - 2 * middle) * 4 / _WIDTH]
            slopes[i] = (16 * near - wide) / 15
            kink = abs(near - wide) > 1e-6 * abs(near) + rounding
            kink |= bends[1] > 0.5 * bends[0] and bends[1] > 1e-5 * abs(near) + rounding
            errors[i] = np.inf if kink or not np.isfinite(slopes[i]) else rounding
        return slopes, errors


def differences_of(value: Any, run: Callable[[np.ndarray], Results], most: int) -> Differences:
    """Run forward with a value changed along each of its probes: `run` takes the change and returns the results."""
    probes = probes_of(value, most)
    there = [
        tuple(run(distance * probes.step(number)) for distance in (_WIDTH, -_WIDTH, _WIDTH / 4, -_WIDTH / 4))
        for number in range(probes.count)
    ]
    return Differences(probes, run(np.zeros(probes.shape)), there)


def differences(episode: Episode, leaf: Path, results: list[Path], most: int) -> Differences:
    """Run forward with a leaf changed along each of its probes."""
    value = np.copy(follow(episode.names, leaf))
    return differences_of(value, lambda step: results_of(moved(episode, leaf, value + step), results), most)


def moved(episode: Episode, leaf: Path, value: Any) -> Names:
    """Run forward with another value for a leaf."""
    return episode.replay(lambda names: put(names, leaf, value))


def results_of(names: Names, paths: list[Path]) -> Results:
    """Return copies of the results of a forward pass."""
    return {path: np.array(follow(names, path), float) for path in paths}
