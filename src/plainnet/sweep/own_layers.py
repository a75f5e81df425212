"""Sends layers from a user's file to other machines, together with the text of the file."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

from plainnet.layers import OWN_LAYERS, Layer


@dataclass(frozen=True)
class OwnLayers:
    """Layer classes that can be sent to another process: those from a user's file with its text, others by name."""

    kinds: tuple[type[Layer], ...] = ()

    def __reduce__(self) -> tuple[Any, ...]:
        files: dict[str, tuple[str, str]] = {}
        told: list[Any] = []
        for kind in self.kinds:
            name = kind.__module__
            if name.startswith(OWN_LAYERS) and (path := getattr(sys.modules.get(name), "__file__", None)):
                files[name] = path, Path(path).read_text(encoding="utf-8")
                told.append((name, kind.__name__))
            else:
                told.append(kind)
        return _received, (files, told)


def _received(files: dict[str, tuple[str, str]], told: list[Any]) -> OwnLayers:
    """Run the files, and return the layers they define."""
    for name, (path, text) in files.items():
        if name not in sys.modules:
            module = sys.modules[name] = ModuleType(name)
            module.__file__ = path
            exec(compile(text, path, "exec"), vars(module))  # noqa: S102  (the file that the user gave to --layers)
    return OwnLayers(tuple(getattr(sys.modules[one[0]], one[1]) if isinstance(one, tuple) else one for one in told))
