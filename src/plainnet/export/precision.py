"""Weights in fewer bits: the rounded values that a file will hold, and the accuracy that this costs."""

from __future__ import annotations

import copy
from dataclasses import replace

import numpy as np

from plainnet.data.dataset import DataSet
from plainnet.errors import InputError
from plainnet.evaluation import evaluate
from plainnet.layers import Conv2D, Dense
from plainnet.model import Model

PRECISIONS = ("float32", "float16", "int8")


def check(precision: str, form: str) -> None:
    """Raise `InputError` unless files of a format can store weights in this precision."""
    if precision not in PRECISIONS:
        raise InputError(f"precision must be one of {', '.join(PRECISIONS)}, received {precision!r:.60}")
    if precision == "int8" and form != "onnx":
        raise InputError(f"only ONNX supports 8-bit weights; export to {form} as float16")


def as_int8(array: np.ndarray, axis: int) -> tuple[np.ndarray, np.ndarray]:
    """Return whole numbers from -127 to 127 and a scale for each unit; their products approximate the array.

    Source: Jacob et al. 2018, "Quantization and training of neural networks for efficient integer-arithmetic-only
    inference", without zero points.
    """
    rest = tuple(k for k in range(array.ndim) if k != axis)
    scale = np.maximum(np.abs(array).max(axis=rest), 1e-12).astype(np.float32) / np.float32(127)
    shape = [-1 if k == axis else 1 for k in range(array.ndim)]
    return np.rint(array / scale.reshape(shape)).astype(np.int8), scale


def rounded(model: Model, precision: str) -> Model:
    """Return a model with the weights of dense and convolutional layers rounded as in a file of this precision."""
    network = copy.deepcopy(model.network)
    for _, layer in network.walk():
        if isinstance(layer, Dense | Conv2D) and precision != "float32":
            W = layer.W.value
            if precision == "float16":
                W[...] = W.astype(np.float16)
            else:
                whole, scale = as_int8(W, W.ndim - 1)
                W[...] = whole * scale
    return replace(model, network=network)


def cost(model: Model, precision: str, data: DataSet) -> dict[str, str]:
    """Return the metric on data before and after rounding to a precision, as strings for a file."""
    before, after = (evaluate(judged.network, data).to_table() for judged in (model, rounded(model, precision)))
    name = next(key for key in ("test_accuracy", "test_r2") if key in before)
    return {
        "measured": name.removeprefix("test_"),
        "float32": f"{before[name]:.6f}",
        precision: f"{after[name]:.6f}",
        "examples": f"{len(data)}",
    }
