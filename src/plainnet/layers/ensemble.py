"""An ensemble as a layer: several networks whose answers are averaged, and which load, save and predict like one."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from plainnet.errors import InputError
from plainnet.layers.layer import Layer, Shape
from plainnet.layers.sequential import Sequential
from plainnet.softmax import log_softmax


class Ensemble(Layer):
    """The mean of the members' log-probabilities, y = mean_k log softmax(z_k); each member is a list of layers.

    The softmax of y is the normalized geometric mean of the members' probabilities.

    Shapes: x (N, ...), the members' logits z_k (N, K), y (N, K).
    Gradient: dz_k = (dy - softmax(z_k) sum_j dy_j) / members; dx is the sum of the members' dx.

    Raises: `InputError` if there is no member, a member has no layer, or the members' numbers of logits differ.
    Source: Hansen, Salamon 1990, "Neural network ensembles".

    Example:
        >>> import numpy as np
        >>> from plainnet import Flatten
        >>> from plainnet.layers import Ensemble
        >>> logits = np.log([[1.0, 3.0]])  # both members give the probabilities 1/4 and 3/4
        >>> np.exp(Ensemble([[Flatten()], [Flatten()]]).forward(logits)).round(3).tolist()
        [[0.25, 0.75]]
    """

    def __init__(self, members: Sequence[Sequence[Layer]]) -> None:
        super().__init__()
        rows = isinstance(members, list | tuple) and all(isinstance(m, list | tuple) and len(m) > 0 for m in members)
        if not rows or len(members) == 0:
            raise InputError("members must be a list of lists of layers, one list per network, none of them empty")
        for number, member in enumerate(members):
            self.adopt(Sequential(*member), str(number))

    @property
    def members(self) -> list[list[Layer]]:
        """The layers of each member."""
        return [list(member.children.values()) for member in self.children.values()]

    def build(self, in_shape: Shape) -> Shape:
        shapes = [member.set_up(in_shape) for member in self.children.values()]
        if len(set(shapes)) > 1 or len(shapes[0]) != 1 or shapes[0] == (1,):
            raise InputError(
                f"the members of an ensemble must give logits (K,) of the same size, at least 2, "
                f"received shapes {shapes}"
            )
        return shapes[0]

    def forward(self, x: np.ndarray, *, training: bool = False) -> np.ndarray:
        log_p = [log_softmax(member.forward(x, training=training)) for member in self.children.values()]
        self.remember(*log_p)
        return np.mean(log_p, axis=0, out=self.buffer("y", log_p[0].shape, x.dtype))

    def backward(self, dy: np.ndarray, *, need_dx: bool = True) -> np.ndarray | None:
        dx: np.ndarray | None = None
        for member, log_p in zip(self.children.values(), self.recall(), strict=True):
            with np.errstate(under="ignore"):
                dz = (dy - np.exp(log_p) * dy.sum(axis=1, keepdims=True)) / len(self.children)
            of_member = member.backward(dz, need_dx=need_dx)
            if of_member is not None:
                dx = of_member.copy() if dx is None else dx + of_member
        return dx
