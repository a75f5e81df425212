"""Functions with a backward pass: pairs of forward and backward, and functions that return a loss with its gradients."""

from __future__ import annotations

import copy
import itertools
import re
from collections.abc import Callable, Iterator
from types import ModuleType
from typing import Any

import numpy as np

from plainnet.checks.code.beside import functions_in_the_folder, imported_functions
from plainnet.checks.code.binding import DY, FURTHER, LOSS, OUT, Call, own_functions, ways
from plainnet.checks.code.episode import Episode, Names, note, required, within
from plainnet.checks.code.implied import implied_forwards
from plainnet.checks.code.implied_course import course_forwards
from plainnet.checks.code.looks import BACK, LOSS_NAME, returns_gradients
from plainnet.checks.code.recording import BATCH, starts_seen, tape_of
from plainnet.checks.code.recurrent_starts import HIDDEN
from plainnet.checks.code.replayed import episodes_replayed
from plainnet.checks.code.resizing import with_sizes_that_fit
from plainnet.checks.code.roles import D, M, N, returned_names, role_of
from plainnet.checks.code.starting import KIND, starts
from plainnet.checks.code.targets import targets_like
from plainnet.checks.code.trained import episodes_trained

_FORWARD = re.compile(r"forward|fprop|feed|predict|propagat|hypothesis|model|net|activation|output", re.I)
_PASSES = re.compile(r"forward|fprop|feed|predict|loss|cost", re.I)
_BACK_WORDS = r"_?(back(ward)?s?(_?prop(agat\w+)?)?|bprop|gradients?|grads?|deriv\w*|prime)_?"
_FORWARD_WORDS = r"_?(for(ward)?s?(_?prop(agat\w+)?)?|fprop|feed_?forward)_?"
_MOST_STARTS = 800  # most of them do not run


def passes_of_module(module: ModuleType) -> list[str]:
    """Return the functions that look like backward passes, or that return a loss and gradients."""
    functions = own_functions(module)
    found = []
    for name, function in functions.items():
        if re.search(
            r"check|numerical|clip|update|plot|test|descent|zero|no_grad|enabled|dictionary_to|gradients?_to",
            name,
            re.I,
        ):
            continue
        if BACK.match(name) or returns_gradients(function):
            found.append(name)
    return found


def episodes_of_function(
    module: ModuleType,
    back: str,
    chains: list[tuple[str, ...]] | None = None,
    more: dict[str, Callable[..., Any]] | None = None,
) -> Iterator[Episode]:
    """Yield ways to run a function that looks like a backward pass, likeliest first; `more` are functions made from others."""
    seen = tape_of(module) is not None
    if seen:  # guesses have failed before
        yield from episodes_replayed(module, back, back)
        yield from episodes_trained(module, back, back)
    functions = imported_functions(module) | own_functions(module) | (more or {})
    alone = not any(_same_stem(name, back) for name in functions if name != back and not BACK.match(name))
    if alone and (not takes_no_cache(functions[back]) or not any(map(_PASSES.search, functions))):
        functions = functions_in_the_folder(module) | functions
    implied = implied_forwards(functions[back]) if chains is None else {}
    course = course_forwards(back, functions) if chains is None else {}
    chains = chains or [*_chains(functions | course, back), *((name,) for name in implied)]
    functions |= implied | course
    has_its_own = any(_same_stem(name, back) for name in functions if name != back)
    for forward in chains:
        of_a_loss = len(forward) == 1 and bool(LOSS_NAME.match(forward[0])) and not has_its_own
        belongs = of_a_loss or (_same_stem(forward[0], back) if forward else returns_gradients(functions[back]))

        def bound(start: Names, forward: tuple[str, ...] = forward, belongs: bool = belongs) -> Iterator[Episode]:
            for episode in _bound(module, functions, start, forward, back):
                episode.belongs = belongs and not re.search(r"deriv|prime", back, re.I)
                yield episode

        if seen:
            yield from itertools.chain.from_iterable(map(bound, starts_seen(module, (forward or (back,))[0], back)))
            continue
        ran = False
        for start in itertools.islice(starts(functions, forward or (back,), back), _MOST_STARTS):
            for episode in bound(start):
                ran = True
                yield episode
        if not ran:
            yield from with_sizes_that_fit(starts(functions, forward or (back,), back), bound)


