"""An episode: one way to run a backward pass, with a table of names and a forward pass that fills it."""

from __future__ import annotations

import contextlib
import copy
import copyreg
import inspect
import random
import re
import signal
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from types import CodeType, ModuleType
from typing import Any

import numpy as np

from plainnet.checks.code.values import Path, in_float64, numbers_in

Names = dict[str, Any]
AT_FIRST = "__at_first__"  # where a module keeps a copy of its data from when it was loaded
MODULE, RETURNED = "<module>", "<returned>"  # keys of a table: the module's own data, and what backward returned
_KEPT = "<kept on functions>"
_LARGE = 300_000  # numbers in an array
_SECONDS = 4.0  # for one call


copyreg.pickle(ModuleType, lambda module: (sys.modules.__getitem__, (module.__name__,)))  # a module is not copied


class TookTooLongError(Exception):
    """A call of the author's code took too long."""


class OutOfTime(BaseException):
    """The time for one search is up; no further call is made."""


class Deadline:
    """The time after which no call may be made, in seconds of the monotonic clock."""

    at = float("inf")


@dataclass
class Episode:
    """One way to run one backward pass.

    `names` is the table before forward: "self" for an object, arguments by their names, and the data of the module. `forward` adds its
    results to the table. `backward` takes the table and, if `upstream` is true, the gradient of the output, and returns gradients; it is None
    if forward itself returns them. `given` names the data that the doctor made up. It needs no gradient, except the input if `upstream` is
    true.
    """

    subject: str
    form: str
    label: str
    names: Names
    forward: Callable[[Names], None]
    backward: Callable[[Names, Any], Any] | None
    functions: dict[str, Callable[..., Any]]
    upstream: bool = False
    given: frozenset[str] = frozenset()
    inputs: tuple[str, ...] = ()
    batch: int | None = None
    rate: float | None = None  # learning rate of the steps that backward takes, None if unknown
    module: ModuleType | None = None
    options: dict[str, Any] = field(default_factory=dict)
    wrt: frozenset[str] | None = None  # what needs a gradient, if the user says so
    belongs: bool = True  # whether forward and backward share a class or the stem of their names
    way: tuple[Any, ...] = ()  # how it is called: one way is judged in all its settings
    cold: Names = field(default_factory=dict)  # the table before any forward

    @property
    def tolerance(self) -> float:
        """The allowed error, relative to the largest value; it is larger if a loss adds a small number to avoid 0."""
        return 1e-6 if self.upstream else 1e-4 if self.adds_a_little else 1e-5

    @property
    def adds_a_little(self) -> bool:
        """Whether the code mentions a small number, which a loss may add to avoid the logarithm of 0."""
        try:
            text = "".join(inspect.getsource(function) for function in self.functions.values())
        except (OSError, TypeError):
            return True
        return re.search(r"eps|\de-\d|clip", text, re.I) is not None

    @property
    def size(self) -> int:
        """How many numbers the table holds."""
        return sum(np.size(value) for _, value in numbers_in(self.names))

    def replay(self, change: Callable[[Names], None] | None = None) -> Names:
        """Run forward on a copy of the table, after applying `change` to it, and return the copy."""
        names = self.fresh()
        if change is not None:
            change(names)
        self.run(names)
        return names

    def fresh(self) -> Names:
        """Return a copy of the table in which names that shared an object still share it."""
        return copy.deepcopy(self.names)

    def run(self, names: Names) -> None:
        """Run forward on this table."""
        with self._module_holds(names):
            seed_everything()
            self.forward(names)

    def run_back(self, names: Names, dy: Any) -> Any:
        """Run backward on a table after forward."""
        assert self.backward is not None
        with self._module_holds(names):
            return self.backward(names, dy)

    @contextlib.contextmanager
    def _module_holds(self, names: Names) -> Iterator[None]:
        """Put the data of the table into the module, and read it back into the table afterwards."""
        held = names.get(MODULE)
        if self.module is not None and held is not None:
            _give_back(self.module, held)
        with within(_SECONDS):
            yield
        if self.module is not None and held is not None:
            names[MODULE] = data_of(self.module, everything="script" in self.options)


def settle(episode: Episode) -> None:
    """Bring the table into the state of a running training: float64, after one forward pass, no parameter at zero."""
    if episode.module is not None and MODULE not in episode.names:
        known = vars(episode.module).get(AT_FIRST)
        episode.names[MODULE] = data_of(episode.module) if known is None else known
    episode.names = episode.fresh()
    in_float64(episode.names)
    episode.cold = copy.deepcopy(episode.names)
    first = episode.fresh()
    for (
        key
    ) in episode.inputs:  # other numbers, so that stale results of this forward pass can be told from those of the next
        if isinstance(first[key], np.ndarray) and first[key].dtype.kind == "f":
            first[key] = first[key] * 0.5 + 0.3
    episode.run(first)
    for key in episode.names:  # parameters made at the first forward exist from here on
        if key not in episode.given:
            episode.names[key] = first[key]
    episode.names = copy.deepcopy(episode.names)
    in_float64(episode.names)


