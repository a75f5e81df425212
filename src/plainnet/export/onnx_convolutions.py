"""Read ONNX operators on images, convolution and pooling, as layers of plainnet."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from plainnet.errors import InputError
from plainnet.export.onnx_chains import Chain, Given, Operands, Reader, constant, refuse
from plainnet.layers import AveragePool, Conv2D, GlobalAveragePool, MaxPool

_LONGEST_STRIDE = 64


def conv(operands: Operands, given: Given) -> Chain:
    """Return the chain with a convolution; padding that no layer has is expressed by zeros in larger filters."""
    chain, W = operands[0], constant(operands, 1, "the filters of Conv")
    refuse(not chain.first or W.ndim != 4, "plainnet supports only convolutions of images")
    filters, channels, size, wide = W.shape
    strides, dilations = given.get("strides", [1, 1]), given.get("dilations", [1, 1])
    plain = given.get("group", 1) == 1 and set(dilations) == {1} and size == wide and len(set(strides)) == 1
    refuse(not plain or channels != chain.shape[0], "convolutions need square filters, one group and no dilation")
    height, width = chain.shape[1:]
    refuse(strides[0] > _LONGEST_STRIDE, f"a stride of {strides[0]} is longer than {_LONGEST_STRIDE}")
    top, left, below, right = _pads(given, size, strides[0], height, width)
    out = tuple(
        (length + sum(pad) - size) // strides[0] + 1 for length, pad in ((height, (top, below)), (width, (left, right)))
    )
    padding, larger = _padding(size, strides[0], (height, width), (top, left), out)
    kernel = np.zeros((larger, larger, channels, filters), W.dtype)
    kernel[:size, :size] = W.transpose(2, 3, 1, 0)
    b = (
        constant(operands, 2, "the bias of Conv")
        if len(operands) > 2 and operands[2] is not None
        else np.zeros(filters)
    )
    layer = Conv2D(filters, larger, stride=strides[0], padding=padding)
    return chain.then(layer, (filters, *out), W=kernel, b=b)


def _pads(given: Given, size: int, stride: int, height: int, width: int) -> tuple[int, int, int, int]:
    how = given.get("auto_pad", b"NOTSET").decode()
    if how == "SAME_UPPER":
        total = [max((math.ceil(n / stride) - 1) * stride + size - n, 0) for n in (height, width)]
        return total[0] // 2, total[1] // 2, total[0] - total[0] // 2, total[1] - total[1] // 2
    refuse(how not in ("NOTSET", "VALID"), f"the padding {how} is not supported")
    top, left, below, right = given.get("pads", [0, 0, 0, 0])
    return top, left, below, right


def _padding(
    size: int, stride: int, image: tuple[int, int], before: tuple[int, int], out: tuple[int, ...]
) -> tuple[str, int]:
    """Return a padding of plainnet and a filter size (filters may get rows and columns of zeros) that are equivalent.

    Raises: `InputError` if there are none.
    """
    for larger in range(size, size + stride + 1):
        same = [(math.ceil(n / stride) - 1) * stride + larger - n for n in image]
        if all(math.ceil(n / stride) == o for n, o in zip(image, out, strict=True)) and before == tuple(
            max(total, 0) // 2 for total in same
        ):
            return "same", larger
        if before == (0, 0) and tuple((n - larger) // stride + 1 for n in image) == out:
            return "valid", larger
    raise InputError(f"the padding {before} before {size}x{size} filters is not supported")


def pool(kind: type[MaxPool] | type[AveragePool]) -> Reader:
    """Return the rule for a pooling layer."""

    def rule(operands: Operands, given: Given) -> Chain:
        chain, size = operands[0], given["kernel_shape"]
        alike = list(given.get("strides", [1, 1])) == list(size) and len(set(size)) == 1
        refuse(not chain.first or not alike or any(given.get("pads", [0])) or bool(given.get("ceil_mode")),
                "pooling needs squares that do not overlap, without padding")  # fmt: skip
        channels, height, width = chain.shape
        return chain.then(kind(size[0]), (channels, height // size[0], width // size[0]))

    return rule


def global_average(operands: Operands, given: Given) -> Chain:
    """Return the chain with the mean over all pixels."""
    chain = operands[0]
    refuse(not chain.first, "GlobalAveragePool must take images")
    made = chain.then(GlobalAveragePool(), chain.shape[:1])
    return replace(made, first=False)


def reduce_mean(operands: Operands, given: Given) -> Chain:
    """Return the chain with the mean over all pixels; the axes must be height and width."""
    axes = list(constant(operands, 1, "the axes of ReduceMean")) if len(operands) > 1 else list(given.get("axes", []))
    refuse({int(axis) % 4 for axis in axes} != {2, 3}, "ReduceMean must be over height and width")
    return global_average(operands, given)
