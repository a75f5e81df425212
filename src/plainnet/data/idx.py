"""Reader of the IDX format, in which MNIST and its relatives are published.

A file is a magic number (two zero bytes, the type code 0x08 for unsigned bytes, the number of dimensions),
one big-endian 32-bit size per dimension, then the bytes of the array in row-major order; often gzipped.

Source: LeCun, Cortes, Burges, "The MNIST database of handwritten digits", file formats.
"""

from __future__ import annotations

import gzip
import math
import zlib
from pathlib import Path
from typing import BinaryIO

import numpy as np

from plainnet.errors import InputError
from plainnet.foreign.opening import open_file

_CHUNK = 1 << 20
_MOST_COMPRESSED = 600_000_000  # bytes after decompression; enough for all images of EMNIST


def read_idx(path: str | Path, *, dimensions: int, sha256: str | None = None) -> np.ndarray:
    """Read an IDX file of unsigned bytes, gzipped or not, as a read-only uint8 array.

    A file that is not compressed, and has no `sha256` to verify, is mapped into memory instead of read: it may be
    larger than memory, and only the parts in use are loaded.

    `dimensions` is the number of dimensions that the caller expects (3 for images, 1 for labels). `sha256`, if
    given, is the hexadecimal digest that the decompressed file must have.

    Raises: `InputError` if the file is missing, cut short, too long, damaged or not an IDX file of this kind.

    Example:
        >>> import pathlib, tempfile
        >>> from plainnet import read_idx
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     labels = pathlib.Path(folder, "labels")  # a header, its 1 size (3), and the bytes
        ...     _ = labels.write_bytes(bytes([0, 0, 8, 1, 0, 0, 0, 3, 7, 2, 1]))
        ...     read_idx(labels, dimensions=1).tolist()
        [7, 2, 1]
    """
    path = Path(path)
    try:
        with open_file(path, "data") as plain:
            compressed = plain.read(2) == b"\x1f\x8b"
            plain.seek(0)
            return _parse(gzip.GzipFile(fileobj=plain) if compressed else plain, path, dimensions, sha256)
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise InputError(f"{path} is damaged: it does not decompress ({error}); fetch the file again") from error
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror or error}; check the folder and its files") from error


def _parse(file: BinaryIO | gzip.GzipFile, path: Path, dimensions: int, sha256: str | None) -> np.ndarray:
    header = file.read(4 + 4 * dimensions)
    magic = bytes([0, 0, 8, dimensions])
    if header[:4] != magic:
        raise InputError(
            f"{path} is not an IDX file of {dimensions}-dimensional unsigned bytes: expected it to begin with "
            f"{magic.hex(' ')}, received {header[:4].hex(' ') or 'an empty file'}"
        )
    if len(header) < 4 + 4 * dimensions:
        raise InputError(f"{path} is cut short: its header ends after {len(header)} bytes; fetch the file again")
    shape = tuple(int(size) for size in np.frombuffer(header, ">u4", offset=4))
    expected = math.prod(shape)
    if isinstance(file, gzip.GzipFile) and expected > _MOST_COMPRESSED:
        raise InputError(
            f"{path} announces {expected:,} bytes, more than the {_MOST_COMPRESSED:,} that plainnet decompresses into "
            "memory; decompress it first: an uncompressed file is mapped into memory"
        )
    mapped = sha256 is None and not isinstance(file, gzip.GzipFile) and expected > 0
    content = _read_at_most(file, 0 if mapped else expected + 1)
    received = path.stat().st_size - len(header) if mapped else len(content)
    if received != expected:
        found = "more" if received > expected else f"only {received:,} bytes"
        raise InputError(
            f"{path} is {'too long' if received > expected else 'cut short'}: its header announces "
            f"{' x '.join(map(str, shape))} = {expected:,} bytes, the file holds {found}; fetch the file again"
        )
    if mapped:
        return np.asarray(np.memmap(path, np.uint8, "r", len(header), shape))
    if sha256 is not None:
        import hashlib  # slow to import

        digest = hashlib.sha256(header)
        digest.update(content)
        if digest.hexdigest() != sha256:
            raise InputError(f"{path} is damaged: its SHA-256 is not that of the original; install plainnet again")
    array = np.frombuffer(content, np.uint8).reshape(shape)
    array.flags.writeable = False
    return array


def _read_at_most(file: BinaryIO | gzip.GzipFile, limit: int) -> bytearray:
    """Read up to `limit` bytes piece by piece, so that memory use depends on the file's content, not on its header."""
    content = bytearray()
    while len(content) < limit and (piece := file.read(min(_CHUNK, limit - len(content)))):
        content += piece
    return content
