"""A case: a judgment in which something is wrong, with the layers of its forward pass, measured on demand."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from plainnet.checks.code.differences import Differences, Results, differences_of
from plainnet.checks.code.episode import Episode
from plainnet.checks.code.matching import WRONG, Held, Judgment
from plainnet.checks.code.sites import INPUT, LOSS, Site, sites_of
from plainnet.checks.code.values import Path, follow, name_of, numbers_in, put, spelled
from plainnet.checks.code.watching import Seen, watched

_MOST_MOVED = 400  # places of an intermediate array


@dataclass
class Case:
    """A judgment in which something is wrong, with the layers of its forward pass, measured on demand."""

    judgment: Judgment
    files: frozenset[str]
    factor: float | None = None  # between claims and gradients; None if it is to be found
    _seen: list[Seen] | None = None
    _sites: list[Site] | None = None
    _moves: dict[Any, Differences] = field(default_factory=dict)

    @property
    def wrong(self) -> list[Held]:
        """The leaves with wrong claims."""
        return [h for h in self.judgment.held if h.verdict == WRONG]

    @property
    def judged(self) -> list[Held]:
        """The leaves that have a claim."""
        return [h for h in self.judgment.held if h.claim is not None]

    @property
    def seen(self) -> list[Seen]:
        """The arrays that forward makes."""
        if self._seen is None:
            self._seen = watched(self.judgment.episode, self.files)[1]
        return self._seen

    @property
    def sites(self) -> list[Site]:
        """The layers of the forward pass, the last one first."""
        if self._sites is None:
            episode = self.judgment.episode
            values = {i: seen.value for i, seen in enumerate(self.seen)}
            x = next((episode.names[key] for key in episode.inputs if key in episode.names), None)
            if isinstance(x, np.ndarray):
                values = {INPUT: x} | values
            parameters = {
                key_of(h.path): np.asarray(follow(episode.names, h.path))
                for h in self.judgment.held
                if h.path[0][1] not in episode.given
            }
            target = episode.names.get("t")
            found = sites_of(
                values, parameters, None if target is None else np.asarray(target), self._losses(parameters)
            )
            self._sites = sorted(found, key=lambda site: (site.target != LOSS, -site.target))
        return self._sites

    def _losses(self, parameters: dict[str, np.ndarray]) -> list[float]:
        """Return the possible values of the loss without its penalty, for the usual penalties."""
        if self.judgment.upstream is not None:
            return []
        value = self.judgment.value
        squares = sum(float(np.sum(w**2)) for w in parameters.values() if w.ndim > 1)
        strengths = {0.0, 0.1, *(s for _, s in strengths_of(self.judgment.episode))}
        batch = self.judgment.episode.batch or 1
        return [value - s * k * squares for s in strengths for k in (1.0, 0.5, 1 / batch, 0.5 / batch)]

    def gradient_at(self, number: int, added: list[tuple[int, np.ndarray]]) -> np.ndarray | None:
        """Return the gradient of the loss, plus the sums <u, D> added to it, with respect to an intermediate array."""
        value = self.seen[number].value
        output = self.judgment.output
        if self.judgment.upstream is not None and not added and self._is_output(value):
            return np.asarray(self.judgment.upstream)
        if value.size > _MOST_MOVED or output is None:
            return None
        if number not in self._moves:
            self._moves[number] = differences_of(value, lambda step: self._there(None, (number, step)), _MOST_MOVED)
        slopes, errors = self._moves[number].slopes(lambda results: self._loss(results, added))
        return slopes.reshape(value.shape) if np.isfinite(errors).mean() > 0.5 else None

    def _is_output(self, value: np.ndarray) -> bool:
        output = follow(self.judgment.names, self.judgment.output or ())
        return np.shape(output) == value.shape and np.array_equal(output, value)

    def slopes(self, h: Held, added: list[tuple[int, np.ndarray]]) -> tuple[np.ndarray, np.ndarray]:
        """Return the same derivative with respect to a leaf, at its probes, and its error bounds."""
        if all(i == INPUT for i, _ in added):
            change = (
                sum(d for _, d in added) if h.path[0][1] in self.judgment.episode.inputs else np.zeros(h.probes.shape)
            )
            return h.truth + h.probes.project(change), h.errors
        if h.path not in self._moves:
            value = np.copy(follow(self.judgment.episode.names, h.path))
            self._moves[h.path] = differences_of(
                value, lambda step: self._there(lambda names: put(names, h.path, value + step), None), h.most
            )
        return self._moves[h.path].slopes(lambda results: self._loss(results, added))

    def _there(self, change: Any, move: tuple[int, np.ndarray] | None) -> Results:
        names, seen = watched(self.judgment.episode, self.files, change, move)
        results: Results = {path: np.array(follow(names, path), float) for path in self.judgment.results}
        for i in {site.source for site in self.sites}:
            if 0 <= i < len(seen):
                results[(("seen", i),)] = seen[i].value
        key = next(iter(self.judgment.episode.inputs), None)
        if key is not None:
            results[(("seen", INPUT),)] = np.asarray(names[key], float)
        return results

    def _loss(self, results: Results, added: list[tuple[int, np.ndarray]]) -> float:
        return self.judgment.functional(results) + sum(float(np.sum(results[(("seen", i),)] * d)) for i, d in added)


def strengths_of(episode: Episode) -> list[tuple[Path, float]]:
    """Return the strengths of penalties, recognized by their names: reg, lambda, l2, decay."""
    words = ("reg", "lam", "lmbda", "l2", "decay")
    return [
        (path, float(value))
        for path, value in numbers_in(episode.names)
        if isinstance(value, float) and value and any(word in name_of(path).lower() for word in words)
    ]


def key_of(path: Path) -> str:
    """Return the name of a parameter within its layer."""
    return spelled(path)
