"""Reader and writer of the safetensors format: named arrays in a file that cannot run code.

A file is an 8-byte little-endian length, a JSON header of that length, then the bytes of all tensors without
gaps. The header maps each name to {"dtype", "shape", "data_offsets": [begin, end]}, and "__metadata__", if
there, to a table of texts. The reader refuses whatever is not exactly so.

Source: safetensors, "Format" (Hugging Face), which limits a header to 100 MB; ours never needs 1 MB.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from plainnet.errors import InputError
from plainnet.files import write_atomically

_DTYPES: dict[str, np.dtype[Any]] = {
    "F32": np.dtype("<f4"),
    "F64": np.dtype("<f8"),
    "U8": np.dtype("u1"),
    "I64": np.dtype("<i8"),
}
_CODES = {dtype: code for code, dtype in _DTYPES.items()}
_MAX_HEADER = 1 << 20


def write(path: str | Path, tensors: Mapping[str, np.ndarray], metadata: Mapping[str, str]) -> None:
    """Write arrays and texts; "sha256" in the metadata is the digest of the tensor bytes.

    Raises: `InputError` if an array's type is not one of float32, float64, uint8, int64, or the file cannot
    be written.
    """
    header: dict[str, Any] = {}
    parts: list[bytes] = []
    position = 0
    for name, array in tensors.items():
        if array.dtype not in _CODES:
            raise InputError(f"cannot store {name}: its type {array.dtype} is not one of {', '.join(map(str, _CODES))}")
        parts.append(array.tobytes())
        end = position + len(parts[-1])
        header[name] = {"dtype": _CODES[array.dtype], "shape": list(array.shape), "data_offsets": [position, end]}
        position = end
    content = b"".join(parts)
    header["__metadata__"] = dict(metadata) | {"sha256": hashlib.sha256(content).hexdigest()}
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)  # tensors begin at a multiple of 8 bytes
    write_atomically(path, len(text).to_bytes(8, "little") + text + content)


def read(path: str | Path) -> tuple[dict[str, np.ndarray], dict[str, str]]:
    """Return the arrays, read-only, and the metadata of a file that `write` or another program wrote.

    Raises: `InputError` if the file cannot be read or is not a sound safetensors file.
    """
    path = Path(path)
    try:
        with path.open("rb") as file:
            start = file.read(8)
            size = int.from_bytes(start, "little")
            text = file.read(size) if size <= _MAX_HEADER else b""
            content = file.read() if len(text) == size else b""
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror}; give a model_final.safetensors") from error
    sound = 2 <= size <= _MAX_HEADER and len(text) == size
    if path.suffix in (".pkl", ".pickle") or (start[:1] == b"\x80" and not sound):
        raise InputError(
            f"{path} is a pickle, and opening one can run any program hidden in it, so plainnet never does; "
            f"give the .safetensors file written beside it, here {path.with_suffix('.safetensors')}"
        )
    if not sound:
        raise InputError(f"{path} is not a safetensors file: no header of a sensible size; is this the right file?")
    try:
        return _parse(text, content)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise InputError(f"{path} is not a sound safetensors file: {error}; save the model again") from error


def _parse(text: bytes, content: bytes) -> tuple[dict[str, np.ndarray], dict[str, str]]:
    header = json.loads(text.decode("utf-8"), object_pairs_hook=_without_duplicates)
    metadata = header.pop("__metadata__", {})
    if not all(isinstance(value, str) for value in metadata.values()):
        raise ValueError("its metadata holds something that is not text")
    tensors: dict[str, np.ndarray] = {}
    position = 0
    for name, entry in sorted(header.items(), key=lambda item: item[1]["data_offsets"]):
        begin, end = entry["data_offsets"]
        shape = tuple(entry["shape"])
        if set(entry) != {"dtype", "shape", "data_offsets"} or entry["dtype"] not in _DTYPES:
            raise ValueError(f"tensor {name!r} is described by unknown keys or an unknown type")
        if not all(type(number) is int and number >= 0 for number in (begin, end, *shape)):
            raise ValueError(f"tensor {name!r} has a shape or offset that is not a whole number")
        dtype = _DTYPES[entry["dtype"]]
        if begin != position or end - begin != math.prod(shape) * dtype.itemsize or end > len(content):
            raise ValueError(f"the bytes of tensor {name!r} are missing, overlap, or do not fit its shape")
        tensors[name] = np.frombuffer(content, dtype, math.prod(shape), begin).reshape(shape)
        position = end
    if position != len(content):
        raise ValueError(f"{len(content) - position} bytes at its end belong to no tensor")
    if "sha256" in metadata and metadata["sha256"] != hashlib.sha256(content).hexdigest():
        raise ValueError("its tensors are damaged: their SHA-256 is not the one recorded")
    return tensors, metadata


def _without_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    table = dict(pairs)
    if len(table) != len(pairs):
        raise ValueError("a key stands twice in its header")
    return table
