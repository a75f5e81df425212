"""Functions of the author's other files: a file of backward passes may have its forward passes in the file beside it."""

from __future__ import annotations

import importlib
import inspect
import re
from collections.abc import Callable, Iterator
from functools import lru_cache
from pathlib import Path
from types import ModuleType
from typing import Any

from plainnet.checks.code.binding import own_functions
from plainnet.checks.code.episode import within
from plainnet.checks.code.looks import OWN
from plainnet.checks.code.stand_ins import stand_ins

_MOST_FILES, _LONGEST_FILE = 60, 200_000
_DEFINES = re.compile(r"^def \w", re.M)


def imported_functions(module: ModuleType) -> dict[str, Callable[..., Any]]:
    """Return the author's functions that a file imports."""
    return {
        name: value
        for name, value in vars(module).items()
        if inspect.isfunction(value) and value.__module__ != module.__name__ and _is_own(value)
    }


def _is_own(function: Callable[..., Any]) -> bool:
    return OWN in getattr(function, "__globals__", {})


@lru_cache(1)
def functions_in_the_folder(module: ModuleType) -> dict[str, Callable[..., Any]]:
    """Import the other files in the folder of a file that define functions, and return these functions."""
    found: dict[str, Callable[..., Any]] = {}
    path = Path(str(module.__file__)).resolve()
    files = [(other, other.stem) for other in sorted(path.parent.glob("*.py")) if other != path]
    with stand_ins(path.parent, []):
        for other in modules_with(_DEFINES, files):
            found = own_functions(other) | found
    return found


def modules_with(words: re.Pattern[str], files: list[tuple[Path, str]]) -> Iterator[ModuleType]:
    """Import the files that contain certain words, by their module names, and yield the modules."""
    for path, name in files[:_MOST_FILES]:
        if path.stat().st_size > _LONGEST_FILE or not words.search(path.read_text(errors="replace")):
            continue
        try:
            with within(4):
                other = importlib.import_module(name)
        except Exception:  # a module that cannot be imported is skipped
            continue
        yield other
