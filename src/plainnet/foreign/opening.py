"""Opens foreign files safely: only ordinary files, of a plausible size, with text in UTF-8 and JSON of limited depth.

A pipe would make a program wait forever, and a device would fill its memory. So files are opened without waiting and
checked before anything is read, and no more is read than a file of its kind can need.
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
    """A kind of file: its largest size in megabytes, and what to do if a file is not of this kind."""

    megabytes: int
    advice: str


KINDS = {
    "model": Kind(1_000, "give a model_final.safetensors, or the name of one that comes with plainnet, such as cnn"),
    "checkpoint": Kind(16_000, "give the folder of an interrupted training"),
    "recipe": Kind(1, "give a name that `plainnet recipes` lists, or a .toml file"),
    "record": Kind(10, "restore the committed file, or make it again"),
    "history": Kind(300, "give a results folder, or a file with losses or accuracies from any program"),
    "image": Kind(500, "give a PNG, JPEG or similar file"),
    "data": Kind(1_000_000, "check the folder and its files"),  # mapped, or read as far as its header says
    "ONNX model": Kind(1000, "give a model in an .onnx file"),
    "class names": Kind(1, "give one class name per line"),
    "Python file": Kind(5, "give the .py file to examine"),
    "assignment": Kind(1, "give an assignment in a .toml file"),
    "submission": Kind(50, "hand in .py or .ipynb files, or a .zip of them"),
    "answer": Kind(20, "give the .py or .ipynb file with your answer"),
    "report": Kind(20, "try again"),  # written by a process of plainnet
}
_MOST_BITS = 1000  # of one whole number
_DEEPEST = 50  # nested tables and lists


def open_file(path: str | Path, kind: str) -> BinaryIO:
    """Open an ordinary file for reading; `kind` is one of `KINDS`.

    Raises: `InputError` if the file is missing, cannot be read, is not an ordinary file, or is too large for its kind.
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
    """Return the content of a file.

    Raises: `InputError` as `open_file`, and if reading fails.
    """
    try:
        with open_file(path, kind) as file:
            content = file.read(KINDS[kind].megabytes * 1_000_000 + 1)  # it may have grown in the meantime
    except OSError as error:
        raise _unreadable(path, kind, error.strerror) from error
    if len(content) > KINDS[kind].megabytes * 1_000_000:
        raise _too_large(path, kind)
    return content


def _unreadable(path: str | Path, kind: str, reason: object) -> InputError:
    return InputError(f"cannot read the {kind} {path}: {reason}; {KINDS[kind].advice}")


def _too_large(path: str | Path, kind: str) -> InputError:
    return _unreadable(path, kind, f"it is larger than {KINDS[kind].megabytes:,} MB, the limit for this kind of file")


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
    """Return the value in a JSON file.

    Raises: `InputError` as `read_text`, and for text that is not JSON or nested too deeply.
    """
    try:
        return parse_json(read_text(path, kind))
    except InputError:
        raise
    except ValueError as error:
        raise _unreadable(path, kind, f"it is not JSON that plainnet can read: {error}") from error


def parse_json(text: str) -> Any:
    """Return the value in a JSON text.

    Raises: `ValueError` for text that is not JSON, is nested too deeply, or has a number with too many digits.
    """
    return _parsed(json.loads, text)


def parse_toml(text: str) -> dict[str, Any]:
    """Return the table in a TOML text.

    Raises: `ValueError` for text that is not TOML, is nested too deeply, or has a number with too many digits.
    """
    table: dict[str, Any] = _parsed(tomllib.loads, text)
    return table


def _parsed(parse: Callable[[str], Any], text: str) -> Any:
    try:
        value = parse(text)
    except RecursionError as error:
        raise ValueError(f"it is nested more than {_DEEPEST} deep") from error
    level = [value]
    for _ in range(_DEEPEST + 1):
        kinds = set(map(type, level))
        if int in kinds and max(part.bit_length() for part in level if type(part) is int) > _MOST_BITS:
            raise ValueError("it holds a whole number of more than 300 digits")
        if kinds.isdisjoint((dict, list)):
            return value
        holding = [part for part in level if isinstance(part, dict | list)]
        level = [item for part in holding for item in (part.values() if isinstance(part, dict) else part)]
    raise ValueError(f"it is nested more than {_DEEPEST} deep")
