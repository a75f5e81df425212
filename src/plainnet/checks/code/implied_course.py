"""Forward passes of the functions that a well-known course asks for, for files that hold only the backward passes.

The course (deeplearning.ai, "Neural Networks and Deep Learning", week 4, and "Sequence Models", week 1) fixes the names,
arguments and caches, so that linear_backward(dZ, cache) tells what linear_forward does. Examples are columns.
"""

from __future__ import annotations

import linecache
from collections.abc import Callable
from typing import Any

import numpy as np

from plainnet.checks.code.implied import IMPLIED
from plainnet.checks.code.roles import D, K, M, N, random

_TEXT = """
def relu_forward(Z):
    A = np.maximum(0, Z)
    cache = Z
    return A, cache

def sigmoid_forward(Z):
    A = 1 / (1 + np.exp(-Z))
    cache = Z
    return A, cache

def linear_forward(A, W, b):
    Z = np.dot(W, A) + b
    cache = (A, W, b)
    return Z, cache

def linear_activation_forward(A_prev, W, b, activation):
    Z, linear_cache = linear_forward(A_prev, W, b)
    A, activation_cache = sigmoid_forward(Z) if activation == "sigmoid" else relu_forward(Z)
    cache = (linear_cache, activation_cache)
    return A, cache

def initialize_parameters_deep(layer_dims):
    parameters = {}
    for l in range(1, len(layer_dims)):
        parameters["W" + str(l)] = np.random.randn(layer_dims[l], layer_dims[l - 1]) * 0.5
        parameters["b" + str(l)] = np.zeros((layer_dims[l], 1))
    return parameters

def L_model_forward(X, parameters):
    caches = []
    A = X
    L = len(parameters) // 2
    for l in range(1, L):
        A, cache = linear_activation_forward(A, parameters["W" + str(l)], parameters["b" + str(l)], "relu")
        caches.append(cache)
    AL, cache = linear_activation_forward(A, parameters["W" + str(L)], parameters["b" + str(L)], "sigmoid")
    caches.append(cache)
    return AL, caches

def rnn_cell_forward(xt, a_prev, parameters):
    Wax, Waa, Wya = parameters["Wax"], parameters["Waa"], parameters["Wya"]
    a_next = np.tanh(np.dot(Waa, a_prev) + np.dot(Wax, xt) + parameters["ba"])
    scores = np.exp(np.dot(Wya, a_next) + parameters["by"])
    yt_pred = scores / np.sum(scores, axis=0)
    cache = (a_next, a_prev, xt, parameters)
    return a_next, yt_pred, cache

def rnn_forward(x, a0, parameters):
    caches = []
    a = np.zeros((a0.shape[0], x.shape[1], x.shape[2]))
    y_pred = np.zeros((parameters["by"].shape[0], x.shape[1], x.shape[2]))
    a_next = a0
    for t in range(x.shape[2]):
        a_next, y_pred[:, :, t], cache = rnn_cell_forward(x[:, :, t], a_next, parameters)
        a[:, :, t] = a_next
        caches.append(cache)
    caches = (caches, x)
    return a, y_pred, caches
"""
_BACKWARD = {
    "relu_backward": "relu_forward",
    "sigmoid_backward": "sigmoid_forward",
    "linear_backward": "linear_forward",
    "linear_activation_backward": "linear_activation_forward",
    "L_model_backward": "L_model_forward",
    "rnn_cell_backward": "rnn_cell_forward",
    "rnn_backward": "rnn_forward",
}


def course_forwards(back: str, own: dict[str, Callable[..., Any]]) -> dict[str, Callable[..., Any]]:
    """Return the forward pass that belongs to a backward pass of the course, and what it needs; {} if the file has it."""
    forward = _BACKWARD.get(back)
    if forward is None or forward in own:
        return {}
    filename = f"{IMPLIED} course"
    linecache.cache[filename] = (len(_TEXT), None, _TEXT.splitlines(keepends=True), filename)
    table: dict[str, Any] = {"np": np, "__name__": "examined"}
    exec(compile(_TEXT, filename, "exec"), table)  # noqa: S102  (code made here)
    shapes = {"Wax": (M, D), "Waa": (M, M), "Wya": (K, M), "ba": (M, 1), "by": (K, 1)}
    parameters = {key: random(*shape, seed=i) for i, (key, shape) in enumerate(shapes.items(), 3)}
    x, sequence = random(D, N), random(D, N, 4)
    vars(table["rnn_cell_forward"])["starts"] = [
        {"xt": x, "x": x, "a_prev": random(M, N), "parameters": parameters},
    ]
    vars(table["rnn_forward"])["starts"] = [{"x": sequence, "a0": random(M, N), "parameters": parameters}]
    wanted = [forward, *(["initialize_parameters_deep"] if forward == "L_model_forward" else [])]
    return {name: table[name] for name in wanted if name not in own}
