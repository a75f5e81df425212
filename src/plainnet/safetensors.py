"""Reader and writer of the safetensors format: a file of named arrays that, unlike a pickle, cannot run code.

A file is an 8-byte little-endian length, a JSON header of that length, then the bytes of all tensors without gaps. The
header maps each name to {"dtype", "shape", "data_offsets": [begin, end]}, and "__metadata__", if present, to a table of
strings. The reader rejects every file that deviates from this.

Source: safetensors, "Format" (Hugging Face), which limits a header to 100 MB; this reader's limit is 1 MB.
"""

from __future__ import annotations

import hashlib
import json
import math
import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

import numpy as np

from plainnet.errors import InputError
from plainnet.foreign.opening import open_file
from plainnet.writing import write_atomically

_DTYPES: dict[str, np.dtype[Any]] = {
    code: np.dtype(name)
    for code, name in {
        "U8": "u1", "I8": "i1", "U16": "<u2", "I16": "<i2", "U32": "<u4", "I32": "<i4", "U64": "<u8",
        "I64": "<i8", "F16": "<f2", "F32": "<f4", "F64": "<f8",
    }.items()
}  # fmt: skip
_CODES = {dtype: code for code, dtype in _DTYPES.items()}
_MAX_HEADER = 1 << 20
_MAX_DIMENSIONS = 32
_MAX_TENSORS = 20_000


def write(
    path: str | Path,
    tensors: Mapping[str, np.ndarray],
    metadata: Mapping[str, str],
    *,
    check: Callable[[Path], object] | None = None,
    keep: Path | None = None,
) -> None:
    """Write arrays and strings; "sha256" in the metadata is the digest of the tensor bytes.

    The new file is read back (by `check`, if given) before it replaces an existing one. With `keep`, the old file is
    renamed to that path.

    Raises: `InputError` if the format does not support an array's type, or the file cannot be written.
    """
    header: dict[str, Any] = {}
    digest = hashlib.sha256()
    parts: list[memoryview] = []
    position = 0
    for name, array in tensors.items():
        if array.dtype not in _CODES:
            raise InputError(f"cannot store {name}: its type {array.dtype} is not one of {', '.join(map(str, _CODES))}")
        content = np.ascontiguousarray(array).reshape(-1).view(np.uint8).data
        parts.append(content)
        digest.update(content)
        end = position + len(content)
        header[name] = {"dtype": _CODES[array.dtype], "shape": list(array.shape), "data_offsets": [position, end]}
        position = end
    header["__metadata__"] = dict(metadata) | {"sha256": digest.hexdigest()}
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)  # tensors begin at a multiple of 8 bytes
    if len(text) > _MAX_HEADER:
        raise InputError(f"cannot write {path}: its header takes {len(text):,} bytes; the limit is {_MAX_HEADER:,}")
    write_atomically(path, [len(text).to_bytes(8, "little"), text, *parts], check=check or read, keep=keep)


def read(
    path: str | Path, kind: str = "model", formats: Sequence[str] = ()
) -> tuple[dict[str, np.ndarray], dict[str, str]]:
    """Return the arrays and the metadata of a file that `write` or another program wrote.

    No memory is allocated for tensors before the header has been checked against the size of the file.

    `kind` is what the file should be, "model" or "checkpoint". `formats` lists the values that "format" may have in its
    metadata (empty: any); with another value, no tensor is read.

    Raises: `InputError` if the file cannot be read or is not a valid safetensors file.
    """
    path = Path(path)
    try:
        with open_file(path, kind) as file:
            start = file.read(8)
            length = int.from_bytes(start, "little")
            text = file.read(length) if length <= _MAX_HEADER else b""
            if len(start) == 8 and 2 <= length == len(text):
                entries, metadata = _header(text, os.fstat(file.fileno()).st_size - 8 - length)
                if formats and metadata.get("format") not in formats:
                    raise InputError(
                        f"{path} does not hold a plainnet {kind}: its format is {metadata.get('format')!r:.80}, but "
                        f"this program reads {' and '.join(formats)}"
                    )
                return _tensors(file, entries, metadata.get("sha256")), metadata
    except OSError as error:
        raise InputError(f"cannot read the {kind} {path}: {error.strerror}") from error
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        if isinstance(error, InputError):
            raise
        raise InputError(f"{path} is not a valid safetensors file: {error}; save the model again") from error
    if path.suffix in (".pkl", ".pickle") or start[:1] == b"\x80":
        raise InputError(
            f"{path} is a pickle. Opening a pickle can run any program hidden in it, so plainnet never does; "
            f"give the .safetensors file written beside it, here {path.with_suffix('.safetensors')}"
        )
    raise InputError(f"{path} is not a safetensors file: no header of a sensible size; is this the right file?")


