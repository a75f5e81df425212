"""Configuration: check plain values, such as those in TOML and JSON files, and build the objects they describe."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import numpy as np

from plainnet.errors import InputError

T = TypeVar("T")

_MOST = 1_000_000
LONGEST_NAME, LONGEST_TITLE = 100, 200  # characters


def whole_number(value: Any, name: str, *, least: int = 1, most: int = _MOST) -> int:
    """Return `value` as an int.

    Raises: `InputError` unless it is a whole number from `least` to `most` (default: a million).
    """
    if not isinstance(value, int | np.integer) or isinstance(value, bool) or not least <= value <= most:
        raise InputError(f"{name} must be a whole number from {least} to {most:,}, received {value!r}")
    return int(value)


def number(value: Any, name: str) -> float:
    """Return `value` as a float.

    Raises: `InputError` unless it is a number.
    """
    if not isinstance(value, int | float | np.number) or isinstance(value, bool | np.complexfloating):
        raise InputError(f"{name} must be a number, received {value!r}")
    try:
        return float(value)
    except OverflowError as error:
        raise InputError(f"{name} must fit into a floating-point number, received one with too many digits") from error


def known_dtype(dtype: np.typing.DTypeLike) -> np.dtype:
    """Return the NumPy dtype, if networks can compute in it.

    Raises: `InputError` for any dtype but float32, float64 and complex128.
    """
    known = {np.dtype(kind): np.dtype(kind) for kind in (np.float32, np.float64, np.complex128)}
    # A string from a file is looked up, never parsed by NumPy.
    found = {kind.name: kind for kind in known}.get(dtype) if isinstance(dtype, str) else None
    if isinstance(dtype, type | np.dtype) or dtype is None:
        found = known.get(np.dtype(dtype))
    if found is None:
        raise InputError(f"dtype must be float32, float64 or complex128, received {dtype!r:.100}")
    return found


def expect_name(name: str, what: str, most: int = LONGEST_NAME) -> None:
    """Raise `InputError` if a name is too long or holds an incomplete character (a lone surrogate)."""
    if len(name) > most:
        raise InputError(f"{what} can have at most {most} characters, received {name!r:.120}")
    try:
        name.encode()
    except UnicodeEncodeError as error:
        raise InputError(f"{what} must be valid Unicode text, received {name!r}: {error.reason}") from error


def construct(kinds: Mapping[str, Callable[..., T]], table: Mapping[str, Any], what: str) -> T:
    """Call the function that `table["type"]` names in `kinds` with the rest of the table as its arguments.

    `construct({"Dense": Dense}, {"type": "Dense", "units": 10}, "layer")` returns Dense(10).

    Raises: `InputError` if it is not a table, or has an unknown type, an unknown or missing key, or an invalid value.
    """
    if not isinstance(table, Mapping):
        raise InputError(f'a {what} must be a table such as {{type = "{min(kinds)}", ...}}, received {table!r}')
    arguments = dict(table)
    kind = arguments.pop("type", None)
    if not isinstance(kind, str) or kind not in kinds:
        raise InputError(f"unknown {what} type {kind!r}; choose one of {', '.join(sorted(kinds))}")
    known = inspect.signature(kinds[kind]).parameters
    if unknown := set(map(str, arguments)) - set(known):
        raise InputError(f"unknown key {min(unknown)!r} in the {what} {kind}; it takes {', '.join(known) or 'none'}")
    required = {name for name, parameter in known.items() if parameter.default is inspect.Parameter.empty}
    if missing := required - set(arguments):
        raise InputError(f"the {what} {kind} needs the key {min(missing)!r}")
    in_a_row = [name for name, parameter in known.items() if parameter.kind is parameter.VAR_POSITIONAL]
    try:
        rows = [part for name in in_a_row for part in arguments.pop(name)]  # the layers of Sequential(*layers)
        return kinds[kind](*rows, **arguments)
    except InputError as error:
        raise InputError(f"in the {what} {kind}: {error}") from error
    except TypeError as error:
        raise InputError(f"a value of the {what} {kind} is of the wrong kind: {error}") from error


def as_call(made: object, arguments: Mapping[str, inspect.Parameter]) -> str:
    """Return the call that made an object, such as "Dropout(rate=0.1)", with only its numbers, bools and strings."""
    given = ((name, getattr(made, name, None), own.default) for name, own in arguments.items())
    told = (f"{name}={v!r}" for name, v, default in given if isinstance(v, bool | int | float | str) and v != default)
    return f"{type(made).__name__}({', '.join(told)})"
