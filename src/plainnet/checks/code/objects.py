"""Classes with a backward pass: make an object of the class, and find ways to call its methods."""

from __future__ import annotations

import copy
import re
from collections.abc import Callable, Iterator
from types import ModuleType
from typing import Any

import numpy as np

from plainnet.checks.code.assembling import assemble
from plainnet.checks.code.binding import DY, LOSS, OUT, Call, ways
from plainnet.checks.code.collaborators import Descent, give_optimizers
from plainnet.checks.code.constructing import constructions
from plainnet.checks.code.episode import MODULE, Episode, Names, note, optional, required, within
from plainnet.checks.code.input_shapes import indices_for, shapes_for
from plainnet.checks.code.looks import BACK, FORWARD, LOSS_NAME, TRAIN, methods_of, passes_beside
from plainnet.checks.code.recording import BATCH, starts_seen, tape_of
from plainnet.checks.code.recurrent_starts import is_a_sequence, states_for
from plainnet.checks.code.replayed import episodes_replayed
from plainnet.checks.code.roles import RATE, D, K, M, N, random, role_of
from plainnet.checks.code.targets import targets_like
from plainnet.checks.code.trained import episodes_trained
from plainnet.checks.code.uses import use_of
from plainnet.checks.code.values import numbers_in

_STEPPED = {"input": [0, 2, 1, 3], "target": [2, 1, 3, 0]}  # classes in a sequence, and those that follow


def episodes_of_class(
    kind: type, module: ModuleType, back: str, forwards: list[tuple[str, ...]] | None = None
) -> Iterator[Episode]:
    """Yield ways to run a method that looks like a backward pass, likeliest first, with the methods that share its work."""
    methods = methods_of(kind)
    if tape_of(module) is not None:  # guesses have failed before
        yield from episodes_replayed(module, kind.__name__, back, kind)
        yield from episodes_trained(module, kind.__name__, back, kind)
        yield from _seen(kind, module, methods, back, forwards)
        return
    for label, made in constructions(kind, module):
        assemble(made, module)
        give_optimizers(made)
        for forward in forwards or _forwards(methods, back):
            for steps in _sequences(methods[forward[0]], made):
                yield from _bound(kind, module, f"{label or 'no arguments'}, a sequence", steps, forward, back, None)
            indices = indices_for(made) if _indexes_with_its_input(methods[forward[0]]) else []
            wanted = required(methods[forward[0]])[1:]
            for first, states in _inputs(indices or [random(*shape) for shape in shapes_for(made)], wanted, made):
                shape = first.shape
                names: Names = {"self": made, "x": first, **states}
                axis = 0 if len(shape) > 2 else shape.index(N) if N in shape else None
                batch = 1 if axis is None else shape[axis]
                for which, (target, x) in enumerate(
                    [(None, first)] if indices else _data_for(methods, forward, back, names, shape, made)
                ):
                    table = names | {"x": x} if target is None else names | {"x": x, "t": target}
                    way = (forward, len(shape), axis, which)
                    for episode in _bound(
                        kind, module, f"{label or 'no arguments'}, x {shape}", table, forward, back, batch
                    ):
                        episode.belongs = _belongs(forward, back, methods)
                        episode.way = (*way, *episode.way)
                        yield episode


def _inputs(arrays: list[np.ndarray], wanted: list[str], made: Any) -> Iterator[tuple[np.ndarray, Names]]:
    """Yield the inputs, and for a recurrent cell each with its states before."""
    return ((x, states) for x in arrays for states in states_for(wanted, made, x.shape))


def _sequences(forward: Callable[..., Any], made: Any) -> Iterator[Names]:
    """Yield a sequence of classes, the next classes, and the states before, for a pass that steps through its arguments."""
    wanted = required(forward)[1:]
    stepped = {role_of(p): p for p in wanted if is_a_sequence(forward, p)}
    if "input" in stepped:
        data = {p: _STEPPED[role] for role, p in stepped.items() if role in _STEPPED}
        for states in states_for(wanted, made, (1, 1)):
            yield {"self": made, **data, **states}


