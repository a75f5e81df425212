"""Recognize from its numbers what a layer computes: find the formula that gives the same output."""

from __future__ import annotations

from typing import Any

import numpy as np

from plainnet.checks.code.right_layers import (
    Backward,
    Options,
    batch_norm,
    convolution,
    cross_entropy,
    dense,
    dropout,
    logistic,
    max_pool,
    relu,
    sigmoid,
    softmax_rows,
    tanh,
)
from plainnet.checks.code.subject import Arrays
from plainnet.softmax import log_softmax, softmax


def recognize(inputs: Arrays, y: Any) -> tuple[Backward, Options] | None:
    """Return the kind of layer that gives the output `y` for the input "x" and some parameters, with its options; or None."""
    x = inputs["x"]
    if np.shape(y) == x.shape:
        for kind, value in ((relu, np.maximum(x, 0)), (sigmoid, logistic(x)), (tanh, np.tanh(x))):
            if _same(y, value):
                return kind, {}
        if x.ndim == 2 and x.shape[1] > 1 and _same(y, softmax(x)):
            return softmax_rows, {}
        ratio = y / x
        if (ratio == 0).any() and (ratio != 0).any() and np.ptp(ratio[ratio != 0]) < 1e-9:
            return dropout, {"ratio": ratio}
    weights = [name for name, value in inputs.items() if name != "x" and value.ndim == x.ndim]
    biases: list[str | None] = [name for name, value in inputs.items() if name != "x" and name not in weights]
    biases += [name for name in weights if 1 in inputs[name].shape] + [None]
    if x.ndim == 2:
        return _recognize_dense(inputs, y, weights, biases) or _recognize_batch_norm(inputs, y)
    return _recognize_images(inputs, y, weights, biases) if x.ndim == 4 else None


def recognize_loss(logits: np.ndarray, labels: np.ndarray, value: float) -> tuple[Backward, Options] | None:
    """Return cross-entropy as a mean or a sum, if its value for these logits and classes is `value`; otherwise None."""
    losses = -log_softmax(logits)[np.arange(len(labels)), labels]
    for mean, right in ((True, losses.mean()), (False, losses.sum())):
        if _same(value, right):
            return cross_entropy, {"labels": labels, "mean": mean}
    return None


def _recognize_dense(
    inputs: Arrays, y: np.ndarray, weights: list[str], biases: list[str | None]
) -> tuple[Backward, Options] | None:
    for W in weights:
        for b in biases:
            for flipped in (False, True):
                matrix = inputs[W].T if flipped else inputs[W]
                if matrix.shape[0] != inputs["x"].shape[1] or b == W:
                    continue
                if b is not None and inputs[b].size not in (1, matrix.shape[1]):
                    continue
                value = inputs["x"] @ matrix + (0 if b is None else inputs[b].reshape(1, -1))
                if _same(y, value):
                    return dense, {"W": W, "b": b, "flipped": flipped}
    return None


def _recognize_batch_norm(inputs: Arrays, y: np.ndarray) -> tuple[Backward, Options] | None:
    x = inputs["x"]
    names = [name for name, value in inputs.items() if name != "x" and value.size == x.shape[1]]
    for gamma, beta in [(None, None), *((a, b) for a in names for b in names if a != b)]:
        for ddof in (0, 1) if len(x) > 1 else (0,):
            shift = inputs[beta].reshape(1, -1) if beta else 0.0
            scale = inputs[gamma].reshape(1, -1) if gamma else 1.0
            if np.shape(shift) not in ((), (1, x.shape[1])) or np.shape(y) != x.shape:
                continue
            with np.errstate(all="ignore"):
                root = scale * (x - x.mean(axis=0)) / (y - shift)  # sqrt(var + eps), constant along a column
                eps = np.median(root**2 - x.var(axis=0, ddof=ddof))
                value = scale * (x - x.mean(axis=0)) / np.sqrt(x.var(axis=0, ddof=ddof) + eps) + shift
            if _same(y, value) and -1e-12 <= eps < 1e-2:
                return batch_norm, {"gamma": gamma, "beta": beta, "ddof": ddof, "eps": max(eps, 0.0)}
    return None


def _recognize_images(
    inputs: Arrays, y: np.ndarray, weights: list[str], biases: list[str | None]
) -> tuple[Backward, Options] | None:
    x = inputs["x"]
    if not weights and y.ndim == 4 and y.shape[:2] == x.shape[:2]:
        for size, stride in ((2, 2), (3, 3), (2, 1), (3, 2)):
            if y.shape[2:] == tuple((n - size) // stride + 1 for n in x.shape[2:]):
                windows = np.lib.stride_tricks.sliding_window_view(x, (size, size), (2, 3))
                if _same(y, windows[:, :, ::stride, ::stride].max(axis=(4, 5))):
                    return max_pool, {"size": size, "stride": stride}
    for W in weights:
        for b in biases:
            for stride, pad in ((1, 0), (1, 1), (2, 0), (2, 1), (1, 2)):
                value = _convolve(x, inputs[W], None if b is None else inputs[b], stride, pad)
                if value is not None and _same(y, value):
                    return convolution, {"W": W, "b": b, "stride": stride, "pad": pad}
    return None


def _convolve(x: np.ndarray, W: np.ndarray, b: np.ndarray | None, stride: int, pad: int) -> np.ndarray | None:
    padded = np.pad(x, ((0, 0), (0, 0), (pad, pad), (pad, pad)))
    if W.shape[1] != x.shape[1] or min(padded.shape[2] - W.shape[2], padded.shape[3] - W.shape[3]) < 0:
        return None
    windows = np.lib.stride_tricks.sliding_window_view(padded, W.shape[2:], (2, 3))[:, :, ::stride, ::stride]
    y: np.ndarray = np.einsum("ncpqkl,fckl->nfpq", windows, W)
    return y if b is None else y + b.reshape(1, -1, 1, 1) if b.size == len(W) else None


def _same(a: Any, b: Any) -> bool:
    return np.shape(a) == np.shape(b) and bool(np.allclose(a, b, rtol=1e-7, atol=1e-9))
