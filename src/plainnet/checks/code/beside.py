"""Functions of the author's other files: a file of backward passes may have its forward passes in the file beside it."""

from __future__ import annotations

import importlib
import inspect
import re
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from types import ModuleType
from typing import Any

from plainnet.checks.code.binding import own_functions
from plainnet.checks.code.episode import within
from plainnet.checks.code.looks import OWN
from plainnet.checks.code.stand_ins import stand_ins

_MOST_FILES, _LONGEST_FILE = 30, 200_000


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
    for other in sorted(path.parent.glob("*.py"))[:_MOST_FILES]:
        if other == path or not other.stem.isidentifier() or other.stat().st_size > _LONGEST_FILE:
            continue
        if re.search(r"^def \w", other.read_text(errors="replace"), re.M):
            try:
                with within(4), stand_ins(path.parent, []):
                    found = own_functions(importlib.import_module(other.stem)) | found
            except Exception:  # a file that cannot be imported is skipped
                continue
    return found