def _indexes_with_its_input(forward: Callable[..., Any]) -> bool:
    return any(use_of(forward, parameter).indexes for parameter in required(forward)[1:2])


def _seen(
    kind: type,
    module: ModuleType,
    methods: dict[str, Callable[..., Any]],
    back: str,
    forwards: list[tuple[str, ...]] | None,
) -> Iterator[Episode]:
    """Yield ways to run the pass on objects and data seen in the author's program."""
    for forward in forwards or _forwards(methods, back):
        name = f"{kind.__name__}."
        for names in starts_seen(module, name + forward[0], name + back):
            if "self" not in names or "x" not in names:
                continue
            batch = names.pop(BATCH)
            tables = [names]
            if "t" not in names:
                tables += [
                    names | {"t": t}
                    for t in targets_for(methods, forward, back, names, np.shape(names["x"]))
                    if t is not None
                ]
            for which, table in enumerate(tables):
                label = f"as the program calls it, x {np.shape(names['x'])}"
                for episode in _bound(kind, module, label, table, forward, back, batch):
                    episode.way = ("seen", forward, which, *episode.way)
                    yield episode


_BACK_WORDS, _FORWARD_WORDS = r"back(ward)?|_?prop(agat\w+)?|bprop|gradients?|grads?", r"forward|fprop|_?prop(agat\w+)?"


def _belongs(forward: tuple[str, ...], back: str, methods: dict[str, Callable[..., Any]]) -> bool:
    """Return whether the name of a backward pass shows that it belongs to this forward pass only, as in relu_backward."""
    stem = re.sub(_BACK_WORDS, "", back, flags=re.I).strip("_").lower()
    words = f"{_FORWARD_WORDS}|loss|cost"  # RegressionLoss has the stem of regression_grad
    plain = [re.sub(words, "", name, flags=re.I).strip("_").lower() for name in methods if name != back]
    mine = re.sub(_FORWARD_WORDS, "", forward[0], flags=re.I).strip("_").lower()
    return not stem or stem == mine or stem not in plain


def _forwards(methods: dict[str, Callable[..., Any]], back: str) -> list[tuple[str, ...]]:
    """Return the methods that may precede the backward pass: one method, or one followed by a loss."""
    names = [
        name
        for name in methods
        if FORWARD.match(name) and name != back and not BACK.match(name) and not TRAIN.match(name)
    ]
    losses = [name for name in names if LOSS_NAME.match(name)]
    stem = re.sub(r"back(ward)?|bprop|gradients?|grads?|deriv\w*|prime", "", back, flags=re.I).strip("_")

    def rank(name: str) -> tuple[bool, int]:
        order = ["forward", "__call__", "loss", "feedforward", "feed_forward"]
        rest = re.sub(r"forward|fprop", "", name, flags=re.I).strip("_")
        return rest != stem, order.index(name) if name in order else len(order)

    plain = sorted((name for name in names if name not in losses), key=rank)
    found: list[tuple[str, ...]] = []
    for name in plain[:4]:
        found += [(name,)] + [(name, loss) for loss in losses[:2]]
    found += [(loss,) for loss in losses[:2]]
    if not found or re.search("loss|grad", back, re.I):
        found.append((back,))  # it may return a loss and its gradient
    return found


