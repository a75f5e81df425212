"""Read ONNX operators as layers of plainnet, with one rule per operator, and fold constants."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace

import numpy as np

from plainnet.errors import InputError
from plainnet.export.onnx_chains import Chain, Given, Item, Operands, Reader, begins_with, constant, refuse, residual
from plainnet.export.onnx_convolutions import conv, global_average, pool, reduce_mean
from plainnet.foreign.showing import shown
from plainnet.layers import (
    GELU,
    AveragePool,
    BatchNorm,
    Dense,
    Flatten,
    Layer,
    LayerNorm,
    LeakyReLU,
    MaxPool,
    ReLU,
    Sigmoid,
    SiLU,
    Standardize,
    Tanh,
)  # fmt: skip

_BYTE = 1 / 255


def _dense(chain: Chain, W: np.ndarray, b: np.ndarray) -> Chain:
    refuse(len(chain.shape) != 1 or W.shape[0] != chain.shape[0], f"weights {W.shape} do not fit {chain.shape}")
    if chain.order is not None:
        W = W[chain.order]
    return replace(chain, order=None).then(Dense(W.shape[1]), (W.shape[1],), W=W, b=np.broadcast_to(b, W.shape[1:]))


def _gemm(operands: Operands, given: Given) -> Chain:
    chain, W = operands[0], constant(operands, 1, "the weights of Gemm")
    refuse(not isinstance(chain, Chain) or bool(given.get("transA")), "Gemm must take the input first, not transposed")
    W = (W.T if given.get("transB") else W) * given.get("alpha", 1.0)
    b = constant(operands, 2, "the bias of Gemm") * given.get("beta", 1.0) if len(operands) > 2 else np.zeros(1)
    return _dense(chain, W, b.ravel())


def _matmul(operands: Operands, given: Given) -> Chain:
    chain, W = operands[0], constant(operands, 1, "the weights of MatMul")
    refuse(not isinstance(chain, Chain) or W.ndim != 2, "MatMul must take the input first, then a matrix")
    return _dense(chain, W, np.zeros(1))


def _batch_norm(operands: Operands, given: Given) -> Chain:
    chain = operands[0]
    gamma, beta, mean, variance = (constant(operands, k, "a parameter of BatchNormalization") for k in range(1, 5))
    arrays = {"gamma": gamma, "beta": beta, "running_mean": mean, "running_variance": variance}
    if chain.order is not None:
        arrays = {name: array[chain.order] for name, array in arrays.items()}
    return chain.then(BatchNorm(epsilon=given.get("epsilon", 1e-5)), None, **arrays)


def _layer_norm(operands: Operands, given: Given) -> Chain:
    chain = operands[0]
    refuse(chain.first or chain.order is not None or given.get("axis", -1) not in (-1, len(chain.shape)),
            "LayerNormalization must be over the last axis")  # fmt: skip
    gamma = constant(operands, 1, "a parameter of LayerNormalization")
    beta = operands[2] if len(operands) > 2 and operands[2] is not None else np.zeros_like(gamma)
    return chain.then(LayerNorm(epsilon=given.get("epsilon", 1e-5)), None, gamma=gamma, beta=beta)


def _flatten(operands: Operands, given: Given) -> Chain:
    chain = operands[0]
    size = math.prod(chain.shape)
    if len(operands) > 1 or "shape" in given:  # Reshape
        shape = [int(n) for n in (operands[1] if len(operands) > 1 else given["shape"])]
        sizes = tuple(chain.shape[k - 1] if n == 0 and k > 0 else n for k, n in enumerate(shape))[1:]
        known = math.prod(n for n in sizes if n > 0)
        sizes = tuple(size // known if n == -1 else n for n in sizes)
        if sizes == chain.shape:
            return chain
        if math.prod(sizes) == size and len(sizes) == 3 and len(chain.shape) == 1 and not chain.items:
            raise InputError("it reshapes vectors to images; give a network that takes images as input")
        refuse(sizes != (size,), f"Reshape from {chain.shape} to {sizes} is not supported, only flattening is")
    elif given.get("axis", 1) != 1:
        raise InputError("Flatten must keep the first axis")
    if len(chain.shape) == 1:
        return chain
    order = None
    if chain.first and chain.shape[0] > 1 and math.prod(chain.shape[1:]) > 1:
        order = np.arange(size).reshape(chain.shape).transpose(1, 2, 0).ravel()
    return replace(chain.then(Flatten(), (size,)), first=False, order=order)


def _squeeze(operands: Operands, given: Given) -> Chain:
    chain = operands[0]
    refuse(len(chain.shape) != 1, "Squeeze is supported only after the mean over all pixels")
    return chain


def _unsqueeze(operands: Operands, given: Given) -> Chain:
    chain = operands[0]
    axes = list(constant(operands, 1, "the axes of Unsqueeze")) if len(operands) > 1 else list(given.get("axes", []))
    refuse(len(chain.shape) != 2 or [int(a) for a in axes] != [1], "Unsqueeze may only add a channel axis to images")
    return replace(chain, shape=(1, *chain.shape), first=True)


def _transpose(operands: Operands, given: Given) -> Chain:
    chain, way = operands[0], list(given.get("perm", []))
    if way == [0, 3, 1, 2] and not chain.first and len(chain.shape) == 3:
        return replace(chain, shape=(chain.shape[2], *chain.shape[:2]), first=True)
    if way == [0, 2, 3, 1] and chain.first:
        return replace(chain, shape=(*chain.shape[1:], chain.shape[0]), first=False)
    raise InputError(f"Transpose by {way} is not a layer of plainnet")


def _affine(kind: str) -> Reader:
    """Return the rule for adding, subtracting, multiplying or dividing by a constant: x factor + shift, by channel."""

    def rule(operands: Operands, given: Given) -> Chain:
        a, b = operands
        if isinstance(a, Chain) and isinstance(b, Chain):
            return _of_two(kind, a, b)
        chain, constant = (a, b) if isinstance(a, Chain) else (b, a)
        constant = np.asarray(constant, float)
        refuse(kind in ("Sub", "Div") and chain is b, f"{kind} must take the input first")
        value = constant.ravel() if constant.size in (1, chain.channels) else None
        refuse(value is None, f"{kind} with an array of shape {constant.shape} is not supported")
        assert value is not None
        if (
            chain.of_bytes
            and not chain.items
            and value.size == 1
            and ((kind == "Mul" and abs(value[0] - _BYTE) < 1e-7) or (kind == "Div" and value[0] == 255))
        ):
            return chain  # scaling of bytes to [0, 1], which plainnet does anyway
        if chain.order is not None and value.size > 1:
            value = value[chain.order]
        full = np.broadcast_to(value, chain.channels).astype(float)
        last = chain.items[-1] if chain.items else None
        if kind == "Add" and last is not None and isinstance(last.layer, Dense) and not last.arrays["b"].any():
            with_bias = Item(last.layer, last.arrays | {"b": full})
            return replace(chain, items=(*chain.items[:-1], with_bias))
        return _scaled(chain, *{"Mul": (full, 0 * full), "Div": (1 / full, 0 * full), "Add": (0 * full + 1, full),
                                "Sub": (0 * full + 1, -full)}[kind])  # fmt: skip

    return rule


def _scaled(chain: Chain, factor: np.ndarray, shift: np.ndarray) -> Chain:
    """Return the chain with x factor + shift, merged with such a layer before it."""
    items, last = chain.items, chain.items[-1] if chain.items else None
    if last is not None and isinstance(last.layer, Standardize):
        before, after = 1 / last.arrays["deviation"], -last.arrays["mean"] / last.arrays["deviation"]
        factor, shift, items = factor * before, factor * after + shift, items[:-1]
    refuse(not (factor > 0).all(), "inputs are multiplied by a number that is not positive, which no layer does")
    deviation = 1 / factor
    arrays = {"mean": -shift * deviation, "deviation": deviation, "learned": np.ones(1)}
    return replace(chain, items=(*items, Item(Standardize(), arrays)))


def _of_two(kind: str, a: Chain, b: Chain) -> Chain:
    shorter, longer = sorted((a, b), key=lambda chain: len(chain.items))
    same = len(longer.items) == len(shorter.items) + 1 and begins_with(longer, shorter)
    if kind == "Mul" and same and isinstance(longer.items[-1].layer, Sigmoid):
        return shorter.then(SiLU())
    refuse(kind != "Add", f"{kind} of two arrays that both depend on the input is not a layer of plainnet")
    return residual(shorter, longer)


def _scaler(operands: Operands, given: Given) -> Chain:
    chain = operands[0]
    offset, scale = (
        np.broadcast_to(given.get(n, d), chain.channels).astype(float) for n, d in (("offset", 0.0), ("scale", 1.0))
    )
    return _scaled(chain, scale, -offset * scale)


def _elementwise(make: Callable[[Given], Layer]) -> Reader:
    return lambda operands, given: operands[0].then(make(given))


def _gelu(given: Given) -> Layer:
    if given.get("approximate", b"none") != b"tanh":
        raise InputError("GELU is supported only in its tanh approximation; export with approximate='tanh'")
    return GELU()


def _clip(operands: Operands, given: Given) -> Chain:
    least = operands[1] if len(operands) > 1 else given.get("min")
    most = operands[2] if len(operands) > 2 else given.get("max")
    refuse(least is None or float(least) != 0 or (most is not None and float(most) < 1e30), "Clip must be a ReLU")
    return operands[0].then(ReLU())


def _softmax(operands: Operands, given: Given) -> Chain:
    refuse(given.get("axis", -1) not in (-1, 1) or len(operands[0].shape) != 1, "Softmax must be over the classes")
    return replace(operands[0], ended="classes")


def _as_it_is(operands: Operands, given: Given) -> Chain:
    chain: Chain = operands[0]
    return chain


RULES: dict[str, Reader] = {
    "Add": _affine("Add"), "AveragePool": pool(AveragePool), "BatchNormalization": _batch_norm, "Cast": _as_it_is,
    "Clip": _clip, "Conv": conv, "Div": _affine("Div"), "Dropout": _as_it_is, "Flatten": _flatten,
    "Gelu": _elementwise(_gelu), "Gemm": _gemm, "GlobalAveragePool": global_average, "Identity": _as_it_is,
    "LayerNormalization": _layer_norm, "LeakyRelu": _elementwise(lambda given: LeakyReLU(given.get("alpha", 0.01))),
    "LogSoftmax": _softmax, "MatMul": _matmul, "MaxPool": pool(MaxPool), "Mul": _affine("Mul"),
    "ReduceMean": reduce_mean, "Relu": _elementwise(lambda given: ReLU()), "Reshape": _flatten, "Scaler": _scaler,
    "Sigmoid": _elementwise(lambda given: Sigmoid()), "Softmax": _softmax, "Squeeze": _squeeze, "Sub": _affine("Sub"),
    "Tanh": _elementwise(lambda given: Tanh()), "Transpose": _transpose, "Unsqueeze": _unsqueeze,
}  # fmt: skip


def _constant_node(inputs: list[np.ndarray], given: Given) -> np.ndarray:
    from onnx import numpy_helper

    for name, value in given.items():
        if name == "value":
            return numpy_helper.to_array(value)
        if name.startswith("value_"):
            return np.asarray(value)
    raise InputError(f"a Constant holds {shown(', '.join(given), 60)}, which is not supported")


def _dequantized(inputs: list[np.ndarray], given: Given) -> np.ndarray:
    whole, scale, *zero = inputs
    shape = [-1 if scale.ndim and k == given.get("axis", 1) % whole.ndim else 1 for k in range(whole.ndim)]
    offset = zero[0].astype(np.float32).reshape(shape) if zero else 0
    return (whole.astype(np.float32) - offset) * scale.reshape(shape)


FOLDED: dict[str, Callable[[list[np.ndarray], Given], np.ndarray]] = {
    "Cast": lambda inputs, given: inputs[0].astype(np.float32) if given["to"] in (1, 10, 11) else inputs[0],
    "Concat": lambda inputs, given: np.concatenate(inputs, given["axis"]),
    "Constant": _constant_node,
    "DequantizeLinear": _dequantized,
    "Gather": lambda inputs, given: np.take(inputs[0], inputs[1].astype(int), given.get("axis", 0)),
    "Identity": lambda inputs, given: inputs[0],
    "Reshape": lambda inputs, given: inputs[0].reshape(inputs[1]),
    "Squeeze": lambda inputs, given: inputs[0].squeeze(),
    "Transpose": lambda inputs, given: inputs[0].transpose(given.get("perm")),
    "Unsqueeze": lambda inputs, given: np.expand_dims(inputs[0], tuple(int(a) for a in inputs[1])),
}