def data_of(module: ModuleType, *, everything: bool = False) -> Names:
    """Return the global data that a module's functions use: not functions, classes, modules or Python's own names.

    Arrays and tables of more than a few hundred thousand numbers are not copied: they are data, not parameters.
    """
    closed = (type, ModuleType)
    used = _used_by_functions(module)
    data = {
        name: value
        for name, value in vars(module).items()
        if (everything or name in used) and not name.startswith("__") and not isinstance(value, closed) and not callable(value)
        and not _is_large(value) and _copies(value)
    }  # fmt: skip
    kept = {name: vars(value) for name, value in vars(module).items() if inspect.isfunction(value) and vars(value)}
    return data | ({_KEPT: {name: dict(table) for name, table in kept.items()}} if kept else {})


def _is_large(value: Any) -> bool:
    size = getattr(value, "size", 0)
    return isinstance(size, int) and size > _LARGE


def _used_by_functions(module: ModuleType) -> set[str]:
    """Return the global names that the module's functions and methods use."""
    used: set[str] = set()
    values = list(vars(module).values())
    todo: list[Any] = [f.__code__ for f in values if inspect.isfunction(f) and f.__module__ == module.__name__]
    for kind in [k for k in values if inspect.isclass(k) and k.__module__ == module.__name__]:
        todo += [
            getattr(f, "__func__", f).__code__
            for f in vars(kind).values()
            if hasattr(getattr(f, "__func__", f), "__code__")
        ]
    while todo:
        code = todo.pop()
        used |= set(code.co_names)
        todo += [inner for inner in code.co_consts if isinstance(inner, CodeType)]
    return used


def _give_back(module: ModuleType, data: Names) -> None:
    """Restore a module and the attributes of its functions to the state that `data_of` found."""
    vars(module).update({name: value for name, value in data.items() if name != _KEPT})
    for name, value in vars(module).items():
        if inspect.isfunction(value) and value.__module__ == module.__name__:
            vars(value).clear()
            vars(value).update(data.get(_KEPT, {}).get(name, {}))


def _copies(value: Any) -> bool:
    try:
        copy.deepcopy(value)
    except Exception:
        return False
    return True


TROUBLE: dict[str, int] = {}  # errors of calls, and how often each occurred


RAISED: deque[str] = deque(maxlen=8)  # what the last errors said; the errors would keep the arrays of their frames


def note(error: BaseException, weight: int = 1) -> None:
    """Count an error of a call; `weight` counts errors of later stages more."""
    RAISED.append(str(error))
    said = f"{type(error).__name__}: {error}"[:200]
    TROUBLE[said] = TROUBLE.get(said, 0) + weight


def seed_everything() -> None:
    """Make random numbers of the file the same in every pass."""
    random.seed(0)
    np.random.seed(0)  # noqa: NPY002  (it is the file's generator, not ours)


@contextlib.contextmanager
def within(seconds: float) -> Iterator[None]:
    """Raise `TookTooLongError` if the block does not end in time; only the main thread can be interrupted.

    Raises: `OutOfTime` if the deadline has already passed.
    """
    if time.monotonic() > Deadline.at:
        raise OutOfTime
    if threading.current_thread() is not threading.main_thread() or not hasattr(signal, "setitimer"):
        yield
        return

    def ring(number: int, frame: Any) -> None:
        raise TookTooLongError(f"it did not end within {seconds:g} s")

    before, started = signal.signal(signal.SIGALRM, ring), time.monotonic()
    outer, _ = signal.setitimer(signal.ITIMER_REAL, seconds)  # what is left of the time of a block around this one
    if outer:
        signal.setitimer(signal.ITIMER_REAL, min(seconds, outer))
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
        if outer:
            signal.setitimer(signal.ITIMER_REAL, max(outer - (time.monotonic() - started), 1e-6))


_DATA = re.compile(r"_?(x|inputs?|input_data|y_?pred|y_?true|y|t|targets?|labels?)")  # what forward and a loss take


def required(function: Callable[..., Any]) -> list[str]:
    """Return the names of the arguments that must be given."""
    positional = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    found = [p.name for p in _parameters(function) if p.default is p.empty and p.kind in positional]
    if found in ([], ["self"]):  # forward(self, input=None), which raises without an input
        found += [p.name for p in _parameters(function) if p.default is None and _DATA.fullmatch(p.name)]
    handed_on = getattr(getattr(function, "__self__", None), "forward", None)
    if not found and handed_on is not None and getattr(function, "__name__", "") == "__call__":
        return required(handed_on)  # __call__(*args, **kwargs) passes them on
    return found


def optional(function: Callable[..., Any]) -> list[str]:
    """Return the names of the arguments that may be left out."""
    needed = required(function)
    return [p.name for p in _parameters(function) if p.default is not p.empty and p.name not in needed]


def _parameters(function: Callable[..., Any]) -> list[inspect.Parameter]:
    try:
        return list(inspect.signature(function).parameters.values())
    except (TypeError, ValueError):
        return []


def changes(before: dict[Path, Any], names: Names) -> dict[Path, Any]:
    """Return the numbers reachable from `names` that are new or have changed since `before`, made by `remembered`."""
    found = {}
    for path, value in numbers_in(names):
        old = before.get(path)
        if old is None or np.shape(old) != np.shape(value) or not np.array_equal(old, value, equal_nan=True):
            found[path] = value
    return found


def remembered(names: Names) -> dict[Path, Any]:
    """Return a copy of every reachable number, by its path."""
    return {path: np.copy(value) for path, value in numbers_in(names)}