def _bound(
    kind: type, module: ModuleType, label: str, names: Names, forward: tuple[str, ...], back: str, batch: int | None
) -> Iterator[Episode]:
    """Yield the episodes from one object and one input, for every way to fill the arguments of its methods."""
    try:
        run = copy.deepcopy(names)
    except Exception:
        return
    calls: list[Call] = []
    for name in forward:
        for arguments in ways(getattr(run["self"], name), run):
            trial = copy.deepcopy(run)
            call = Call(name, arguments)
            try:
                with within(4), np.errstate(all="ignore"):
                    call.run(trial)
            except Exception as error:
                note(error)
                continue
            calls.append(call)
            run = trial
            break
        else:
            return
    used = {key for call in calls for key in call.keys}
    if "x" in names and "t" in calls[0].keys and "x" not in used:  # it got a target in place of its input
        return
    names = names | {
        key: run[key] for key in used if key not in names and np.isscalar(run[key]) and not key.startswith("<")
    }
    functions = {"forward": getattr(kind, forward[0]), "backward": getattr(kind, back)}
    given = frozenset(key for key in names if key not in ("self", MODULE))

    def forward_all(table: Names, calls: tuple[Call, ...] = tuple(calls)) -> None:
        for call in calls:
            call.run(table)

    if forward == (back,):
        if LOSS in run:
            yield Episode(
                kind.__name__,
                "class",
                label,
                names,
                forward_all,
                None,
                functions,
                given=given,
                inputs=("x",) if "x" in names else (),
                batch=batch,
                module=module,
            )
        return
    extra = dict(run)
    for arguments in ways(getattr(run["self"], back), extra, back=True):
        call = Call(back, arguments)
        beside = [Call(name, arguments) for name in passes_beside(kind, back)]
        constants = {key: extra[key] for key in call.keys if key not in run and key in extra and key != DY}
        upstream = DY in call.keys
        used = call.keys.union(*(one.keys for one in calls))
        if (LOSS in run and upstream) or ("t" in names) != ("t" in used):
            continue

        def backward(table: Names, dy: Any, calls: tuple[Call, ...] = (call, *beside)) -> Any:
            table[DY] = dy
            given = [call.gradients(table) for call in calls]
            return given[0] if len(given) == 1 else given

        given_rate = any(role_of(parameter) == "rate" for parameter, _ in arguments)
        rate = (
            RATE
            if given_rate or any(isinstance(v, Descent) for v in getattr(names["self"], "__dict__", {}).values())
            else None
        )
        yield Episode(
            kind.__name__, "class", label, names | constants, forward_all, backward, functions, upstream=upstream,
            given=given | set(constants), inputs=("x",), batch=batch, rate=rate, module=module, way=arguments,
        )  # fmt: skip


def _data_for(
    methods: dict[str, Callable[..., Any]],
    forward: tuple[str, ...],
    back: str,
    names: Names,
    shape: tuple[int, ...],
    made: Any,
) -> Iterator[tuple[np.ndarray | None, np.ndarray]]:
    """Yield targets and inputs; a loss, which has no parameters, gets probabilities too."""
    learns = next(numbers_in({"self": made}, scalars=False), None) is not None
    for target in targets_for(methods, forward, back, names, shape):
        yield target, names["x"]
        if target is not None and not learns and len(shape) == 2:
            p = np.exp(names["x"])
            yield target, p / p.sum(axis=1, keepdims=True)


def targets_for(
    methods: dict[str, Callable[..., Any]], forward: tuple[str, ...], back: str, names: Names, shape: tuple[int, ...]
) -> Iterator[np.ndarray | None]:
    """Yield a target of every kind that fits the output of the first forward method, or None if no target is needed."""
    wanted = [role_of(p) for name in (*forward, back) for p in [*required(methods[name])[1:], *optional(methods[name])]]
    yield None
    if not set(wanted) & {"target", "", "output", "input"}:
        return
    output = None
    for arguments in ways(methods[forward[0]], names, known={"self": "self"}):
        trial = copy.deepcopy(names)
        try:
            with within(4), np.errstate(all="ignore"):
                Call(forward[0], tuple(pair for pair in arguments if pair[0] != "self")).run(trial)
        except Exception as error:
            note(error)
            continue
        output = np.shape(trial[OUT]) if OUT in trial else ()
        break
    if output is None:  # the method itself needs the target
        for other in [(shape[0], k) for k in (K, M, D)] if len(shape) > 1 else [shape]:
            yield from targets_like(other)
        return
    yield from targets_like(output)
