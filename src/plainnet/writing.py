"""Writing files: readable JSON, and atomic writes, so that a reader finds the old or the new file, never a part."""

from __future__ import annotations

import contextlib
import itertools
import json
import math
import os
import re
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from plainnet.errors import InputError

_number = itertools.count()
PARTIAL = ".partial"  # ending of the names of files that are being written
LEFT_OVER = re.compile(r"\..+\.\d+-\d+\.partial")  # the full name of such a file that a killed process left behind


def write_atomically(
    path: str | Path,
    content: bytes | Iterable[bytes | memoryview],
    *,
    check: Callable[[Path], object] | None = None,
    keep: Path | None = None,
) -> None:
    """Write to a new file beside `path`, flush it to disk, then rename it: whatever fails, the old content stays.

    `content` may come in parts, so that it need not be in memory twice. `check` is called with the new file before it
    takes its name; if `check` raises, nothing changes. With `keep`, the old file is renamed to that path.

    Raises: `InputError` if the folder cannot be written to or the disk is full, and whatever `check` raises.
    """
    try:
        path = Path(path).resolve()  # a link stays a link; its target is replaced
    except (OSError, RuntimeError) as error:
        raise InputError(f"cannot write {path}: it is a link that leads to itself; choose another name") from error
    if path.exists() and not path.is_file():
        raise InputError(f"cannot write {path}: it is not an ordinary file; choose another name")
    temporary = path.with_name(f".{path.name}.{os.getpid()}-{next(_number)}{PARTIAL}")  # threads may write one file
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with temporary.open("wb") as file:
            file.writelines([content] if isinstance(content, bytes) else content)
            file.flush()
            os.fsync(file.fileno())
        if check is not None:
            check(temporary)
        if keep is not None:
            with contextlib.suppress(FileNotFoundError):
                path.replace(keep)
        temporary.replace(path)
        _flush_folder(path.parent)
    except OSError as error:
        raise InputError(f"cannot write {path}: {error.strerror}; choose another folder or make room") from error
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)


def _flush_folder(folder: Path) -> None:
    """Flush a folder's file names to disk, so that they survive a power cut, on systems that allow it."""
    with contextlib.suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def to_json(value: Any) -> bytes:
    """Return a value as readable JSON, with each row of numbers on one line.

    A number that is not finite becomes null.
    """
    return (_json(value) + "\n").encode()


def _json(value: Any, indent: str = "") -> str:
    deeper = indent + "  "
    if isinstance(value, dict) and value:
        lines = (f"{deeper}{json.dumps(key)}: {_json(item, deeper)}" for key, item in value.items())
        return "{\n" + ",\n".join(lines) + f"\n{indent}}}"
    if isinstance(value, list | tuple) and any(isinstance(item, dict | list | tuple) for item in value):
        return "[\n" + ",\n".join(deeper + _json(item, deeper) for item in value) + f"\n{indent}]"
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(_json, value))}]"
    if isinstance(value, float) and not math.isfinite(value):
        return "null"  # JSON cannot express it
    return json.dumps(value)
