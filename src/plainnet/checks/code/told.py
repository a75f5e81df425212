"""Examine a forward and a backward pass that the user names, with given inputs and the names that need a gradient."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Collection, Iterator, Mapping
from types import ModuleType
from typing import Any

import numpy as np

from plainnet.checks.code.binding import DY, Call, own_functions, ways
from plainnet.checks.code.choosing import search
from plainnet.checks.code.episode import Episode, Names
from plainnet.checks.code.examining import verdict_of
from plainnet.checks.code.functions import episodes_of_function
from plainnet.checks.code.looks import own_classes
from plainnet.checks.code.objects import episodes_of_class
from plainnet.checks.code.roles import role_of
from plainnet.checks.code.verdicts import CodeFinding
from plainnet.errors import InputError


def examine(
    forward: Callable[..., Any],
    backward: Callable[..., Any] | None,
    inputs: Mapping[str, Any],
    *,
    wrt: Collection[str] | None = None,
) -> list[CodeFinding]:
    """Examine one backward pass, in a notebook or a test: compare its gradients with central differences of forward.

    `forward` takes some of `inputs` by name, and returns a loss or an array, with or without a cache. `backward` may take some of
    `inputs`, the results of forward (by the names of its return statement), the cache, and, if forward returns an array, the gradient
    of that array. It is None if forward returns its gradients itself. For methods of one object, give `layer.forward` and
    `layer.backward`; the arrays of the object count as parameters. `wrt` names what needs a gradient; without it, all float arrays
    except targets need one. A finding is right, wrong (with the name of the fault and its line) or undecidable, as from `examination`.

    Raises: `InputError` if `wrt` names an input that is not given, or if forward cannot be called.
    """
    subject = getattr(forward, "__self__", None)
    names: Names = dict(inputs) | ({} if subject is None else {"self": subject})
    unknown = [name for name in wrt or () if name not in inputs and subject is None]
    if unknown:
        raise InputError(f"wrt names {', '.join(unknown)}, but inputs has only {', '.join(inputs)}")
    arguments = next(ways(forward, names), None)
    if arguments is None:
        wanted = ", ".join(inspect.signature(forward).parameters)
        raise InputError(f"forward takes {wanted}, but inputs has {', '.join(inputs)}; add what is missing to inputs")
    call = Call(forward.__name__ if subject is not None else forward, arguments)
    name = getattr(backward or forward, "__qualname__", "backward")
    found = search(_episodes(name, call, forward, backward, names, frozenset(wrt) if wrt is not None else None))
    if not found.ran:
        raise InputError(f"forward and backward could not be run: {found.trouble}")
    return verdict_of(name, found, "functions" if subject is None else "class")


def _episodes(
    name: str,
    call: Call,
    forward: Callable[..., Any],
    backward: Callable[..., Any] | None,
    names: Names,
    wrt: frozenset[str] | None,
) -> Iterator[Episode]:
    data = [key for key in names if key != "self"]
    learned = [
        key for key in data if (key in wrt if wrt is not None else role_of(key) != "target" and _is_float(names[key]))
    ]
    given = frozenset(key for key in data if key not in learned) | ({"x"} & set(data))
    functions = {"forward": forward, "backward": backward or forward}
    shared = {
        "label": "the inputs given",
        "given": given,
        "inputs": tuple(k for k in learned if role_of(k) == "input"),
        "wrt": wrt,
    }
    if backward is None:
        yield Episode(name, "functions", names=names, forward=call.run, backward=None, functions=functions, **shared)  # type: ignore[arg-type]
        return
    table = dict(names)
    trial = dict(names)
    call.run(trial)
    for arguments in ways(backward, table | trial, back=True):
        back = Call(backward.__name__ if "self" in names and inspect.ismethod(backward) else backward, arguments)

        def run_back(filled: Names, dy: Any, back: Call = back) -> Any:
            filled[DY] = dy
            return back.gradients(filled)

        yield Episode(
            name, "functions", names=names, forward=call.run, backward=run_back, functions=functions, upstream=DY in back.keys,
            way=arguments, **shared,  # type: ignore[arg-type]
        )  # fmt: skip


def _is_float(value: Any) -> bool:
    return isinstance(value, float) or (isinstance(value, np.ndarray) and value.dtype.kind == "f")


def named_episodes(module: ModuleType, forward: str, backward: str, wrt: Collection[str]) -> Iterator[Episode]:
    """Yield ways to run a forward and a backward pass that the user names as functions or as Class.method.

    Raises: `InputError` if the file has no function of that name.
    """
    kind, _, method = backward.rpartition(".")
    functions, classes = own_functions(module), own_classes(module)
    for name in (forward, backward):
        holder, _, plain = name.rpartition(".")
        if (holder and not hasattr(classes.get(holder), plain)) or (not holder and name not in functions and not kind):
            known = [*functions, *(f"{c}.{m}" for c in classes for m in vars(classes[c]) if not m.startswith("__"))]
            raise InputError(f"the file has no function named {name}; it has {', '.join(known[:20])}")
    if kind:
        episodes = episodes_of_class(classes[kind], module, method, forwards=[(forward.rpartition(".")[2],)])
    else:
        episodes = episodes_of_function(module, backward, chains=[(forward,) if forward != backward else ()])
    for episode in episodes:
        episode.wrt = frozenset(wrt) if wrt else None
        episode.belongs = True
        yield episode
