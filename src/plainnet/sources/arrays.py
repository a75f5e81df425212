"""Reads NumPy files (an .npz, or .npy files in a folder) and finds the arrays that are inputs and labels."""

from __future__ import annotations

import math
import re
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import IO, Any, Literal

import numpy as np

from plainnet.errors import InputError
from plainnet.foreign.opening import open_file
from plainnet.foreign.showing import shown
from plainnet.sources.found import ALL, TRAIN, Found, Part, part_of

MOST_BYTES = 4_000_000_000  # unpacked into memory
_TIMES, _ALWAYS = 200, 500_000_000  # the most that a file may grow when unpacked; bytes that are always allowed
_LABELS = re.compile(r"(?<![a-z])y(?![a-z])|label|target|class|(?<![a-z])y_?(train|test|val)|answer|species")


def read_npz(path: Path) -> Found:
    """Return the contents of an .npz file.

    Raises: `InputError` if it is damaged, holds pickled objects, or has no pair of arrays for inputs and labels.
    """
    return paired(contents(path), str(path))


def contents(path: Path) -> dict[str, np.ndarray]:
    """Return the arrays in an .npz file by name.

    Raises: as `read_npz`.
    """
    try:
        with open_file(path, "data") as file, zipfile.ZipFile(file) as archive:
            infos = [info for info in archive.infolist() if info.filename.endswith(".npy")]
            if sum(info.file_size for info in infos) > min(MOST_BYTES, max(_ALWAYS, _TIMES * path.stat().st_size)):
                raise InputError(f"{path} unpacks to a suspiciously large size; save its arrays as .npy files")
            arrays = {}
            for info in infos:
                with archive.open(info) as member:
                    arrays[info.filename.removesuffix(".npy")] = _array(member, info.file_size, path, info.filename)
    except (zipfile.BadZipFile, EOFError, OSError, NotImplementedError, RuntimeError) as error:
        raise InputError(f"{path} is damaged: it is not a complete .npz file ({error}); save it again") from error
    return arrays


def read_npy_files(files: list[Path]) -> Found:
    """Return the contents of the .npy files in a folder, mapped into memory, so that they may be larger than memory.

    Raises: as `read_npz`.
    """
    return paired(mapped(files), str(files[0].parent))


def mapped(files: list[Path]) -> dict[str, np.ndarray]:
    """Return the arrays in .npy files by name, mapped into memory.

    Raises: as `read_npz`.
    """
    arrays = {}
    for path in files:
        with open_file(path, "data") as file:
            size = path.stat().st_size
            shape, dtype, start, fortran = _header(file, size, path, path.name)
        order: Literal["F", "C"] = "F" if fortran else "C"
        array = np.memmap(path, dtype, "r", start, shape, order) if math.prod(shape) else np.empty(shape, dtype)
        arrays[path.stem] = np.asarray(array)
    return arrays


def _header(file: IO[bytes], size: int, path: Path, name: str) -> tuple[tuple[int, ...], np.dtype, int, bool]:
    """Return shape, type, the position of the first number, and whether the array is stored column by column."""
    try:
        version = np.lib.format.read_magic(file)
        read: Callable[[Any], tuple[tuple[int, ...], bool, np.dtype]] = {
            (1, 0): np.lib.format.read_array_header_1_0,
            (2, 0): np.lib.format.read_array_header_2_0,
        }[version]
        shape, fortran, dtype = read(file)
    except (ValueError, KeyError, EOFError, OSError) as error:
        raise InputError(f"{path}: {shown(name, 60)} is damaged: it is not a complete array; save it again") from error
    if dtype.hasobject:
        raise InputError(
            f"{path}: {shown(name, 60)} holds pickled objects, which can run a program when they are read; if you "
            "made it, save the arrays as numbers or strings: np.savez('data.npz', X=np.stack(list(X)), y=y.astype(str))"
        )
    if min(shape, default=0) < 0:
        raise InputError(f"{path}: {shown(name, 60)} is damaged: its header has the shape {shape}; save it again")
    if dtype.names or dtype.kind not in "biufSU":
        raise InputError(f"{path}: {shown(name, 60)} holds {shown(dtype, 60)}; save arrays of numbers or strings")
    start = file.tell()
    if math.prod(shape) * dtype.itemsize > size - start:
        raise InputError(f"{path}: {shown(name, 60)} is cut short; save it again")
    return shape, dtype, start, fortran


def _array(member: IO[bytes], size: int, path: Path, name: str) -> np.ndarray:
    shape, dtype, _, fortran = _header(member, size, path, name)
    content = bytearray(math.prod(shape) * dtype.itemsize)
    view, filled = memoryview(content), 0
    while filled < len(content) and (piece := member.read(min(1 << 24, len(content) - filled))):
        view[filled : filled + len(piece)] = piece
        filled += len(piece)
    if filled < len(content):
        raise InputError(f"{path}: {shown(name, 60)} is cut short; save it again")
    flat = np.frombuffer(content, dtype)
    return flat.reshape(shape[::-1]).T if fortran else flat.reshape(shape)


def paired(arrays: Mapping[str, np.ndarray], where: str) -> Found:
    """Find inputs and labels among arrays: by their names, otherwise the only pair that fits.

    Raises: `InputError` if no pair fits, or more than one.
    """
    parts: dict[str, list[str]] = {}
    for name in arrays:
        parts.setdefault(part_of(name) or ALL, []).append(name)
    found, notes = {}, []
    for part, names in parts.items():
        pair = _pair(arrays, names)
        if pair is None:
            if part == ALL and TRAIN in parts:
                continue  # an array that is not part of the data
            held = ", ".join(f"{shown(name, 40)} {a.shape}" for name, a in arrays.items()) or "no array"
            raise InputError(
                f"{where} holds {held}, but no pair of them is inputs and labels; save two arrays of the same length, "
                "such as np.savez('data.npz', X=inputs, y=labels)"
            )
        inputs, labels = pair
        found[part] = Part(arrays[inputs], arrays[labels])
        notes.append(f"{inputs} holds the inputs, {labels} the labels")
    if TRAIN in found:
        found.pop(ALL, None)
    return Found(where, found, [] if len(found) > 1 else notes)


def _pair(arrays: Mapping[str, np.ndarray], names: list[str]) -> tuple[str, str] | None:
    """Return the names of inputs and labels among the arrays of one part."""
    inputs = [name for name in names if arrays[name].ndim >= 2 and not _LABELS.search(name.lower())]
    labels = [name for name in names if arrays[name].ndim in (1, 2) and _LABELS.search(name.lower())]
    if not labels:  # no name says so: take arrays with one value per row
        labels = [n for n in names if arrays[n].ndim == 1 or (arrays[n].ndim == 2 and arrays[n].shape[1] == 1)]
        inputs = [name for name in inputs if name not in labels]
    pairs = [(x, y) for x in inputs for y in labels if len(arrays[x]) == len(arrays[y])]
    if len(pairs) > 1 and len({y for _, y in pairs}) > 1:
        exact = [
            (x, y) for x, y in pairs if re.sub("label|target|y", "", y.lower()) == re.sub("image|data|x", "", x.lower())
        ]
        pairs = exact or pairs
    return pairs[0] if len(pairs) == 1 else None
