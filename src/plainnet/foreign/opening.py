"""Opening what is foreign: an ordinary file, of a size that its kind can have, text in UTF-8, JSON that is not deep.

A pipe would make a program wait for ever, a device feed it until memory is full. So a file is opened without waiting
and looked at before anything is read from it, and never more is read than its kind can need.
"""

from __future__ import annotations

import json
import os
import stat
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

from plainnet.errors import InputError


class Kind(NamedTuple):
    """What a file should be: how many megabytes it may have, and what to give instead of another."""

    megabytes: int
    advice: str


KINDS = {
    "model": Kind(1_000, "give a model_final.safetensors, or the name of one that comes with plainnet, such as cnn"),
    "checkpoint": Kind(16_000, "give the folder of a training that was interrupted"),
    "recipe": Kind(1, "give a name that `plainnet recipes` lists, or a .toml file"),
    "record": Kind(10, "put the committed one back, or make it anew"),
    "history": Kind(300, "give a results folder, or a file with losses or accuracies from any program"),
    "image": Kind(500, "give a PNG, JPEG or similar file"),
    "data": Kind(1_000_000, "check the folder and its files"),  # mapped, or read as far as its header says
    "ONNX model": Kind(1000, "give a model in an .onnx file"),
    "class names": Kind(1, "give one class name a line"),
    "Python file": Kind(5, "give the .py file to examine"),
    "report": Kind(20, "try again"),  # written by our own process
}
_MOST_BITS = 1000  # of a whole number
_DEEPEST = 50  # tables and lists within each other


def open_file(path: str | Path, kind: str) -> BinaryIO:
    """Open an ordinary file for reading; `kind` is one of `KINDS`.

    Raises: `InputError` if there is none, it cannot be read, is not an ordinary file, or is too large for its kind.
    """
    path = Path(path)
    try:
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    except (OSError, ValueError) as error:  # ValueError: a null character in the name
        raise _unreadable(path, kind, getattr(error, "strerror", None) or error) from error
    status = os.fstat(descriptor)
    if not stat.S_ISREG(status.st_mode):
        os.close(descriptor)
        what = "a folder" if stat.S_ISDIR(status.st_mode) else "a pipe or a device"
        raise _unreadable(path, kind, f"it is {what}, not an ordinary file")
    if status.st_size > KINDS[kind].megabytes * 1_000_000:
        os.close(descriptor)
        raise _too_large(path, kind)
    return os.fdopen(descriptor, "rb")


def read_bytes(path: str | Path, kind: str) -> bytes:
    """Return what a file holds.

    Raises: `InputError` as `open_file`, and if reading fails.
    """
    try:
        with open_file(path, kind) as file:
            content = file.read(KINDS[kind].megabytes * 1_000_000 + 1)  # it may have grown since
    except OSError as error:
        raise _unreadable(path, kind, error.strerror) from error
    if len(content) > KINDS[kind].megabytes * 1_000_000:
        raise _too_large(path, kind)
    return content


def _unreadable(path: str | Path, kind: str, reason: object) -> InputError:
    return InputError(f"cannot read the {kind} {path}: {reason}; {KINDS[kind].advice}")


def _too_large(path: str | Path, kind: str) -> InputError:
    return _unreadable(path, kind, f"it is larger than {KINDS[kind].megabytes:,} MB, which no {kind} is")


def read_text(path: str | Path, kind: str) -> str:
    """Return the text of a file in UTF-8, with or without a byte-order mark.

    Raises: `InputError` as `read_bytes`, and for another encoding.
    """
    content = read_bytes(path, kind)
    try:
        return content.decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        raise _unreadable(path, kind, f"{error}; save it as UTF-8") from error


def read_json(path: str | Path, kind: str) -> Any:
    """Return the value that a JSON file holds.

    Raises: `InputError` as `read_text`, and for what is not JSON or too deep.
    """
    try:
        return parse_json(read_text(path, kind))
    except InputError:
        raise
    except ValueError as error:
        raise _unreadable(path, kind, f"it is not JSON that plainnet reads: {error}") from error


def parse_json(text: str) -> Any:
    """Return the value that a JSON text holds.

    Raises: `ValueError` for what is not JSON, nested too deeply, or a number of too many digits.
    """
    return _parsed(json.loads, text)


def parse_toml(text: str) -> dict[str, Any]:
    """Return the table that a TOML text holds.

    Raises: `ValueError` for what is not TOML, nested too deeply, or a number of too many digits.
    """
    table: dict[str, Any] = _parsed(tomllib.loads, text)
    return table


def _parsed(parse: Callable[[str], Any], text: str) -> Any:
    try:
        value = parse(text)
    except RecursionError as error:
        raise ValueError(f"it is nested more than {_DEEPEST} deep") from error
    level = [value]
    for _ in range(_DEEPEST):
        if any(type(part) is int and part.bit_length() > _MOST_BITS for part in level):
            raise ValueError("it holds a whole number of more than 300 digits")
        holding = [part for part in level if isinstance(part, dict | list)]
        level = [item for part in holding for item in (part.values() if isinstance(part, dict) else part)]
        if not level:
            return value
    raise ValueError(f"it is nested more than {_DEEPEST} deep")
