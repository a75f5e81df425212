"""Stand-ins for packages that are not there, for the author's own files only."""

from __future__ import annotations

import builtins
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any


class StandIn(ModuleType):
    """Something of a package that is not there: it may be imported, called and decorated with, but not computed with."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.__path__: list[str] = []

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") and name.endswith("__"):
            raise AttributeError(name)
        return StandIn(f"{self.__name__}.{name}")

    def __call__(self, *arguments: Any, **options: Any) -> Any:
        if len(arguments) == 1 and callable(arguments[0]) and not options:
            return arguments[0]  # a decorator
        return StandIn(f"{self.__name__}(...)")

    def __iter__(self) -> Iterator[Any]:
        raise ModuleNotFoundError(f"{self.__name__} is not there: its package is not installed here")

    __float__ = __array__ = __len__ = __getitem__ = __add__ = __radd__ = __mul__ = __sub__ = __iter__

    def __enter__(self) -> StandIn:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def __mro_entries__(self, bases: tuple[Any, ...]) -> tuple[type, ...]:
        return (object,)


class stand_ins:  # noqa: N801  (used as a function)
    """While it holds, a missing package is replaced, if a file within `folder` imports it."""

    def __init__(self, folder: Path, replaced: list[str]) -> None:
        self.folder, self.replaced = str(folder.resolve()), replaced

    def __enter__(self) -> None:
        self.right = builtins.__import__
        builtins.__import__ = self._import

    def __exit__(self, *_: object) -> None:
        builtins.__import__ = self.right

    def _import(self, name: str, globals: Any = None, locals: Any = None, fromlist: Any = (), level: int = 0) -> Any:  # noqa: A002
        try:
            return self.right(name, globals, locals, fromlist, level)
        except ImportError as error:
            table, wanted = globals, fromlist
            importer = str((table or {}).get("__file__", ""))
            theirs = importer and str(Path(importer).resolve()).startswith(self.folder)
            own = (Path(self.folder) / f"{name.split('.')[0]}.py").exists() or (
                Path(self.folder) / name.split(".")[0]
            ).exists()
            if not theirs or own or level:
                raise
            if not isinstance(error, ModuleNotFoundError) and not wanted:
                raise
            top = name.split(".")[0]
            if top not in self.replaced:
                self.replaced.append(top)
            return StandIn(name if wanted else top)
