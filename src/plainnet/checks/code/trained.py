"""Methods and functions that train: one recorded call is run again, and what it changes is compared with the gradient.

The output is what the forward pass returned inside the call, before anything changed. The call is run on one example
first, because it may make one step for each example.
"""

from __future__ import annotations

import copy
import sys
from collections import Counter
from collections.abc import Iterator
from types import CodeType, FrameType, ModuleType
from typing import Any

import numpy as np

from plainnet.checks.code.binding import OUTPUT, Call
from plainnet.checks.code.episode import Episode, Names
from plainnet.checks.code.looks import LOSS_NAME
from plainnet.checks.code.loops import LOSS_WORD
from plainnet.checks.code.recording import tape_of
from plainnet.checks.code.replayed import batch_of, calls_of, is_backward, is_within, parts_of
from plainnet.checks.code.roles import role_of
from plainnet.checks.code.tape import Event

_MOST_FORWARD = 4  # functions whose results may be the output
_SEVERAL = 64  # examples


def episodes_trained(module: ModuleType, name: str, back: str, kind: type | None = None) -> Iterator[Episode]:
    """Yield ways to run a method or function that trains, as the author's program runs it."""
    tape = tape_of(module)
    if tape is None:
        return
    for event in calls_of(tape, back, kind):
        inside = [e for e in tape.events if e.done and e.copies and is_within(e, event) and _may_be_forward(e)]
        outer = [other for other in inside if not any(other is not one and is_within(other, one) for one in inside)]
        for names in _steps(copy.deepcopy(event.copies or {})) if outer else ():
            yield _episode(event, names, outer, module, name)


def _may_be_forward(event: Event) -> bool:
    name = event.called
    return not is_backward(event) and not LOSS_NAME.match(name) and name != "__init__" and any(_outputs(event.returned))


def _outputs(returned: Any) -> list[tuple[tuple[Any, ...], np.ndarray]]:
    """Return the float arrays in what a function returned, with their places; a list of numbers is an array too."""
    found: list[tuple[tuple[Any, ...], np.ndarray]] = []
    for place, value in parts_of(returned):
        try:
            array = np.asarray(value) if not isinstance(value, dict) else np.empty(0)
        except ValueError:  # a ragged list
            continue
        if array.dtype.kind == "f" and array.size and not any(place[: len(above)] == above for above, _ in found):
            found.append((place, array))
    return found


def _episode(event: Event, names: Names, forward: list[Event], module: ModuleType, name: str) -> Episode:
    codes = {other.function.__code__: other.name for other in reversed(forward)}
    codes = dict(list(codes.items())[-_MOST_FORWARD:])
    targets = [p for p in event.arguments if role_of(p) == "target"]
    arguments = tuple((p, p) for p in event.arguments)
    call = Call(event.called if event.is_method else event.function, arguments)
    for key, p in [("x", next(iter(event.arguments), "")), ("t", next(iter(targets), ""))]:
        if isinstance(names.get(p), np.ndarray):
            names[key] = names[p]

    def run(table: Names) -> None:
        returned: dict[CodeType, Any] = {}
        outer = sys.getprofile()

        def notice(frame: FrameType, kind: Any, value: Any) -> None:
            if outer is not None:
                outer(frame, kind, value)
            if kind == "return" and frame.f_code in codes:
                returned.setdefault(frame.f_code, copy.deepcopy(value))

        sys.setprofile(notice)
        try:
            call.run(table)
        finally:
            sys.setprofile(outer)
        for code, value in returned.items():
            for place, array in _outputs(value):
                table[f"{OUTPUT}{codes[code]}{''.join(map(str, place))}>"] = array

    return Episode(
        name, "class" if event.is_method else "functions", f"as the program calls it, x {np.shape(names.get('x', 0.0))}", names,
        run, None, {"forward": forward[0].function, "backward": event.function}, given=frozenset([*event.arguments, "x", "t"]),
        batch=batch_of(names), module=module, way=("trained", event.name, batch_of(names), *arguments),
        options={"script": True, "loss": LOSS_WORD, "differences": []},
    )  # fmt: skip


def _steps(names: Names) -> Iterator[Names]:
    """Yield the arguments for one epoch, on one example and on several."""
    for holder in (names, getattr(names.get("self"), "__dict__", {})):
        for key, value in list(holder.items()):
            if type(value) is int and value > 1 and role_of(key) == "epochs":
                holder[key] = 1
    lengths = Counter(
        len(value)
        for key, value in names.items()
        if isinstance(value, list) or (isinstance(value, np.ndarray) and value.ndim)
    )
    rows = max((n for n, count in lengths.items() if n > 1 and (count > 1 or len(lengths) == 1)), default=0)
    for few in (1, min(_SEVERAL, rows)) if rows else (rows,):
        yield {
            key: value[:few] if few and isinstance(value, np.ndarray | list) and len(value) == rows else value
            for key, value in copy.deepcopy(names).items()
        }
