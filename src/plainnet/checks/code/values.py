"""The numbers of a program: find every float array reachable from a table of names, and its path."""

from __future__ import annotations

import types
from collections.abc import Iterator
from typing import Any

import numpy as np

Path = tuple[tuple[str, Any], ...]  # steps: ("item", key) or ("attribute", name)

_MOST, _DEEPEST = 2000, 7  # values visited, steps from the root
_CLOSED = (
    type,
    types.ModuleType,
    types.FunctionType,
    types.BuiltinFunctionType,
    types.MethodType,
    str,
    bytes,
    np.dtype,
)


def numbers_in(root: Any, *, scalars: bool = True) -> Iterator[tuple[Path, Any]]:
    """Yield path and value of every reachable float array, and of every float if `scalars` is true.

    An array with several names is yielded once, by its shortest path. A view of a whole array counts as the same array.
    """
    seen: set[tuple[int, int]] = set()
    for path, value in _every_name(root):
        if not isinstance(value, np.ndarray):
            if scalars:
                yield path, value
            continue
        where = (value.__array_interface__["data"][0], value.size)
        if value.size and where not in seen:
            seen.add(where)
            yield path, value


def _every_name(root: Any) -> Iterator[tuple[Path, Any]]:
    """Yield every reachable float array and float, by each of its names, the shortest first."""
    seen: set[int] = set()
    todo: list[tuple[Path, Any]] = [((), root)]
    looked = 0
    while todo and looked < _MOST:
        path, value = todo.pop(0)
        looked += 1
        if isinstance(value, float | np.floating) or (isinstance(value, np.ndarray) and value.dtype.kind == "f"):
            yield path, value
        elif len(path) < _DEEPEST and id(value) not in seen:
            seen.add(id(value))
            todo += [((*path, step), inner) for step, inner in _inside(value)]


def _inside(value: Any) -> Iterator[tuple[tuple[str, Any], Any]]:
    if isinstance(value, dict):
        yield from ((("item", key), inner) for key, inner in value.items())
    elif isinstance(value, list | tuple) or (isinstance(value, np.ndarray) and value.dtype == object):
        items = value.ravel() if isinstance(value, np.ndarray) else value
        yield from ((("item", i), inner) for i, inner in enumerate(items) if i < 200)
    elif not isinstance(value, _CLOSED) and type(value).__module__ not in ("builtins", "numpy"):
        names = list(getattr(value, "__dict__", ()))
        names += [slot for kind in type(value).__mro__ for slot in _slots(kind) if hasattr(value, slot)]
        yield from ((("attribute", name), getattr(value, name, None)) for name in names)


def _slots(kind: type) -> tuple[str, ...]:
    slots = vars(kind).get("__slots__", ())
    return (slots,) if isinstance(slots, str) else tuple(slots)


def follow(root: Any, path: Path) -> Any:
    """Return the value at the path."""
    for kind, key in path:
        if kind == "attribute":
            root = getattr(root, key)
        else:
            root = root.ravel()[key] if isinstance(root, np.ndarray) else root[key]
    return root


def put(root: Any, path: Path, value: Any) -> None:
    """Set the value at the path: write into an array in place, or replace a float."""
    here = follow(root, path)
    if isinstance(here, np.ndarray):
        here[...] = value
        return
    holder, (kind, key) = follow(root, path[:-1]), path[-1]
    if kind == "attribute":
        setattr(holder, key, type(here)(value))
    elif isinstance(holder, tuple):
        put(root, path[:-1], (*holder[:key], type(here)(value), *holder[key + 1 :]))
    else:
        holder[key] = type(here)(value)


def in_float64(root: Any) -> None:
    """Convert every reachable float array to float64, except in tuples; names that share an array still share it."""
    made: dict[int, np.ndarray] = {}
    for path, value in list(_every_name(root)):
        if not isinstance(value, np.ndarray) or value.dtype == np.float64 or not path:
            continue
        holder, (kind, key) = follow(root, path[:-1]), path[-1]
        new = made.setdefault(id(value), value.astype(np.float64))
        if kind == "attribute":
            setattr(holder, key, new)
        elif isinstance(holder, dict | list):
            holder[key] = new


def spelled(path: Path) -> str:
    """Return a path as its author would write it, such as self.params['W1']."""
    text = ""
    for kind, key in path[1:] if path and path[0][1] == "<module>" else path:
        if kind == "attribute":
            text += f".{key}"
        else:
            text += str(key) if not text else f"[{key!r}]"
    return text.removeprefix("self.")


def name_of(path: Path) -> str:
    """Return the last word of a path: W1 for params['W1'], weights for weights[0]."""
    return next((str(key) for _, key in reversed(path) if isinstance(key, str)), "")


def number_of(path: Path) -> tuple[int, ...]:
    """Return the integer indices in a path: (0,) for weights[0], and (1,) for layers[1].W."""
    return tuple(key for _, key in path if isinstance(key, int))
