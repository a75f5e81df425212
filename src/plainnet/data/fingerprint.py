"""Fingerprint of data: their main properties and a checksum, to recognize the same data later."""

from __future__ import annotations

import zlib
from typing import Any

import numpy as np

from plainnet.data.dataset import DataSet
from plainnet.data.rows import Rows


def fingerprint(data: DataSet) -> dict[str, Any]:
    """Return the main properties of inputs and targets, and a checksum of both."""
    inputs, targets = data.inputs, data.targets
    told: dict[str, Any] = {
        "pixels": "bytes" if inputs.dtype == np.uint8 else "numbers",
        "largest": float(inputs.max()),
    }
    if data.kind == "classes":
        told["class_counts"] = np.bincount(targets, minlength=len(data.class_names)).tolist()
    else:
        told |= {"targets": data.kind, "examples": len(data)}
    crc = 0
    for block in inputs.blocks() if isinstance(inputs, Rows) else (inputs,):
        crc = zlib.crc32(np.ascontiguousarray(block).data, crc)
    return told | {"crc32": zlib.crc32(np.ascontiguousarray(targets).data, crc)}