def _same_stem(forward: str, back: str) -> bool:
    stem = re.sub(_BACK_WORDS, "#", back, flags=re.I)
    plain = re.sub(_FORWARD_WORDS, "#", forward, flags=re.I)
    return plain in (stem, stem.replace("#", ""), stem.strip("#") + "#", "#" + stem.strip("#"))


def _chains(functions: dict[str, Callable[..., Any]], back: str) -> list[tuple[str, ...]]:
    """Return the calls that may precede the backward pass, likeliest first: a function of the same stem, and a loss after it."""
    if returns_gradients(functions[back]):
        return [()]
    losses = [
        name
        for name in functions
        if LOSS_NAME.match(name) and name != back and not BACK.match(name) and not returns_gradients(functions[name])
    ]
    found: list[tuple[str, ...]] = []
    for name in functions:
        if name != back and name not in losses and not BACK.match(name) and _same_stem(name, back):
            found.append((name,))
    for name in functions if not found else ():  # if no forward pass has its name
        if (
            _FORWARD.search(name)
            and name != back
            and not BACK.match(name)
            and name not in losses
            and (name,) not in found
        ):
            found.append((name,))
    found = found[:4]
    chains = [(*chain, loss) for chain in found for loss in losses[:2]] + found
    if takes_no_cache(functions[back]):
        chains += [(loss,) for loss in losses[:3]]
    return [*chains, ()]


def takes_no_cache(function: Callable[..., Any]) -> bool:
    """Return whether a function needs no cache from forward."""
    return not any(role_of(name) == "cache" for name in required(function))


def _bound(
    module: ModuleType, functions: dict[str, Callable[..., Any]], start: Names, forward: tuple[str, ...], back: str
) -> Iterator[Episode]:
    """Yield the episodes from one start, for every way to fill the arguments of the functions."""
    chain = [functions[name] for name in forward or (back,)]
    given_data = {
        key
        for key in start
        if (role_of(key) in ("input", "target", "output") or HIDDEN.search(key)) and isinstance(start[key], np.ndarray)
    }
    targets: list[Any] = [None]
    run = copy.deepcopy(start)
    calls: list[Call] = []
    for position, function in enumerate(chain):
        done = False
        wants_target = "t" not in run and any(role_of(p) == "target" for p in required(function) if p not in run)
        if wants_target and position:
            yield from _with_targets(module, functions, start, run, forward, back)
            return
        for arguments in ways(function, run):
            trial = copy.deepcopy(run)
            call = Call(function, arguments)
            try:
                with within(4), np.errstate(all="ignore"):
                    call.run(trial)
            except Exception as error:
                note(error)
                continue
            calls.append(call)
            run, done = trial, True
            break
        if not done:
            return
    if not forward:
        if LOSS in run or ("t" in run and OUT in run and _returns_both(functions[back])):
            yield _episode(module, functions, start, calls, None, back, given_data, run)
        return
    wanted = [p for p in required(functions[back]) if role_of(p) == "target" and p not in run]
    if wanted and "t" not in run:
        shape = np.shape(run[OUT]) if OUT in run else ()
        targets = list(targets_like(shape))
        for name in ("AL", "A2", "A3", "y_hat"):
            if name in run and np.shape(run[name]) != shape:
                targets += list(targets_like(np.shape(run[name])))
        last = [value for key, value in run.items() if isinstance(value, np.ndarray) and key not in start]
        for value in last[-2:]:
            if value.shape != shape:
                targets += list(targets_like(value.shape))
    for kind, target in enumerate(targets):
        table = run if target is None else run | {"t": target}
        for arguments in ways(functions[back], table, back=True):
            call = Call(functions[back], arguments)
            if LOSS in run and DY in call.keys:
                continue
            begin = start if target is None else start | {"t": target, KIND: kind}
            yield _episode(module, functions, begin, calls, call, back, given_data | {"t"}, table)


def _returns_both(function: Callable[..., Any]) -> bool:
    """Return whether a function returns both its output and gradients."""
    speak = r"d_?[A-Za-z]\w*|grad\w*|\w*_grad|update\w*|delta\w*"
    returned = [[bool(re.fullmatch(speak, name)) for name in names] for names in returned_names(function)]
    return any(any(said) and not all(said) for said in returned)