class _Entry(NamedTuple):
    name: str
    dtype: np.dtype[Any]
    shape: tuple[int, ...]
    begin: int
    end: int


def _header(text: bytes, size: int) -> tuple[list[_Entry], dict[str, str]]:
    """Return the header's contents, after checking that its tensors fill the `size` bytes after it, without gaps."""
    header = json.loads(text.decode("utf-8"), object_pairs_hook=_without_duplicates, parse_constant=_refuse)
    metadata = header.pop("__metadata__", {})
    if not all(isinstance(value, str) for value in metadata.values()):
        raise ValueError("its metadata holds a value that is not text")
    if len(header) > _MAX_TENSORS:
        raise ValueError(f"it has {len(header):,} tensors; the limit is {_MAX_TENSORS:,}")
    entries = sorted((_entry(name, described) for name, described in header.items()), key=lambda entry: entry[3:])
    position = 0
    for entry in entries:
        if entry.begin != position or entry.end > size:
            raise ValueError(f"the bytes of tensor {entry.name!r} are missing, overlap, or leave a gap")
        position = entry.end
    if position != size:
        raise ValueError(f"{size - position} bytes at its end belong to no tensor")
    return entries, metadata


def _entry(name: str, described: Mapping[str, Any]) -> _Entry:
    if set(described) != {"dtype", "shape", "data_offsets"} or described["dtype"] not in _DTYPES:
        raise ValueError(f"tensor {name!r} is described by unknown keys or an unknown type")
    (begin, end), shape, dtype = described["data_offsets"], tuple(described["shape"]), _DTYPES[described["dtype"]]
    if not all(type(number) is int and number >= 0 for number in (begin, end, *shape)):
        raise ValueError(f"tensor {name!r} has a shape or offset that is not a whole number")
    if len(shape) > _MAX_DIMENSIONS or end - begin != math.prod(shape) * dtype.itemsize:
        raise ValueError(f"the bytes of tensor {name!r} do not fit its shape {shape[:_MAX_DIMENSIONS]}")
    return _Entry(name, dtype, shape, begin, end)


def _tensors(file: BinaryIO, entries: list[_Entry], sha256: str | None) -> dict[str, np.ndarray]:
    digest = hashlib.sha256()
    tensors = {}
    for entry in entries:
        content = np.empty(entry.end - entry.begin, np.uint8)
        if file.readinto(content) != len(content):  # type: ignore[attr-defined]
            raise ValueError(f"the bytes of tensor {entry.name!r} are missing")
        digest.update(content.data)
        tensors[entry.name] = content.view(entry.dtype).reshape(entry.shape)
    if sha256 not in (None, digest.hexdigest()):
        raise ValueError("its tensors are damaged: their SHA-256 is not the one recorded")
    return tensors


def _refuse(constant: str) -> None:
    raise ValueError(f"its header holds {constant}, which is not a number in JSON")


def _without_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    table = dict(pairs)
    if len(table) != len(pairs):
        raise ValueError("its header holds a key twice")
    return table
