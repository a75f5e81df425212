"""What a subject computes, recognized by its numbers, and right backward passes into which faults can be put.

Each kind is a function `(inputs, dy, options, fault) -> gradients`: with `fault=None` the right gradients, otherwise
those that a program with this one fault would compute. The names of the faults are the slugs of `faults.CATALOGUE`.
Shapes: dense x (N, D), W (D, M); images (N, C, H, W).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from plainnet.doctor.subject import Arrays, Setting
from plainnet.softmax import log_softmax, softmax

Options = dict[str, Any]
Backward = Callable[[Arrays, Any, Options, "str | None"], Arrays]


def dense(inputs: Arrays, dy: np.ndarray, options: Options, fault: str | None) -> Arrays:
    """y = x W + b, or x W^T + b where the weights are stored as (M, D)."""
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
    """y = max(x, 0)."""
    x = inputs["x"]
    mask: Any = x > 0
    if fault in ("relu-mask-missing", "relu-mask-inclusive-on-output"):
        mask = 1.0
    if fault == "relu-mask-from-wrong-array":
        mask = dy > 0
    return {"x": dy * mask}


def sigmoid(inputs: Arrays, dy: np.ndarray, options: Options, fault: str | None) -> Arrays:
    """y = 1 / (1 + exp(-x))."""
    x = inputs["x"]
    y = _sigmoid(x)
    slope = y * (1 - y)
    if fault == "sigmoid-derivative-applied-twice":
        slope = _sigmoid(y) * (1 - _sigmoid(y))
    if fault == "sigmoid-derivative-of-the-input":
        slope = x * (1 - x)
    return {"x": dy * slope}


def tanh(inputs: Arrays, dy: np.ndarray, options: Options, fault: str | None) -> Arrays:
    """y = tanh(x)."""
    x = inputs["x"]
    slope = 1 - np.tanh(x) ** 2
    if fault == "tanh-derivative-applied-twice":
        slope = 1 - np.tanh(np.tanh(x)) ** 2
    if fault == "tanh-derivative-of-the-input":
        slope = 1 - x**2
    return {"x": dy * slope}


def cross_entropy(inputs: Arrays, dy: Any, options: Options, fault: str | None) -> Arrays:
    """L = -mean_n log softmax(z_n)[label_n], or the sum over n."""
    logits, labels, n = inputs["x"], options["labels"], len(inputs["x"])
    p = softmax(logits)
    if fault == "softmax-over-the-whole-batch":
        p = np.exp(logits - logits.max()) / np.exp(logits - logits.max()).sum()
    one_hot = np.eye(logits.shape[1])[labels]
    if fault == "one-hot-missing":
        one_hot = np.zeros_like(one_hot)
    if fault == "labels-off-by-one":
        one_hot = np.roll(one_hot, options["roll"], axis=1)
    return {"x": (p - one_hot) / (n if options["mean"] else 1)}


def dropout(inputs: Arrays, dy: np.ndarray, options: Options, fault: str | None) -> Arrays:
    """y = x mask / keep, the mask being looked up in the output."""
    ratio = options["ratio"]
    return {"x": dy * (ratio != 0) if fault == "dropout-scale-missing" else dy * ratio}


def batch_norm(inputs: Arrays, dy: np.ndarray, options: Options, fault: str | None) -> Arrays:
    """y = gamma (x - mean) / sqrt(var + eps) + beta, over the batch."""
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
    """y = the largest of each k x k window."""
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
    if fault == "padding-ignored-in-backward":
        padded = np.pad(x, ((0, 0), (0, 0), (0, 2 * pad), (0, 2 * pad)))
    K, L = W.shape[2:]
    spread = W[:, :, ::-1, ::-1] if fault == "convolution-filters-not-flipped" else W
    dW, dpadded = np.zeros_like(W), np.zeros_like(padded)
    for p, q in np.ndindex(dy.shape[2:]):
        rows, columns = slice(p * step, p * step + K), slice(q * step, q * step + L)
        dW += np.einsum("nf,nckl->fckl", dy[:, :, p, q], padded[:, :, rows, columns])
        dpadded[:, :, rows, columns] += np.einsum("nf,fckl->nckl", dy[:, :, p, q], spread)
    start = 0 if fault == "padding-ignored-in-backward" else pad
    gradients = {"x": dpadded[:, :, start : start + x.shape[2], start : start + x.shape[3]], options["W"]: dW}
    if options["b"] is not None:
        db = dy.sum(axis=(0, 2, 3))
        if fault == "bias-gradient-averaged":
            db = dy.mean(axis=0).sum(axis=(1, 2))
        gradients[options["b"]] = db.reshape(inputs[options["b"]].shape)
    return gradients


def _sigmoid(x: np.ndarray) -> np.ndarray:
    y: np.ndarray = 0.5 * (1 + np.tanh(0.5 * x))
    return y


FAULTS: dict[Backward, tuple[str, ...]] = {
    dense: ("bias-gradient-averaged", "bias-gradient-not-summed", "weight-not-transposed-in-dx"),
    relu: ("relu-mask-missing", "relu-mask-inclusive-on-output", "relu-mask-from-wrong-array"),
    sigmoid: ("sigmoid-derivative-applied-twice", "sigmoid-derivative-of-the-input"),
    tanh: ("tanh-derivative-applied-twice", "tanh-derivative-of-the-input"),
    cross_entropy: ("softmax-over-the-whole-batch", "one-hot-missing", "labels-off-by-one"),
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

# Faults that come in more than one shape: the options that tell the shapes apart.
SHAPES: dict[str, tuple[Options, ...]] = {
    "labels-off-by-one": ({"roll": 1}, {"roll": -1}),
    "batch-norm-wrong-variance": (
        {"variance": "ddof"},
        {"variance": "not a root"},
        {"variance": "the root of the scale"},
    ),
}


def recognize(setting: Setting, y: Any) -> tuple[Backward, Options] | None:
    """Return the kind whose formula gives the output `y` of this setting, with its options, or None."""
    x = setting.inputs["x"] if "x" in setting.inputs else None
    if x is None:
        return None
    if setting.labels is not None:
        return _recognize_loss(x, setting.labels, float(y))
    if np.shape(y) == x.shape:
        for kind, value in ((relu, np.maximum(x, 0)), (sigmoid, _sigmoid(x)), (tanh, np.tanh(x))):
            if _same(y, value):
                return kind, {}
        ratio = y / x
        if (ratio == 0).any() and (ratio != 0).any() and np.ptp(ratio[ratio != 0]) < 1e-9:
            return dropout, {"ratio": ratio}
    weights = [name for name, value in setting.inputs.items() if name != "x" and value.ndim == x.ndim]
    biases: list[str | None] = [name for name, value in setting.inputs.items() if name != "x" and name not in weights]
    biases += [name for name in weights if 1 in setting.inputs[name].shape] + [None]
    if x.ndim == 2:
        return _recognize_dense(setting.inputs, y, weights, biases) or _recognize_batch_norm(setting.inputs, y)
    return _recognize_images(setting, y, weights, biases) if x.ndim == 4 else None


def _recognize_loss(logits: np.ndarray, labels: np.ndarray, value: float) -> tuple[Backward, Options] | None:
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
                value = inputs["x"] @ matrix + (0 if b is None else inputs[b].reshape(1, -1))
                if _same(y, value):
                    return dense, {"W": W, "b": b, "flipped": flipped}
    return None


def _recognize_batch_norm(inputs: Arrays, y: np.ndarray) -> tuple[Backward, Options] | None:
    x, names = inputs["x"], [name for name in inputs if name != "x"]
    for gamma, beta in [(None, None), *((a, b) for a in names for b in names if a != b)]:
        for ddof in (0, 1):
            shift = inputs[beta].reshape(1, -1) if beta else 0.0
            scale = inputs[gamma].reshape(1, -1) if gamma else 1.0
            if np.shape(shift) not in ((), (1, x.shape[1])) or np.shape(y) != x.shape:
                continue
            with np.errstate(all="ignore"):
                root = scale * (x - x.mean(axis=0)) / (y - shift)  # sqrt(var + eps), the same all down a column
                eps = np.median(root**2 - x.var(axis=0, ddof=ddof))
                value = scale * (x - x.mean(axis=0)) / np.sqrt(x.var(axis=0, ddof=ddof) + eps) + shift
            if _same(y, value) and -1e-12 <= eps < 1e-2:
                return batch_norm, {"gamma": gamma, "beta": beta, "ddof": ddof, "eps": max(eps, 0.0)}
    return None


def _recognize_images(
    setting: Setting, y: np.ndarray, weights: list[str], biases: list[str | None]
) -> tuple[Backward, Options] | None:
    x = setting.inputs["x"]
    if not weights and y.ndim == 4 and y.shape[:2] == x.shape[:2]:
        for size, stride in ((2, 2), (3, 3), (2, 1), (3, 2)):
            if y.shape[2:] == tuple((n - size) // stride + 1 for n in x.shape[2:]):
                windows = np.lib.stride_tricks.sliding_window_view(x, (size, size), (2, 3))
                if _same(y, windows[:, :, ::stride, ::stride].max(axis=(4, 5))):
                    return max_pool, {"size": size, "stride": stride}
    for W in weights:
        for b in biases:
            for stride, pad in ((1, 0), (1, 1), (2, 0), (2, 1), (1, 2)):
                value = _convolve(x, setting.inputs[W], None if b is None else setting.inputs[b], stride, pad)
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
