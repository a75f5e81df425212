"""A cache of decoded pictures. Their files are identified by name, size and time; if one changes, all are decoded."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
from pathlib import Path

import numpy as np

from plainnet.errors import InputError
from plainnet.writing import write_atomically

_LEAST = 2000  # pictures: fewer are decoded quickly anyway
_VERSION = "1"
_MOST_BYTES = 4_000_000_000  # of the whole cache; the oldest files are removed first


def folder() -> Path:
    """Return the folder of the cache: PLAINNET_CACHE, or plainnet in the user's cache folder."""
    given = os.environ.get("PLAINNET_CACHE")
    return Path(given) if given else Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "plainnet"


def _path(files: list[Path]) -> Path:
    digest = hashlib.sha256(_VERSION.encode())
    for path in files:
        status = path.stat()
        digest.update(f"{path.absolute()}\0{status.st_size}\0{status.st_mtime_ns}\n".encode(errors="surrogateescape"))
    return folder() / f"{digest.hexdigest()[:32]}.npy"


def load(files: list[Path]) -> tuple[np.ndarray, np.ndarray, list[str]] | None:
    """Return what `save` stored for these files, or None if there is nothing or a file has changed."""
    if len(files) < _LEAST:
        return None
    try:
        path = _path(files)
        about = json.loads(path.with_suffix(".json").read_text("utf-8"))
        images = np.load(path, mmap_mode="r", allow_pickle=False)
        readable = np.array(about["readable"], bool)
        notes = [str(note) for note in about["notes"]]
    except (OSError, ValueError, KeyError, TypeError):
        return None
    if images.dtype != np.uint8 or len(images) != len(files) or len(readable) != len(files):
        return None
    os.utime(path)
    return np.asarray(images), readable, notes


def save(files: list[Path], images: np.ndarray, readable: np.ndarray, notes: list[str]) -> None:
    """Store decoded pictures for the next time; without space or permission, store nothing."""
    if len(files) < _LEAST or images.nbytes > _MOST_BYTES:
        return
    with contextlib.suppress(OSError, InputError):
        path = _path(files)
        path.parent.mkdir(parents=True, exist_ok=True)
        _make_room(path.parent, images.nbytes)
        about = json.dumps({"readable": readable.tolist(), "notes": notes})
        write_atomically(path.with_suffix(".json"), about.encode())
        partial = path.with_suffix(f".{os.getpid()}")
        with partial.open("wb") as file:
            np.save(file, images, allow_pickle=False)
        partial.replace(path)


def _make_room(where: Path, needed: int) -> None:
    kept = sorted(where.glob("*.npy"), key=lambda path: path.stat().st_mtime)
    total = sum(path.stat().st_size for path in kept)
    for path in kept:
        if total + needed <= _MOST_BYTES:
            break
        total -= path.stat().st_size
        path.unlink()
        path.with_suffix(".json").unlink(missing_ok=True)
