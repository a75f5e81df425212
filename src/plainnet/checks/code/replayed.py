"""Calls as the author's program makes them: a backward pass is run again with its own arguments, after what preceded it.

Nothing is guessed from names. An argument that forward returned is known by its identity, and so are a parameter that both
take and an object that both belong to. What remains is the gradient from above, if it has the shape of the output, or data.
"""

from __future__ import annotations

import copy
import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from types import FunctionType, ModuleType
from typing import Any

import numpy as np

from plainnet.checks.code.binding import DY, GIVEN, OUT, REPLAYED, Call
from plainnet.checks.code.episode import MODULE, Episode, Names, note, within
from plainnet.checks.code.looks import BACK, FORWARD, TRAIN
from plainnet.checks.code.recording import tape_of
from plainnet.checks.code.roles import role_of
from plainnet.checks.code.tape import Event, Tape

_MOST_BEFORE = 6  # calls before a backward pass
_MOST_REPLAYED = 4  # calls of one backward pass
_DEEPEST, _MOST_PARTS = 3, 50  # of lists in what a function returned
_PLAIN = (int, float, complex, str, bytes, type(None), type, FunctionType, ModuleType, np.generic)  # fmt: skip


@dataclass
class _Replay:
    """The calls before a backward pass and the table of their arguments, put together one by one."""

    names: Names = field(default_factory=dict)
    calls: list[tuple[Call, list[tuple[str, tuple[Any, ...]]]]] = field(default_factory=list)
    known: dict[int, str] = field(default_factory=dict)  # the key of a value that the program holds, by its identity
    kept: dict[str, tuple[int, tuple[Any, ...]]] = field(default_factory=dict)  # results: number of the call, and place

    def add(self, event: Event) -> None:
        """Add a call before the backward pass."""
        copies = _copies(event)
        arguments = []
        for parameter, value in event.arguments.items():
            key = self.known.get(id(value)) if _is_held(value) else None
            if key is None:
                key = self._key_of(parameter, value)
                self.names[key] = copies.get(parameter)
                self.known[id(value)] = key
            self.uses(key)
            arguments.append((parameter, key))
        if event.is_method and "self" not in self.names:
            self.names["self"] = copies["self"]
        self.names.setdefault(MODULE, copies.get(MODULE, {}))
        self.calls.append((_call(event, arguments), []))
        for place, value in parts_of(event.returned):
            if id(value) not in self.known:
                self.known[id(value)] = key = f"<result {len(self.calls)}{''.join(map(str, place))}>"
                self.kept[key] = len(self.calls) - 1, place

    def uses(self, key: str) -> None:
        """Keep a result under its key, because a later call takes it."""
        if key in self.kept:
            number, place = self.kept.pop(key)
            self.calls[number][1].append((key, place))

    def _key_of(self, parameter: str, value: Any) -> str:
        role = role_of(parameter)
        is_array = isinstance(value, np.ndarray) or (isinstance(value, list) and isinstance(_first(value), float | int))
        if is_array and "x" not in self.names and role not in ("weight", "bias", "parameters", "target"):
            return "x"
        if is_array and "t" not in self.names and role == "target":
            return "t"
        numbered = (f"{parameter}{mark}" for mark in itertools.chain([""], (f" {n}" for n in itertools.count(2))))
        return next(key for key in numbered if key not in self.names and key not in ("x", "t"))

    def forward(self) -> Callable[[Names], None]:
        """Return the function that makes all calls before the backward pass."""
        calls = [(call, tuple(kept)) for call, kept in self.calls]

        def run(table: Names) -> None:
            for call, kept in calls:
                value = call.run(table)
                for key, place in kept:
                    table[key] = _at(value, place)

        return run


def episodes_replayed(module: ModuleType, name: str, back: str, kind: type | None = None) -> Iterator[Episode]:
    """Yield ways to run a backward pass as the author's program runs it."""
    tape = tape_of(module)
    if tape is None:
        return
    for event in calls_of(tape, back, kind):
        try:
            yield from _after_forward(tape, event, module, name, back)
        except Exception as error:
            note(error)


