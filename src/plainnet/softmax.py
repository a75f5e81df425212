"""Softmax: turn any numbers (logits) into probabilities, by way of their logarithms, which never overflow."""

from __future__ import annotations

import numpy as np

from plainnet.errors import InputError


def log_softmax(logits: np.ndarray) -> np.ndarray:
    """Return log softmax(z) = z - log(sum_j exp z_j), row by row.

    Subtracting each row's largest logit first does not change the result (it cancels). It keeps every exponential
    within (0, 1], so that nothing overflows and no logarithm of 0 is taken.

    Shapes: logits (N, K), result (N, K).
    Source: Blanchard, Higham, Higham 2021, "Accurately computing the log-sum-exp and softmax functions".
    """
    shifted: np.ndarray = logits - logits.real.max(axis=1, keepdims=True)
    with np.errstate(under="ignore"):  # an exponential too small for the format correctly becomes 0
        shifted -= np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    return shifted


def with_two_columns(logits: np.ndarray) -> np.ndarray:
    """Return a single logit z per example as the equivalent pair of logits (0, z); other logits are unchanged.

    Shapes: logits (N, K), result (N, K), or (N, 2) if K is 1.
    """
    return np.concatenate([np.zeros_like(logits), logits], axis=1) if logits.shape[1:] == (1,) else logits


def expect_finite(logits: np.ndarray) -> np.ndarray:
    """Return the logits if all are finite.

    Raises: `InputError` if one is not a finite number.
    """
    if not np.isfinite(logits).all():
        raise InputError(
            "the network's outputs are not finite numbers: its weights or the inputs hold NaN, infinity or numbers too "
            "large to compute with; check the inputs, or train it again"
        )
    return logits


def softmax(logits: np.ndarray) -> np.ndarray:
    """Return exp(log_softmax(logits)): no entry is negative, and every row sums to 1.

    Shapes: logits (N, K), result (N, K).
    """
    log_shares = log_softmax(logits)
    with np.errstate(under="ignore"):
        np.exp(log_shares, out=log_shares)
    return log_shares


def sigmoid(logits: np.ndarray) -> np.ndarray:
    """Return 1 / (1 + exp(-logits)), element by element, without overflow."""
    p: np.ndarray = np.exp(-np.logaddexp(0, -logits))
    return p
