"""Adversarial training: learn from each example also after moving it in the direction that raises its loss most."""

from __future__ import annotations

import math

import numpy as np

from plainnet.config import number
from plainnet.errors import InputError


def checked_distance(distance: float | None) -> float | None:
    """Return the distance of adversarial examples, or None for none.

    Raises: `InputError` if it is not a positive number.
    """
    if distance is not None and not 0.0 < number(distance, "adversarial") < math.inf:
        raise InputError(
            f"adversarial must be a distance above 0, received {distance}; 1.5 suits digits with pixels from 0 to 1"
        )
    return distance


def adversarial_examples(x: np.ndarray, dx: np.ndarray | None, distance: float) -> np.ndarray:
    """Return x + distance dx / |dx| for each example, with the Euclidean norm |dx|; where dx is 0, x does not move.

    dx is the gradient of the loss with respect to the inputs x. To first order, no other change of this length raises
    the loss more.

    Shapes: x, dx and result (N, ...).
    Sources: Goodfellow, Shlens, Szegedy 2015, "Explaining and harnessing adversarial examples"; Miyato, Maeda, Koyama,
    Nakae, Ishii 2016, "Distributional smoothing with virtual adversarial training", for the Euclidean norm.

    Example:
        >>> import numpy as np
        >>> from plainnet.workers.adversarial import adversarial_examples
        >>> adversarial_examples(np.array([[1.0, 1.0]]), np.array([[0.3, 0.4]]), 0.5).tolist()
        [[1.3, 1.4]]
    """
    assert dx is not None
    rows = dx.reshape(len(dx), -1)
    norms = np.sqrt(np.einsum("nd,nd->n", rows, rows, dtype=float))
    factors = np.divide(distance, norms, out=np.zeros_like(norms), where=norms > 0).astype(x.dtype)
    return x + (factors[:, None] * rows).reshape(x.shape)
