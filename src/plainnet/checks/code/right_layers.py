"""Correct backward passes of common layers, into which faults can be put.

Each kind is a function `(inputs, dy, options, fault) -> gradients`. With `fault=None` it returns the right gradients, otherwise
those of a program with this one fault. The names of the faults are the slugs of `faults.CATALOGUE`.
Shapes: dense x (N, D), W (D, M); images (N, C, H, W).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from plainnet.checks.code.subject import Arrays
from plainnet.softmax import softmax

Options = dict[str, Any]
Backward = Callable[[Arrays, Any, Options, "str | None"], Arrays]


def dense(inputs: Arrays, dy: np.ndarray, options: Options, fault: str | None) -> Arrays:
    """Fully connected: y = x W + b, or x W^T + b if the weights are stored as (M, D)."""
    x, W = inputs["x"], inputs[options["W"]]
    flipped = options["flipped"]
    dW = dy.T @ x if flipped else x.T @ dy
    dx = dy @ (W if flipped else W.T)
    if fault == "weight-not-transposed-in-dx" and W.shape[0] == W.shape[1]:
        dx = dy @ (W.T if flipped else W)
    gradients = {"x": dx, options["W"]: dW}
    if options["b"] is not None:
        db = dy.sum(axis=0)
        if fault == "bias-gradient-averaged":
            db = dy.mean(axis=0)
        if fault == "bias-gradient-not-summed":
            db = dy
        gradients[options["b"]] = db.reshape(inputs[options["b"]].shape) if db.ndim == 1 else db
    return gradients


def relu(inputs: Arrays, dy: np.ndarray, options: Options, fault: str | None) -> Arrays:
    """Rectified linear unit: y = max(x, 0)."""
    x = inputs["x"]
    mask: Any = x > 0
    if fault in ("relu-mask-missing", "relu-mask-inclusive-on-output"):
        mask = 1.0
    if fault == "relu-mask-from-wrong-array":
        mask = dy > 0
    if fault == "relu-mask-precedence":
        return {"x": (dy * x > 0) * 1.0}
    return {"x": dy * mask}


def sigmoid(inputs: Arrays, dy: np.ndarray, options: Options, fault: str | None) -> Arrays:
    """Logistic sigmoid: y = 1 / (1 + exp(-x))."""
    x = inputs["x"]
    y = logistic(x)
    slope = y * (1 - y)
    if fault == "sigmoid-derivative-applied-twice":
        slope = logistic(y) * (1 - logistic(y))
    if fault == "sigmoid-derivative-of-the-input":
        slope = x * (1 - x)
    if fault == "sigmoid-derivative-missing":
        slope = np.ones_like(x)
    return {"x": dy * slope}


def tanh(inputs: Arrays, dy: np.ndarray, options: Options, fault: str | None) -> Arrays:
    """Hyperbolic tangent, y = tanh x."""
    x = inputs["x"]
    slope = 1 - np.tanh(x) ** 2
    if fault == "tanh-derivative-applied-twice":
        slope = 1 - np.tanh(np.tanh(x)) ** 2
    if fault == "tanh-derivative-of-the-input":
        slope = 1 - x**2
    if fault == "tanh-derivative-missing":
        slope = np.ones_like(x)
    return {"x": dy * slope}


def softmax_rows(inputs: Arrays, dy: np.ndarray, options: Options, fault: str | None) -> Arrays:
    """Softmax of every row, p = softmax(x), as a separate layer."""
    p = softmax(inputs["x"])
    if (
        fault == "softmax-applied-twice"
    ):  # below a loss that applies softmax itself, with the gradient p - y of a single softmax
        return {"x": dy + (p - softmax(p)) * options["of the first"] / options.get("count", len(p))}
    if fault == "softmax-jacobian-diagonal-only":
        return {"x": dy * p * (1 - p)}
    return {"x": p * (dy - (dy * p).sum(axis=1, keepdims=True))}


def cross_entropy(inputs: Arrays, dy: Any, options: Options, fault: str | None) -> Arrays:
    """Softmax and cross-entropy: L = -mean_n log softmax(z_n)[label_n], or the sum over n."""
    logits, labels, n = inputs["x"], options["labels"], len(inputs["x"])
    p = softmax(logits)
    if fault == "softmax-over-the-whole-batch":
        p = np.exp(logits - logits.max()) / np.exp(logits - logits.max()).sum()
    count = n if options["mean"] else 1
    if fault == "gradient-not-divided-by-the-batch":
        count = 1
    if fault == "gradient-divided-twice":
        count = n * n if options["mean"] else n
    one_hot = np.eye(logits.shape[1])[labels]
    if fault == "one-hot-missing":
        one_hot = np.zeros_like(one_hot)
    if fault == "labels-off-by-one":
        one_hot = np.roll(one_hot, options["roll"], axis=1)
    return {"x": (p - one_hot) / count}


def dropout(inputs: Arrays, dy: np.ndarray, options: Options, fault: str | None) -> Arrays:
    """Dropout: y = x mask / keep, with the mask read from the output."""
    ratio = options["ratio"]
    return {"x": dy * (ratio != 0) if fault == "dropout-scale-missing" else dy * ratio}


def batch_norm(inputs: Arrays, dy: np.ndarray, options: Options, fault: str | None) -> Arrays:
    """Batch normalization: y = gamma (x - mean) / sqrt(var + eps) + beta, over the batch."""
    x, eps = inputs["x"], options["eps"]
    n, mean, var = len(x), x.mean(axis=0), x.var(axis=0, ddof=options["ddof"])
    scale = 1 / np.sqrt(var + eps)
    if fault == "batch-norm-wrong-variance":
        scale = {
            "ddof": 1 / np.sqrt(x.var(axis=0, ddof=1 - options["ddof"]) + eps),
            "not a root": 1 / (var + eps),
            "the root of the scale": np.sqrt(scale),
        }[options["variance"]]
    x_hat = (x - mean) * (1 / np.sqrt(var + eps))
    dx_hat = dy * inputs[options["gamma"]] if options["gamma"] else dy
    through_mean = dx_hat.sum(axis=0) / n
    through_var = x_hat * (dx_hat * x_hat).sum(axis=0) / (n - options["ddof"])
    if fault == "batch-norm-mean-path-missing":
        through_mean = np.zeros_like(through_mean)
    if fault == "batch-norm-variance-path-missing":
        through_var = np.zeros_like(through_var)
    if fault == "batch-norm-statistics-constant":
        through_mean = through_var = np.zeros_like(through_var)
    gradients = {"x": scale * (dx_hat - through_mean - through_var)}
    if options["gamma"]:
        gradients[options["gamma"]] = (dy * x_hat).sum(axis=0).reshape(inputs[options["gamma"]].shape)
    if options["beta"]:
        gradients[options["beta"]] = dy.sum(axis=0).reshape(inputs[options["beta"]].shape)
    return gradients


def max_pool(inputs: Arrays, dy: np.ndarray, options: Options, fault: str | None) -> Arrays:
    """Maximum pooling: y = the largest of each k x k window."""
    x, k, s = inputs["x"], options["size"], options["stride"]
    dx = np.zeros_like(x)
    for n, c, i, j in np.ndindex(dy.shape):
        window = x[n, c, i * s : i * s + k, j * s : j * s + k]
        winners = window == window.max()
        if fault != "max-pool-gradient-to-every-tie":
            winners = np.arange(winners.size).reshape(winners.shape) == window.argmax()
        if fault != "max-pool-first-image-only" or n == 0:
            dx[n, c, i * s : i * s + k, j * s : j * s + k] += winners * dy[n, c, i, j]
    return {"x": dx}


def convolution(inputs: Arrays, dy: np.ndarray, options: Options, fault: str | None) -> Arrays:
    """y[f] = sum over c, i, j of W[f, c, i, j] x[c, s p + i, s q + j] + b[f], on x padded with zeros."""
    x, W, s, pad = inputs["x"], inputs[options["W"]], options["stride"], options["pad"]
    step = 1 if fault == "stride-ignored-in-backward" else s
    padded = np.pad(x, ((0, 0), (0, 0), (pad, pad), (pad, pad)))
    unpadded = fault == "padding-ignored-in-backward"
    if unpadded and options["ignored"] == "everywhere":
        padded = np.pad(x, ((0, 0), (0, 0), (0, 2 * pad), (0, 2 * pad)))
    K, L = W.shape[2:]
    spread = W[:, :, ::-1, ::-1] if fault == "convolution-filters-not-flipped" else W
    dW, dpadded = np.zeros_like(W), np.zeros_like(padded)
    for p, q in np.ndindex(dy.shape[2:]):
        rows, columns = slice(p * step, p * step + K), slice(q * step, q * step + L)
        dW += np.einsum("nf,nckl->fckl", dy[:, :, p, q], padded[:, :, rows, columns])
        dpadded[:, :, rows, columns] += np.einsum("nf,fckl->nckl", dy[:, :, p, q], spread)
    start = 0 if unpadded else pad
    gradients = {"x": dpadded[:, :, start : start + x.shape[2], start : start + x.shape[3]], options["W"]: dW}
    if options["b"] is not None:
        db = dy.sum(axis=(0, 2, 3))
        if fault == "bias-gradient-averaged":
            db = dy.mean(axis=0).sum(axis=(1, 2))
        gradients[options["b"]] = db.reshape(inputs[options["b"]].shape)
    return gradients


def logistic(x: np.ndarray) -> np.ndarray:
    """Return 1 / (1 + exp(-x)) without overflow."""
    y: np.ndarray = 0.5 * (1 + np.tanh(0.5 * x))
    return y


FAULTS: dict[Backward, tuple[str, ...]] = {
    dense: ("bias-gradient-averaged", "bias-gradient-not-summed", "weight-not-transposed-in-dx"),
    relu: ("relu-mask-missing", "relu-mask-inclusive-on-output", "relu-mask-from-wrong-array", "relu-mask-precedence"),
    sigmoid: ("sigmoid-derivative-applied-twice", "sigmoid-derivative-of-the-input", "sigmoid-derivative-missing"),
    tanh: ("tanh-derivative-applied-twice", "tanh-derivative-of-the-input", "tanh-derivative-missing"),
    softmax_rows: ("softmax-applied-twice", "softmax-jacobian-diagonal-only"),
    cross_entropy: (
        "gradient-not-divided-by-the-batch",
        "gradient-divided-twice",
        "softmax-over-the-whole-batch",
        "one-hot-missing",
        "labels-off-by-one",
    ),
    dropout: ("dropout-scale-missing",),
    batch_norm: (
        "batch-norm-mean-path-missing",
        "batch-norm-variance-path-missing",
        "batch-norm-statistics-constant",
        "batch-norm-wrong-variance",
    ),
    max_pool: ("max-pool-gradient-to-every-tie", "max-pool-first-image-only"),
    convolution: (
        "convolution-filters-not-flipped",
        "stride-ignored-in-backward",
        "padding-ignored-in-backward",
        "bias-gradient-averaged",
    ),
}  # fmt: skip

# Faults with several variants: the options that select each variant.
SHAPES: dict[str, tuple[Options, ...]] = {
    "labels-off-by-one": ({"roll": 1}, {"roll": -1}),
    "softmax-applied-twice": ({"of the first": 0}, {"of the first": 1}, {"of the first": 1, "count": 1}),
    "padding-ignored-in-backward": ({"ignored": "in dx"}, {"ignored": "everywhere"}),
    "batch-norm-wrong-variance": (
        {"variance": "ddof"},
        {"variance": "not a root"},
        {"variance": "the root of the scale"},
    ),
}
