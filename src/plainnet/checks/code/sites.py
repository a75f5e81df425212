"""Sites: the layers of a forward pass, recognized by the numbers of its arrays.

A site is a layer of `right_layers` between two intermediate arrays. A fault in this layer changes the gradient of its input u by a
known amount D. Every number w before it then gets the wrong gradient dL/dw + <du/dw, D>, and du/dw can be measured. So the doctor can tell
what a program would compute with a fault in one layer, without understanding the program.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from plainnet.checks.code.recognize import recognize, recognize_loss
from plainnet.checks.code.right_layers import Backward, Options
from plainnet.checks.code.subject import Arrays

LOSS = -2  # stands for the loss, which is not an array
INPUT = -1  # stands for the input among the intermediate arrays


@dataclass
class Site:
    """A layer between two intermediate arrays, given by their numbers; `flipped` if examples are columns."""

    kind: Backward
    options: Options
    source: int
    target: int  # for a loss: none
    inputs: Arrays
    flipped: bool = False

    def gradients(self, dy: Any, slug: str | None, shape: Options) -> Arrays:
        """Return the gradients of this layer alone, with a fault if one is given, in the author's layout."""
        given = dy.T if self.flipped and np.ndim(dy) == 2 else dy
        found = self.kind(self.inputs, given, self.options | shape, slug)
        return {"x": found["x"].T if self.flipped else found["x"]} | {n: g for n, g in found.items() if n != "x"}


def sites_of(
    values: dict[int, np.ndarray], parameters: Arrays, target: np.ndarray | None, losses: list[float]
) -> Iterator[Site]:
    """Yield the layers between arrays; each array is the output of at most one layer. `values` are in order."""
    made: set[int] = set()
    order = list(values)
    for j in order:
        for i in [i for i in order if i < j]:
            site = _between(i, j, values, parameters) if j not in made else None
            if site is not None:
                made.add(j)
                yield site
                break
    if target is not None:
        for i in order:
            for flipped in (False, True) if values[i].ndim == 2 else (False,):
                x = values[i].T if flipped else values[i]
                labels = _labels(target.T if flipped and target.ndim == 2 else target)
                if x.ndim == 2 and labels is not None and len(labels) == len(x) and labels.max() < x.shape[1]:
                    kind = next((found for loss in losses if (found := recognize_loss(x, labels, loss))), None)
                    if kind is not None:
                        yield Site(*kind, i, LOSS, {"x": x}, flipped)
                        return


def _between(i: int, j: int, values: dict[int, np.ndarray], parameters: Arrays) -> Site | None:
    u, v = values[i], values[j]
    if u.ndim != v.ndim or (u.ndim == 4 and len(u) != len(v)):
        return None
    for flipped in (False, True) if u.ndim == 2 else (False,):
        x, y = (u.T, v.T) if flipped else (u, v)
        if len(x) != len(y):
            continue
        inputs = {"x": x} | parameters
        kind = recognize(inputs, y)
        if kind is not None:
            return Site(*kind, i, j, inputs, flipped)
    return None


def _labels(target: np.ndarray) -> np.ndarray | None:
    """Return class numbers, from class numbers or from one-hot rows."""
    if target.dtype.kind in "iu" and target.ndim == 1:
        return target
    if target.ndim == 2 and target.shape[1] > 1 and np.isin(target, (0, 1)).all() and (target.sum(axis=1) == 1).all():
        return np.asarray(target.argmax(axis=1))
    return None
