"""Checks values read from a foreign file against a description of the values that are allowed.

A description is a function that returns whether a value fits, or a table with a description for each key; a key that
ends in "?" may be missing. `listed(one)` describes a list of values that each fit `one`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

Description = Callable[[Any], bool] | Mapping[str, Any]

_LONGEST = 1_000_000  # the longest list that a file may hold


def whole(least: int = 0, most: int = 10**12) -> Callable[[Any], bool]:
    """Describe a whole number from `least` to `most`."""
    return lambda value: type(value) is int and least <= value <= most


def real(least: float = -1e30, most: float = 1e30) -> Callable[[Any], bool]:
    """Describe a finite number from `least` to `most`."""
    return lambda value: type(value) in (int, float) and least <= value <= most


def text(most: int = 200) -> Callable[[Any], bool]:
    """Describe a text of at most `most` characters."""
    return lambda value: isinstance(value, str) and len(value) <= most


def table(value: Any) -> bool:
    """Describe any table."""
    return isinstance(value, dict)


def nothing(value: Any) -> bool:
    """Describe null."""
    return value is None


def listed(one: Description, *, least: int = 0) -> Callable[[Any], bool]:
    """Describe a list of at least `least` values."""
    return lambda value: isinstance(value, list) and least <= len(value) <= _LONGEST and all(
        problem(item, one) is None for item in value
    )  # fmt: skip


def either(*descriptions: Description) -> Callable[[Any], bool]:
    """Describe a value that fits at least one of the descriptions."""
    return lambda value: any(problem(value, description) is None for description in descriptions)


def problem(value: Any, description: Description, name: str = "") -> str | None:
    """Return in a few words what does not fit, or None if everything fits."""
    if callable(description):
        return None if description(value) else f"{name or 'it'} is {value!r:.100}"
    if not isinstance(value, dict):
        return f"{name or 'it'} is not a table"
    for key, part in description.items():
        plain = key.removesuffix("?")
        where = f"{name}.{plain}".lstrip(".")
        if plain not in value:
            if plain == key:
                return f"{where} is missing"
        elif (found := problem(value[plain], part, where)) is not None:
            return found
    return None