def calls_of(tape: Tape, back: str, kind: type | None) -> list[Event]:
    """Return recorded calls of a function, perhaps interrupted ones, of different objects first."""
    calls = [
        event
        for event in tape.events
        if event.copies is not None
        and event.called == back
        and (not event.is_method if kind is None else isinstance(event.owner, kind))
    ]
    firsts = {id(event.owner): event for event in reversed(calls)}.values()
    return [*sorted(firsts, key=calls.index), *(event for event in calls if event not in firsts)][:_MOST_REPLAYED]


def _after_forward(tape: Tape, event: Event, module: ModuleType, name: str, back: str) -> Iterator[Episode]:
    """Yield the ways to run one recorded call, its unknown arrays as the gradient from above, or as a target."""
    before = _before(tape, event)
    if not before:
        return
    replay = _Replay()
    for one in before:
        replay.add(one)
    known, copies = dict(replay.known), _copies(event)
    links = {p: known[id(v)] for p, v in event.arguments.items() if _is_held(v) and id(v) in known}
    for key in links.values():
        replay.uses(key)
    trial = copy.deepcopy(replay.names)
    forward = replay.forward()
    with within(4), np.errstate(all="ignore"):
        forward(trial)
    shapes = {np.shape(trial[key]) for key in (OUT,) if key in trial}
    free = [p for p in event.arguments if p not in links]
    like_output = [p for p in free if _is_floats(event.arguments[p]) and np.shape(copies[p]) in shapes]
    of_any_output = {value.shape for _, value in parts_of(before[-1].returned) if _is_floats(value)}
    from_above = [p for p in free if _is_floats(event.arguments[p]) and np.shape(copies[p]) in of_any_output]
    if len([p for p in from_above if role_of(p) not in ("target", "weight", "bias")]) > 1:  # the judge gives only one
        return
    for upstream in [*sorted(like_output, key=lambda p: role_of(p) == "target"), None]:
        names, keys = dict(replay.names), dict(links)
        for p in sorted(free, key=lambda p: role_of(p) != "target"):
            may_be_target = role_of(p) == "target" or (upstream is None and p in like_output)
            keys[p] = DY if p == upstream else "t" if may_be_target and "t" not in names else f"{p}{GIVEN}"
            if keys[p] != DY:
                names[keys[p]] = copies[p]
        yield _episode(replay, forward, names, _call(event, list(keys.items())), module, name, back, before, event)


def _episode(
    replay: _Replay, forward: Callable[[Names], None], names: Names, call: Call, module: ModuleType, name: str, back: str,
    before: list[Event], event: Event,
) -> Episode:  # fmt: skip
    def backward(table: Names, dy: Any) -> Any:
        table[DY] = dy
        return call.gradients(table)

    used = {key for one, _ in replay.calls for key in one.keys}
    given = {key for key in names if key in ("x", "t") or key.endswith(GIVEN)}
    given |= {key for key in used if role_of(key.partition(" ")[0]) in ("input", "target", "output")}
    x = np.shape(names.get("x", 0.0))
    rate = next(
        (float(names[k]) for p, k in call.arguments if role_of(p) == "rate" and np.isscalar(names.get(k))), None
    )
    made = [type(e.owner).__name__ if e.is_method else e.name for e in before]
    return Episode(
        name, "class" if event.is_method else "functions", f"as the program calls it, x {x}", names, forward, backward,
        {"forward": before[0].function, "backward": event.function}, upstream=DY in call.keys,
        given=frozenset(given), inputs=("x",) if "x" in names else (), batch=batch_of(names), rate=rate or None, module=module,
        way=(REPLAYED, *made, back, *call.arguments),
    )  # fmt: skip


def _before(tape: Tape, event: Event) -> list[Event]:
    """Return the calls on which a backward pass depends, in order.

    They are those of its object beside it, or those that made its arguments; otherwise the first call inside it.
    """
    useful = [e for e in tape.events if e.done and e.copies and not is_backward(e) and _does_something(e)]
    earlier = [other for other in useful if other.started < event.started]
    inside = [other for other in useful if is_within(other, event) and other.owner is event.owner][:1]
    if not event.is_method:
        return _makers(earlier, event) or inside or _changers(earlier, event)[-1:]
    same = [other for other in earlier if other.owner is event.owner and other.called != "__init__"]
    beside = [other for other in same if other.parent is event.parent] or ([] if inside else same)
    outer = [other for other in beside if not any(other is not one and is_within(other, one) for one in beside)]
    return _last_round(outer) or inside