def _with_targets(
    module: ModuleType,
    functions: dict[str, Callable[..., Any]],
    start: Names,
    run: Names,
    forward: tuple[str, ...],
    back: str,
) -> Iterator[Episode]:
    """Start again with every kind of target that fits the output so far."""
    shape = np.shape(run[OUT]) if OUT in run else ()
    for kind, target in enumerate(targets_like(shape)):
        yield from _bound(module, functions, start | {"t": target, KIND: kind}, forward, back)


def _episode(
    module: ModuleType, functions: dict[str, Callable[..., Any]], start: Names, calls: list[Call], call: Call | None, back: str,
    given: set[str], table: Names,
) -> Episode:  # fmt: skip
    def forward_all(names: Names, calls: tuple[Call, ...] = tuple(calls)) -> None:
        for one in calls:
            one.run(names)

    def backward(names: Names, dy: Any) -> Any:
        names[DY] = dy
        assert call is not None
        return call.gradients(names)

    used = set().union(*(one.keys for one in [*calls, *([call] if call else [])]))
    constants = {
        key: table[key]
        for key in used
        if key in table
        and key not in start
        and np.isscalar(table[key])
        and not key.startswith("<")
        and key not in ("t",)
        and role_of(key) not in ("output", "target", "input", "")
    }
    constants |= {key: table[key] for key in used if key.startswith(FURTHER)}
    label = ", ".join(
        f"{key} {value.shape}" if isinstance(value, np.ndarray) else f"{key}={value!r}"[:40]
        for key, value in start.items()
        if not key.startswith("<") and not isinstance(value, dict | list)
    )
    sizes = np.shape(start.get("x", 0.0))
    square = any(isinstance(value, np.ndarray) and value.shape == (D, D) for value in start.values())
    arrays = sorted(
        (key, _not_square(value.shape) if square else value.shape)
        for key, value in start.items()
        if isinstance(value, np.ndarray)
    )
    way = (
        *calls_of(calls),
        *((call.arguments) if call else ()),
        *arrays,
        sizes.index(N) if N in sizes else None,
        start.get(KIND),
        _kind_of(start.get("t")),
    )
    return Episode(
        back, "functions", label, start | constants, forward_all, None if call is None else backward,
        {"forward": functions_of(calls)[0], "backward": functions[back]},
        upstream=call is not None and DY in call.keys, given=frozenset(given | set(constants)),
        inputs=_inputs(start, given),
        batch=start.get(BATCH) or (N if N in sizes else sizes[0] if len(sizes) > 2 else 1),
        rate=next((0.1 for key, _ in (call.arguments if call else ()) if role_of(key) == "rate"), None), module=module, way=way,
    )  # fmt: skip


def _kind_of(target: Any) -> str:
    """Return the kind of a target: classes, yes and no, or numbers."""
    t = np.asarray(0 if target is None else target)
    if t.dtype.kind != "f":
        return "classes"
    return "yes and no" if np.isin(t, (0, 1)).all() else "numbers"


def _not_square(shape: tuple[int, ...]) -> tuple[int, ...]:
    """Return the shape that a parameter of a square layer would have if the layer were not square."""
    return {(D, D): (D, M), (D,): (M,), (D, 1): (M, 1), (1, D): (1, M)}.get(shape, shape)


def _inputs(start: Names, given: set[str]) -> tuple[str, ...]:
    """Return the names of the data that may need a gradient: the inputs, or the outputs that a loss gets.

    The first state of a sequence needs none.
    """
    keys = [key for key in ("x", *sorted(given)) if np.ndim(start.get("x", 0.0)) != 3 or not HIDDEN.search(key)]
    return tuple(k for k in keys if k in start and role_of(k) == "input") or tuple(
        k for k in keys if k in start and role_of(k) == "output"
    )


def calls_of(calls: list[Call]) -> Iterator[tuple[Any, ...]]:
    """Yield each called function with the names of its arguments."""
    for call in calls:
        yield getattr(call.function, "__name__", call.function), call.arguments


def functions_of(calls: list[Call]) -> list[Callable[..., Any]]:
    """Return the functions that are called."""
    return [call.function for call in calls if not isinstance(call.function, str)]
