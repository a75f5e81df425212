"""Standardizing: inputs of mean 0 and deviation 1, feature by feature, by what the training data are like."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np

from plainnet.errors import InputError
from plainnet.layers.layer import Layer, Shape


class Standardize(Layer):
    """Standardization, y = (x - mean) / deviation for each feature, or channel of an image.

    With `inverse` it goes the other way, y = x deviation + mean.

    Mean and deviation are state, not parameters: a training takes them from its inputs before the first step (`learn`),
    or, with `inverse`, which belongs at the end of a regression, from its targets. A feature that is always the same
    gets deviation 1.

    Shapes: x, y (N, D) or (N, H, W, C); mean, deviation (D,) or (C,).
    Gradient: dx = dy / deviation; inverse, dx = dy deviation.
    Raises: `InputError` for an `inverse` that is not a bool, or state that is not positive.
    """

    def __init__(self, *, inverse: bool = False) -> None:
        super().__init__()
        if not isinstance(inverse, bool):
            raise InputError(f"inverse must be true or false, received {inverse!r}")
        self.inverse = inverse

    def build(self, in_shape: Shape) -> Shape:
        features = in_shape[-1] if len(in_shape) != 2 else 1  # (H, W) is an image of one channel
        self.state["mean"] = np.zeros(features, np.float64)
        self.state["deviation"] = np.ones(features, np.float64)
        self.state["learned"] = np.zeros(1, np.float64)
        return in_shape

    def check_state(self, state: Mapping[str, np.ndarray]) -> None:
        if (lowest := float(np.min(state["deviation"]))) <= 0:
            raise InputError(f"a deviation of Standardize is above 0, received {lowest:g}")

    def learn(self, blocks: Iterable[np.ndarray]) -> None:
        """Take mean and deviation of arrays (N, ...) together, unless that has been done: a training may go on."""
        if self.state["learned"][0]:
            return
        features = len(self.state["mean"])
        count, mean, squares = 0, np.zeros(features), np.zeros(features)
        for block in blocks:  # sums that do not cancel: Chan, Golub, LeVeque 1983
            rows = np.asarray(block, float).reshape(-1, features)
            total, shift = count + len(rows), rows.mean(axis=0) - mean
            squares += np.square(rows - rows.mean(axis=0)).sum(axis=0) + shift**2 * count * len(rows) / total
            mean += shift * len(rows) / total
            count = total
        deviation = np.sqrt(squares / count)
        small = deviation <= 1e-7 * np.maximum(1e-30, np.abs(mean))  # which rounding alone can make
        self.state["mean"][:], self.state["deviation"][:] = mean, np.where(small, 1.0, deviation)
        self.state["learned"][:] = 1.0

    def forward(self, x: np.ndarray, *, training: bool = False) -> np.ndarray:
        y = self.buffer("y", x.shape, x.dtype)
        mean, deviation = (self.state[name].astype(y.real.dtype) for name in ("mean", "deviation"))
        if self.inverse:
            np.multiply(x, deviation, out=y)
            y += mean
        else:
            np.subtract(x, mean, out=y)
            y /= deviation
        self.remember()
        return y

    def backward(self, dy: np.ndarray, *, need_dx: bool = True) -> np.ndarray | None:
        self.recall()
        if not need_dx:
            return None
        dx = self.buffer("dx", dy.shape, dy.dtype)
        deviation = self.state["deviation"].astype(dy.real.dtype)
        (np.multiply if self.inverse else np.divide)(dy, deviation, out=dx)
        return dx
