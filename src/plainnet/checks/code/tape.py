"""A tape of a program: the calls of the author's functions in order, with copies of their arguments and what they returned.

The copies show how the author calls a function: with which objects, sizes and layouts. The values that the program holds
itself show, by their identity, where each argument comes from: a cache, for example, is what the forward pass returned.
"""

from __future__ import annotations

import copy
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from types import CodeType, FrameType, ModuleType
from typing import Any

import numpy as np

from plainnet.checks.code.episode import MODULE, Names, data_of
from plainnet.checks.code.looks import OWN
from plainnet.checks.code.values import numbers_in

_MOST_COPIES = 2  # of the arguments of one function, for one object
_MOST_OBJECTS = 4  # of one class
_MOST_NUMBERS = 3_000_000  # in copied arguments
_MOST_EVENTS, _MOST_REPEATED = 4000, 400  # calls, and calls in a row of which nothing is kept
_FEW = 12  # examples that are kept of large data


class Enough(BaseException):
    """The tape holds what is wanted; the program need not go on."""


@dataclass(eq=False)
class Event:
    """One call: its function, the object of a method, the arguments as the program holds them, and copies from the start of the call.

    Later calls of a function are recorded without any of these.

    `started` counts the calls before it.
    """

    name: str
    called: str  # without the class
    function: Callable[..., Any]
    owner: Any
    arguments: Names
    parent: Event | None
    started: int
    copies: Names | None = None
    returned: Any = None
    done: bool = False

    @property
    def is_method(self) -> bool:
        """Whether it is a call of a method of an object."""
        return self.owner is not None


@dataclass
class Tape:
    """The recorded calls; recording ends after `seconds`, or when every function in `wanted` has been recorded."""

    module: ModuleType
    wanted: set[str] = field(default_factory=set)
    seconds: float = 15.0
    events: list[Event] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._until = time.monotonic() + self.seconds
        self._open: list[tuple[FrameType, Event]] = []
        self._copied: Counter[tuple[CodeType, int]] = Counter()
        self._objects: dict[CodeType, set[int]] = {}
        self._functions: dict[CodeType, tuple[str, Callable[..., Any] | None]] = {}
        self._kept_of: Counter[str] = Counter()
        self._last_kept = 0

    @contextmanager
    def recording(self) -> Iterator[None]:
        """Record the calls in the block.

        Raises: `Enough` in the block, when it may end.
        """
        self._open.clear()
        sys.setprofile(self._notice)
        try:
            yield
        finally:
            sys.setprofile(None)

    def calls(self, name: str) -> list[Event]:
        """Return the calls of a function, or of a method given as "Class.method", whose arguments were copied."""
        return [event for event in self.events if event.name == name and event.copies is not None]

    def _notice(self, frame: FrameType, kind: str, value: Any) -> None:
        if kind == "call":
            with suppress(Exception):  # an error of the recording is none of the program
                self._begin(frame)
        elif kind == "return" and self._open and self._open[-1][0] is frame:
            event = self._open.pop()[1]
            event.done = True
            event.returned = value if event.copies is not None else None
            if self._is_enough(event):
                sys.setprofile(None)
                raise Enough

    def _is_enough(self, event: Event) -> bool:
        repeated = len(self.events) - self._last_kept > _MOST_REPEATED and any(self._kept_of[n] for n in self.wanted)
        if repeated or time.monotonic() > self._until or len(self.events) >= _MOST_EVENTS:
            return True
        if self._kept_of[event.name] >= _MOST_COPIES:
            self.wanted.discard(event.name)
        return not self.wanted

    def _begin(self, frame: FrameType) -> None:
        code = frame.f_code
        if OWN not in frame.f_globals:
            return
        if code not in self._functions:
            self._functions[code] = _function_of(frame)
        called, function = self._functions[code]
        if function is None:
            return
        named = code.co_varnames[: code.co_argcount + code.co_kwonlyargcount]
        arguments = {name: frame.f_locals[name] for name in named if name in frame.f_locals}
        owner = arguments.pop("self", None)
        name = called if owner is None else f"{type(owner).__name__}.{called}"
        parent = self._open[-1][1] if self._open else None
        event = Event(name, called, function, owner, arguments, parent, len(self.events))
        objects = self._objects.setdefault(code, set())
        if self._copied[code, id(owner)] < _MOST_COPIES and len(objects | {id(owner)}) <= _MOST_OBJECTS:
            self._copied[code, id(owner)] += 1
            objects.add(id(owner))
            event.copies, self._last_kept = self._copies(event), len(self.events)
            self._kept_of[name] += event.copies is not None
        if event.copies is None:  # what is not kept need not stay in memory
            event.arguments, event.owner = {}, None
        self.events.append(event)
        self._open.append((frame, event))

    def _copies(self, event: Event) -> Names | None:
        """Return copies of the arguments and of the module's data; None if they are too large or cannot be copied."""
        table = with_few_examples(event.arguments)
        if event.owner is not None:
            table["self"] = event.owner
        if sum(np.size(value) for _, value in numbers_in(table)) > _MOST_NUMBERS:
            return None
        try:
            return copy.deepcopy(table | {MODULE: data_of(self.module)})
        except Exception:
            return None


def with_few_examples(arguments: Names) -> Names:
    """Return the arguments, large data cut to a few examples: along the first axis, or along the last if that is longer."""
    arrays = {name: value for name, value in arguments.items() if isinstance(value, np.ndarray) and value.ndim}
    if sum(value.size for value in arrays.values()) <= _MOST_NUMBERS // 10:
        return dict(arguments)
    longest = max(max(value.shape[0], value.shape[-1]) for value in arrays.values())
    cut = {
        name: value[:_FEW] if value.shape[0] == longest else value[..., :_FEW]
        for name, value in arrays.items()
        if longest in (value.shape[0], value.shape[-1])
    }
    return arguments | cut


def _function_of(frame: FrameType) -> tuple[str, Callable[..., Any] | None]:
    """Return the name and the function that runs in a frame, or the method; None if the author's module or class does not hold it."""
    code = frame.f_code
    owner = frame.f_locals.get("self") if code.co_varnames[:1] == ("self",) else None
    holders = [] if owner is None else [(f"_{base.__name__.lstrip('_')}", base) for base in type(owner).__mro__]
    private = code.co_name.startswith("__") and not code.co_name.endswith("__")
    for mark, base in holders:
        name = mark + code.co_name if private else code.co_name
        found = vars(base).get(name)
        function = getattr(found, "__func__", found)
        if getattr(function, "__code__", None) is code:
            return name, function
    found = None if owner is not None else frame.f_globals.get(code.co_name)
    return code.co_name, found if getattr(found, "__code__", None) is code else None
