"""Writing files: JSON for people to read, and any content so that a reader finds the old or the new, never half."""

from __future__ import annotations

import contextlib
import json
import os
from pathlib import Path
from typing import Any

from plainnet.errors import InputError


def write_atomically(path: str | Path, content: bytes) -> None:
    """Write beside the file, flush to disk, then rename over it: whatever fails, the old content stays.

    Raises: `InputError` if the folder cannot be written to or the disk is full.
    """
    path = Path(path).resolve()  # a link stays a link, and what it points to is replaced
    if path.exists() and not path.is_file():
        raise InputError(f"cannot write {path}: it is not an ordinary file; choose another name")
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with temporary.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except OSError as error:
        raise InputError(f"cannot write {path}: {error.strerror}; choose another folder or make room") from error
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)


def to_json(value: Any) -> bytes:
    """Return a value as JSON that people can read, with rows of numbers on one line each."""
    return (_json(value) + "\n").encode()


def _json(value: Any, indent: str = "") -> str:
    deeper = indent + "  "
    if isinstance(value, dict) and value:
        lines = (f"{deeper}{json.dumps(key)}: {_json(item, deeper)}" for key, item in value.items())
        return "{\n" + ",\n".join(lines) + f"\n{indent}}}"
    if isinstance(value, list | tuple) and any(isinstance(item, dict | list | tuple) for item in value):
        return "[\n" + ",\n".join(deeper + _json(item, deeper) for item in value) + f"\n{indent}]"
    return json.dumps(value)
