"""Stand-ins for packages that are not installed, for the author's own files only."""

from __future__ import annotations

import builtins
import linecache
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from plainnet.checks.code.looks import OWN
from plainnet.checks.code.made_up_data import FROM_PACKAGES

_ACTIVATIONS: dict[str, tuple[Callable[[Any], Any], Callable[[Any], Any]]] = {
    "sigmoid": (lambda z: 1 / (1 + np.exp(-z)), lambda z: np.exp(-z) / (1 + np.exp(-z)) ** 2),
    "relu": (lambda z: np.maximum(0, z), lambda z: z > 0),
    "tanh": (np.tanh, lambda z: 1 - np.tanh(z) ** 2),
}


_LIKE_NUMPY = ("cupy", "minpy")  # arrays on an accelerator, by the same names
_INSTEAD = {"tqdm.notebook": "tqdm", "tqdm.autonotebook": "tqdm", "cPickle": "pickle", "Queue": "queue"}


def _softmax(z: Any, axis: int) -> Any:
    e = np.exp(z - np.max(z, axis=axis, keepdims=True))
    return e / np.sum(e, axis=axis, keepdims=True)


def known_by_name(name: str, importer: str) -> Callable[..., Any] | None:
    """Return a function of a missing file or package that is known by its name, such as relu, relu_backward(dA, Z) or load_data; or None.

    If the importing file unpacks its result, as in `A, cache = relu(Z)`, the function also returns its argument as the cache.
    """
    if name in FROM_PACKAGES:
        return FROM_PACKAGES[name]
    text = "".join(linecache.getlines(importer))
    if name == "softmax":
        columns = re.search(r"axis *= *1, *keepdims", text) is not None  # as biases are summed there
        return lambda z: _softmax(z, axis=0 if columns else -1)
    stem, _, back = name.partition("_")
    if stem not in _ACTIVATIONS or back not in ("", "backward"):
        return None
    f, slope = _ACTIVATIONS[stem]
    if back:
        return lambda dy, z: dy * slope(z)
    apart = re.search(rf"\w+ *, *\w+ *= *{name}\(", text)
    return (lambda z: (f(z), z)) if apart else f


class StandIn(ModuleType):
    """A stand-in for a missing package: code may import it, call it and use it as a decorator, but not compute with it."""

    def __init__(self, name: str, importer: str = "") -> None:
        super().__init__(name)
        self.__path__: list[str] = []
        self.__importer__ = importer
        self.__all__ = [
            *_ACTIVATIONS,
            "softmax",
        ]  # what `import *` gives; the other names are unknown

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") and name.endswith("__"):
            raise AttributeError(name)
        if (known := known_by_name(name, self.__importer__)) is not None:
            return known
        return StandIn(f"{self.__name__}.{name}")

    def __call__(self, *arguments: Any, **options: Any) -> Any:
        if len(arguments) == 1 and callable(arguments[0]) and not options:
            return arguments[0]  # a decorator
        return StandIn(f"{self.__name__}(...)")

    def __iter__(self, *_: object) -> Iterator[Any]:
        raise ModuleNotFoundError(f"{self.__name__} is a stand-in: its package is not installed")

    __float__ = __array__ = __len__ = __getitem__ = __add__ = __radd__ = __mul__ = __sub__ = __iter__

    def __enter__(self) -> StandIn:
        return self

    def __deepcopy__(self, memo: Any) -> StandIn:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def __mro_entries__(self, bases: tuple[Any, ...]) -> tuple[type, ...]:
        return (object,)


class stand_ins:  # noqa: N801  (used as a function)
    """A context in which missing packages are replaced if a file within `folder` imports them."""

    def __init__(self, folder: Path, replaced: list[str]) -> None:
        self.folder, self.replaced = str(folder.resolve()), replaced

    def __enter__(self) -> None:
        self.right = builtins.__import__
        builtins.__import__ = self._import

    def __exit__(self, *_: object) -> None:
        builtins.__import__ = self.right

    def _import(self, name: str, globals: Any = None, locals: Any = None, fromlist: Any = (), level: int = 0) -> Any:  # noqa: A002
        name = _INSTEAD.get(name, name) if OWN in (globals or {}) else name
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
            if top in _LIKE_NUMPY:
                return np
            if top not in self.replaced:
                self.replaced.append(top)
            return StandIn(name if wanted else top, importer)
