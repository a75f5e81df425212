"""Opening what is foreign: an ordinary file, of a size that its kind can have, text in UTF-8, JSON that is not deep.

A pipe would make a program wait for ever, a device feed it until memory is full. So a file is opened without waiting
and looked at before anything is read from it, and never more is read than its kind can need.
"""

from __future__ import annotations

import json
import os
import stat
from pathlib import Path
from typing import Any, BinaryIO

from plainnet.errors import InputError

MEGABYTE = 1_000_000
LARGEST = {  # bytes that a file of a kind may have
    "model": 4_000 * MEGABYTE,
    "checkpoint": 16_000 * MEGABYTE,
    "recipe": MEGABYTE,
    "record": 50 * MEGABYTE,
    "history": 50 * MEGABYTE,
    "image": 500 * MEGABYTE,
    "data": 1_000_000 * MEGABYTE,  # mapped into memory, or read as far as its header says
    "class names": MEGABYTE,
    "Python file": 5 * MEGABYTE,
}
_DEEPEST = 50  # tables and lists within each other


def open_file(path: str | Path, kind: str) -> BinaryIO:
    """Open an ordinary file for reading; `kind` is one of `LARGEST`.

    Raises: `InputError` if there is none, it cannot be read, is not an ordinary file, or is too large for its kind.
    """
    path = Path(path)
    try:
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    except (OSError, ValueError) as error:  # ValueError: a null character in the name
        raise InputError(f"cannot read the {kind} {path}: {getattr(error, 'strerror', None) or error}") from error
    status = os.fstat(descriptor)
    if not stat.S_ISREG(status.st_mode):
        os.close(descriptor)
        what = "a folder" if stat.S_ISDIR(status.st_mode) else "a pipe or a device"
        raise InputError(f"cannot read the {kind} {path}: it is {what}, not an ordinary file")
    if status.st_size > LARGEST[kind]:
        os.close(descriptor)
        raise InputError(
            f"cannot read the {kind} {path}: it has {status.st_size:,} bytes, a {kind} has at most {LARGEST[kind]:,}"
        )
    return os.fdopen(descriptor, "rb")


def read_bytes(path: str | Path, kind: str) -> bytes:
    """Return what a file holds.

    Raises: `InputError` as `open_file`, and if reading fails.
    """
    try:
        with open_file(path, kind) as file:
            content = file.read(LARGEST[kind] + 1)  # it may have grown since
    except OSError as error:
        raise InputError(f"cannot read the {kind} {path}: {error.strerror}") from error
    if len(content) > LARGEST[kind]:
        raise InputError(f"cannot read the {kind} {path}: it has more than {LARGEST[kind]:,} bytes")
    return content


def read_text(path: str | Path, kind: str) -> str:
    """Return the text of a file in UTF-8, with or without a byte-order mark.

    Raises: `InputError` as `read_bytes`, and for another encoding.
    """
    content = read_bytes(path, kind)
    try:
        return content.decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        raise InputError(f"cannot read the {kind} {path}: {error}; save it as UTF-8") from error


def read_json(path: str | Path, kind: str) -> Any:
    """Return the value that a JSON file holds.

    Raises: `InputError` as `read_text`, and for what is not JSON or too deep.
    """
    try:
        return parse_json(read_text(path, kind))
    except InputError:
        raise
    except ValueError as error:
        raise InputError(f"cannot read the {kind} {path}: it is not JSON: {error}") from error


def parse_json(text: str) -> Any:
    """Return the value that a JSON text holds.

    Raises: `ValueError` for what is not JSON, or nested too deeply.
    """
    try:
        value = json.loads(text)
    except RecursionError as error:
        raise ValueError(f"it is nested more than {_DEEPEST} deep") from error
    expect_shallow(value)
    return value


def expect_shallow(value: Any) -> None:
    """Raise `ValueError` if tables and lists are nested too deeply to be what anybody has written."""
    level = [value]
    for _ in range(_DEEPEST):
        holding = [part for part in level if isinstance(part, dict | list)]
        level = [item for part in holding for item in (part.values() if isinstance(part, dict) else part)]
        if not level:
            return
    raise ValueError(f"it is nested more than {_DEEPEST} deep")
