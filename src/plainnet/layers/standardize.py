"""Standardization: scale each feature to mean 0 and standard deviation 1, as measured on the training data."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np

from plainnet.errors import InputError
from plainnet.layers.layer import Layer, Shape


class Standardize(Layer):
    """Standardization, y = (x - mean) / deviation for each feature, or channel of an image.

    With `inverse`, for the end of a regression, it does the opposite: y = x deviation + mean.

    Mean and deviation are state, not parameters: before its first step, a training run measures them (`learn`) on its
    inputs or, with `inverse`, on its targets. A feature that is always the same gets deviation 1.

    Shapes: x, y (N, D) or (N, H, W, C); mean, deviation (D,) or (C,).
    Gradient: dx = dy / deviation; inverse, dx = dy deviation.
    Raises: `InputError` for an `inverse` that is not a bool, or a deviation in a file that is not positive.

    Example:
        >>> import numpy as np
        >>> from plainnet import Network
        >>> from plainnet.layers import Standardize
        >>> layer, x = Standardize(), np.array([[1.0], [3.0]])
        >>> network = Network(layer).build(1)
        >>> layer.learn([x])  # mean 2, deviation 1
        >>> network.logits(x).tolist()
        [[-1.0], [1.0]]
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
            raise InputError(f"a deviation of Standardize must be above 0, received {lowest:g}")

    def learn(self, blocks: Iterable[np.ndarray]) -> None:
        """Measure mean and deviation over arrays (N, ...), unless that was done before, as when training resumes."""
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
        small = deviation <= 1e-7 * np.maximum(1e-30, np.abs(mean))  # may be due to rounding alone
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