def _is_held(value: Any) -> bool:
    """Return whether a value is known by its identity: plain values may be the same by chance."""
    return not isinstance(value, _PLAIN)


def _does_something(event: Event) -> bool:
    return event.returned is not None or (event.is_method and FORWARD.match(event.called) is not None)


def _changers(earlier: list[Event], event: Event) -> list[Event]:
    """Return the calls that took an object, a list or a table which a later call takes, and may have changed it."""
    held = [v for v in event.arguments.values() if _is_held(v) and not isinstance(v, np.ndarray)]
    return [e for e in earlier if any(value is one for value in e.arguments.values() for one in held)]


def _makers(earlier: list[Event], event: Event) -> list[Event]:
    """Return the calls that made the arguments of a call, in order; if there are several, also those that made theirs."""
    chosen = _direct_makers(earlier, [event])
    while 1 < len(chosen) < _MOST_BEFORE:
        more = [
            e for e in _direct_makers(earlier, chosen) if e not in chosen and any(map(_is_held, e.arguments.values()))
        ]
        if not more:
            break
        chosen += more
    return sorted(chosen, key=lambda other: other.started)


def _direct_makers(earlier: list[Event], events: list[Event]) -> list[Event]:
    """Return the calls that returned an argument of other calls: of several, the last one with the least around it."""
    found: list[Event] = []
    for argument in [value for event in events for value in event.arguments.values() if _is_held(value)]:
        makers = [
            (len(place), -other.started, other)
            for other in earlier
            for place, value in parts_of(other.returned)
            if value is argument and not any(value is given for given in other.arguments.values())
        ]
        maker = min(makers, key=lambda one: one[:2])[2] if makers else None
        if maker is not None and maker not in found and maker not in events:
            found.append(maker)
    return found


def _last_round(calls: list[Event]) -> list[Event]:
    """Return the last calls, from the last one of the function that was called first since the last backward pass."""
    if not calls:
        return []
    last = calls[-_MOST_BEFORE:]
    names = [call.name for call in last]
    start = max((i for i, name in enumerate(names) if name == names[-1] and i < len(names) - 1), default=-1)
    return last[start + 1 :]


def is_backward(event: Event) -> bool:
    """Return whether the name of a function says that it computes gradients or trains."""
    name = event.called
    return bool(BACK.match(name) or TRAIN.match(name))


def is_within(event: Event, other: Event) -> bool:
    """Return whether a call happens inside another."""
    parent = event.parent
    while parent is not None and parent is not other:
        parent = parent.parent
    return parent is other


def parts_of(value: Any, place: tuple[Any, ...] = ()) -> Iterator[tuple[tuple[Any, ...], Any]]:
    """Yield the containers, arrays and objects in what a function returned, with their places."""
    if _is_held(value):
        yield place, value
        inside = (
            value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list | tuple) else ()
        )
        for key, inner in itertools.islice(inside, _MOST_PARTS) if len(place) < _DEEPEST else ():
            yield from parts_of(inner, (*place, key))


def _at(value: Any, place: tuple[Any, ...]) -> Any:
    for key in place:
        value = value[key]
    return value


def _first(value: Any) -> Any:
    """Return the first element of nested lists."""
    while isinstance(value, list) and value:
        value = value[0]
    return value


def _copies(event: Event) -> Names:
    assert event.copies is not None
    return copy.deepcopy(event.copies)


def _call(event: Event, arguments: list[tuple[str, str]]) -> Call:
    return Call(event.called if event.is_method else event.function, tuple(arguments))


def _is_floats(value: Any) -> bool:
    return isinstance(value, np.ndarray) and value.dtype.kind == "f"


def batch_of(names: Names) -> int:
    """Return the number of examples: the size of an axis of the input that the target shares, otherwise of the first."""
    x, t = np.shape(names.get("x", 0.0)), np.shape(names.get("t", 0.0))
    shared = [size for size in (x[:1] + x[-1:] if len(x) > 1 else ()) if size in (t[:1] + t[-1:])]
    return (shared or list(x[:1]) if len(x) > 1 else [1])[0]
