"""Max pooling: make an image smaller, and keep the largest value of each neighborhood."""

from __future__ import annotations

import numpy as np

from plainnet.config import whole_number
from plainnet.layers.layer import Layer, Shape
from plainnet.layers.patches import pooled_shape


class MaxPool(Layer):
    """Maximum over squares of K x K pixels that do not overlap, channel by channel, K = `size`.

    Shapes: x (N, H, W, C), y (N, H // K, W // K, C); rows and columns left over at the end are ignored.
    Gradient: dx = dy at the maximum, 0 elsewhere. If several pixels are equally large, one of them gets dy.

    The maximum is found as in a tournament: first among the rows of a square, column by column, then among the
    winners. In the backward pass, the winner of each match gets the gradient and the loser gets 0.

    Raises: `InputError` if `size` is not a positive whole number, or larger than the image.
    Source: Ranzato et al. 2007, "Unsupervised learning of invariant feature hierarchies".

    Example:
        >>> import numpy as np
        >>> from plainnet import MaxPool, Network
        >>> image = np.array([[1.0, 2.0], [3.0, 4.0]]).reshape(1, 2, 2, 1)
        >>> Network(MaxPool(2)).build((2, 2, 1)).logits(image).tolist()
        [[[[4.0]]]]
    """

    def __init__(self, size: int = 2) -> None:
        super().__init__()
        self.size = whole_number(size, "size")

    def build(self, in_shape: Shape) -> Shape:
        self.in_shape = in_shape
        self.rows, self.columns, self.channels = pooled_shape(self, in_shape)
        return self.rows, self.columns, self.channels

    def forward(self, x: np.ndarray, *, training: bool = False) -> np.ndarray:
        winners, row_wins = self._tournament("rows", self._by_rows(x))
        y, column_wins = self._tournament("columns", self._by_columns(winners))
        self.remember(row_wins, column_wins)
        return y

    def backward(self, dy: np.ndarray, *, need_dx: bool = True) -> np.ndarray | None:
        row_wins, column_wins = self.recall()
        dx = self.buffer("dx", (len(dy), *self.in_shape), dy.dtype)
        dwinners = self.buffer("dwinners", (len(dy), self.rows, *self.in_shape[1:]), dy.dtype)
        dx[:, self.rows * self.size :] = dwinners[:, :, self.columns * self.size :] = 0
        self._undo(column_wins, dy, self._by_columns(dwinners))
        self._undo(row_wins, dwinners, self._by_rows(dx))
        return dx

    def _by_rows(self, x: np.ndarray) -> np.ndarray:
        """Return a view (K, N, rows, W, C) of images: the first, second, ... row of each square."""
        used = x[:, : self.rows * self.size]
        return np.moveaxis(used.reshape(len(x), self.rows, self.size, *x.shape[2:]), 2, 0)

    def _by_columns(self, winners: np.ndarray) -> np.ndarray:
        """Return a view (K, N, rows, columns, C) of the winners: the first, second, ... column of each square."""
        used = winners[:, :, : self.columns * self.size]
        return np.moveaxis(used.reshape(len(used), self.rows, self.columns, self.size, self.channels), 3, 0)

    def _tournament(self, name: str, players: np.ndarray) -> tuple[np.ndarray, list[np.ndarray]]:
        """Return the largest of the players (K, ...) and, for all but the first, whether each beat those before it."""
        best: np.ndarray = players[0]
        winner, all_wins = self.buffer(f"winner of {name}", best.shape, best.dtype), []
        for k in range(1, self.size):
            wins = self.buffer(f"wins of {name} {k}", best.shape, bool)
            np.greater(players[k].real, best.real, out=wins)
            if np.iscomplexobj(best):
                winner[...] = np.where(wins, players[k], best)  # by the real part; np.maximum compares both
            else:
                np.maximum(best, players[k], out=winner)
            best = winner
            all_wins.append(wins)
        return best, all_wins

    def _undo(self, all_wins: list[np.ndarray], dwinner: np.ndarray, dplayers: np.ndarray) -> None:
        """Write the gradients of the players (K, ...), from the last match to the first."""
        for k in range(self.size - 1, 0, -1):
            np.multiply(dwinner, all_wins[k - 1], out=dplayers[k])
            np.subtract(dwinner, dplayers[k], out=dplayers[0])
            dwinner = dplayers[0]
        if self.size == 1:
            dplayers[0] = dwinner
