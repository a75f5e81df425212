"""The source of a recipe's examples: a path, or a table with the path and options for reading the data."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from plainnet.errors import InputError


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and 0 < len(value) <= 4096


def _is_share(value: Any) -> bool:
    return isinstance(value, float) and 0 < value < 1


_KEYS: dict[str, tuple[Callable[[Any], bool], str]] = {  # see `sources.load`
    "path": (_is_text, "the path of a file or a folder"),
    "label": (_is_text, "the name of a column"),
    "missing": (lambda value: value == "mean", '"mean"'),
    "validation": (_is_share, "a share between 0 and 1, such as 0.15"),
    "test": (_is_share, "a share between 0 and 1, such as 0.15"),
    "group": (_is_text, "the name of a column"),
    "transposed": (lambda value: isinstance(value, bool), "true or false"),
    "task": (lambda value: value in ("classes", "labels", "numbers"), '"classes", "labels" or "numbers"'),
}


def described(given: Any, folder: Path) -> dict[str, Any]:
    """Return a recipe's `data` as a table with an absolute path; a relative path starts at `folder`.

    Raises: `InputError` if it is neither a path nor a valid table.
    """
    table = {"path": given} if isinstance(given, str) else given
    if not isinstance(table, Mapping):
        raise InputError(f'data must be a path or a table such as {{path = "iris.csv"}}, received {given!r:.100}')
    told = {
        key: str(v) if key in ("label", "group") and type(v) is int else v for key, v in table.items() if v is not None
    }
    check(told)
    if "path" in told:
        told["path"] = str(Path(folder, told["path"]).absolute())
    return told


def check(table: Any) -> None:
    """Raise `InputError` unless it is None or a valid table, such as `described` returns."""
    if table is None:
        return
    if not isinstance(table, Mapping) or (unknown := set(table) - set(_KEYS)):
        unknown = unknown if isinstance(table, Mapping) else {str(table)}
        raise InputError(f"data has no key {min(map(repr, unknown)):.100}; its keys are {', '.join(_KEYS)}")
    for key, value in table.items():
        fits, expected = _KEYS[key]
        if not fits(value):
            raise InputError(f"data.{key} must be {expected}, received {value!r:.100}")
