"""Make an object of an unknown class, with constructor arguments guessed from their names and uses."""

from __future__ import annotations

import contextlib
import copy
import inspect
import itertools
import re
import sys
from collections.abc import Callable, Iterator
from functools import partial
from types import ModuleType
from typing import Any

import numpy as np

from plainnet.checks.code.collaborators import receiver
from plainnet.checks.code.episode import note, required, seed_everything, within
from plainnet.checks.code.looks import BACK, kinds_with
from plainnet.checks.code.optional_arguments import optional_arguments, sizes_of_zero
from plainnet.checks.code.recurrent_starts import cell_parameter
from plainnet.checks.code.roles import D, K, M, N, number, random, role_of
from plainnet.checks.code.uses import Use, use_of
from plainnet.checks.code.values import numbers_in


def constructions(
    kind: type, module: ModuleType, depth: int = 1, sized: tuple[tuple[int, int], ...] = ((D, M), (D, D))
) -> Iterator[tuple[str, Any]]:
    """Yield objects of a class, made in a few ways, with arguments guessed from their names and uses."""
    made = 0
    try:
        names = [*required(kind), *sizes_of_zero(kind)]
        settings = optional_arguments(kind)
    except (TypeError, ValueError):
        return
    if not names and any(p.kind is p.VAR_POSITIONAL for p in inspect.signature(kind).parameters.values()):
        with contextlib.suppress(Exception), within(4):  # Net(5, 3, 4)
            seed_everything()
            yield f"{D}, {M}, {K}", kind(D, M, K)
    module = sys.modules.get(kind.__module__, module)  # the file that defines the class knows what it needs
    options = [_options(name, kind, module, depth) for name in names]
    for sizes in sized:
        for choice in itertools.islice(_choices(options), 12):
            numbers = iter((*sizes, K, K, K, K))
            arguments = {
                name: next(numbers)
                if value is int
                else value(sizes)
                if callable(value) and not inspect.isclass(value) and getattr(value, "guess", False)
                else copy.deepcopy(value)
                for name, value in zip(names, choice, strict=True)
            }
            for more in settings:
                try:
                    seed_everything()
                    with within(4), np.errstate(all="ignore"):
                        result = kind(**arguments, **more)
                        _initialize(result)
                except Exception as error:
                    note(error)
                    continue
                yield ", ".join(f"{key}={_short(value)}" for key, value in (arguments | more).items()), result
                made += 1
        if not names or made > 8:
            return


def _choices(options: list[list[Any]]) -> Iterator[tuple[Any, ...]]:
    """Yield a value for each argument: first those with the same place in their lists, then all other combinations."""
    if any(not values for values in options):
        return
    alike = [
        tuple(values[min(i, len(values) - 1)] for values in options) for i in range(max(map(len, options), default=1))
    ]
    yield from alike
    yield from (choice for choice in itertools.product(*options) if not any(map(partial(_same, choice), alike)))


def _same(one: tuple[Any, ...], other: tuple[Any, ...]) -> bool:
    return all(a is b for a, b in zip(one, other, strict=True))


def _short(value: Any) -> str:
    return (
        f"array {value.shape}"
        if isinstance(value, np.ndarray)
        else getattr(value, "__name__", None) or re.sub(r"^<.*?(\w+) object at .*", r"\1", repr(value))[:40]
    )


def _initialize(made: Any) -> None:
    for name in (
        "initialize",
        "init",
        "init_weights",
        "initialize_weights",
        "init_params",
        "initialize_parameters",
        "zero_grad",
    ):
        method = getattr(made, name, None)
        if callable(method) and inspect.ismethod(method) and not required(method):
            method()


_DERIVATIVE = r"prime|deriv|grad|backward|^d_?(act|fun|f$|nonlin)|(act\w*|fun\w*|f)_de?r?$"


def _gets_a_derivative(kind: type) -> bool:
    """Return whether a constructor takes the derivative of an activation; the activation is then tanh, as the derivative is."""
    return any(re.search(_DERIVATIVE, other.lower()) for other in required(kind))


def _tanh_prime(x: Any) -> Any:
    return 1 - np.tanh(x) ** 2


class _Sized:
    """A guess that depends on the sizes of the input and the output."""

    guess = True

    def __init__(self, make: Callable[[tuple[int, int]], Any]) -> None:
        self.make = make

    def __call__(self, sizes: tuple[int, int]) -> Any:
        return self.make(sizes)


def _options(name: str, kind: type, module: ModuleType, depth: int) -> list[Any]:
    """Return possible values of an argument, first by its use, then by its name."""
    if re.fullmatch(r"(conv\w*|kernel|filter)_?shape", name.lower()):
        return [(2, 3, 3), (2, 2, 3), (3, 3)]  # channels, height, width
    use = use_of(kind, name)
    guesses = _guesses(name, kind, module)
    if use.whole and not use.through and not any(guess is int or isinstance(guess, int | _Sized) for guess in guesses):
        guesses.insert(0, int)
    words = [*(use.words[:4] if len(use.words) > 1 else []), *use.numbers[:3]]
    return [*words, *_asked(use, name, kind, module, depth), *guesses]


def _asked(use: Use, name: str, kind: type, module: ModuleType, depth: int) -> list[Any]:
    """Return possible values of an argument by its use: an object, a list of objects, a list of sizes."""
    if use.attributes and not use.array and depth:
        kinds = [other for other in kinds_with(use.attributes, module) if other is not kind]
        if not kinds and (other := receiver(use.attributes)) is not None:
            return [other]
        return [found for other in kinds for found in _made(other, module, depth - 1)][:3]
    if use.element is not None and use.element.attributes and depth:
        return list(lists_of(use.element, module, depth - 1))
    if use.called is not None and not re.search(r"prime|deriv|grad|activ|func|act$", name.lower()):
        if use.called == 1 and _gets_a_derivative(kind):
            return [np.tanh]
        own = [v for key, v in vars(module).items() if inspect.isfunction(v) and not key.startswith("__")]
        own = [function for function in own if len(required(function)) == use.called]
        return [*[v for v in own if not BACK.match(v.__name__)][:2], *([np.tanh] if use.called == 1 else [])]
    if use.through and not use.array and not use.keys and not (use.element and use.element.called is not None):
        if "hid" in name.lower():
            return [[K], [K, M]]
        plain = (use.element is None or not use.element.through) and len(use.parts) != 2  # height and width
        return [_Sized(lambda s: [s[0], K, M]), _Sized(lambda s: (s[0], K, M, 2))] if plain else []
    return []


def _made(kind: type, module: ModuleType, depth: int) -> Iterator[Any]:
    """Yield an object of a class, then the class itself, because its static methods may be wanted."""
    made = next(constructions(kind, module, depth), None)
    if made is not None:
        yield made[1]
    yield kind


def lists_of(element: Use, module: ModuleType, depth: int) -> Iterator[list[Any]]:
    """Yield lists of layers that fit together: two with parameters, and one without between them."""
    kinds = kinds_with(element.attributes, module)
    learns: list[tuple[Any, Any]] = []
    plain: list[Any] = []
    for kind in kinds:
        pair = []
        for sizes in ((D, M), (M, K)):
            made = next(constructions(kind, module, depth, (sizes,)), None)
            if made is not None:
                pair.append(made[1])
        arrays = [array for _, array in numbers_in({"self": pair[0]}, scalars=False)] if pair else []
        if len(pair) == 2 and arrays and any(a.ndim == 2 and set(a.shape) == {D, M} for a in arrays):
            learns.append((pair[0], pair[1]))
        elif pair and not arrays:
            plain.append(pair[0])
    for first, second in learns[:2]:
        yield [first, *plain[:1], second]
        yield [first, second]
        yield [second, first]  # their sizes were taken as (outputs, inputs)


def _is_a_pair(use: Use) -> bool:
    """Return whether code takes a value apart, `height, width = value` or `value[0]`, and never as a number."""
    return not use.whole and (len(use.parts) == 2 or use.through)


def _guesses(name: str, kind: type, module: ModuleType) -> list[Any]:
    """Return possible values of one constructor argument; `int` stands for the next size."""
    lower = name.lower()
    role = role_of(name)
    if of_a_cell := cell_parameter(name, required(kind)):
        return list(of_a_cell)
    if re.search(r"kernel|stride|pad|pool|step", lower) and _is_a_pair(use_of(kind, name)):
        return (
            [(1, 1), (2, 2), (2, 1)]
            if "stride" in lower or "step" in lower
            else [(0, 0)]
            if "pad" in lower
            else [(2, 2)]
        )
    if "in_channel" in lower or lower in ("c_in", "channels", "in_ch", "num_channels"):
        return [2]
    if "kernel" in lower or lower in ("filter_size", "k", "ksize", "k_size", "f_size", "fsize"):
        return [3, (3, 3), 2]
    if "pool" in lower or lower == "size":
        return [2, (2, 2), int]
    if "stride" in lower or lower == "step":
        return [1, 2, 3]
    if "pad" in lower:
        return [0]
    if lower.endswith("shape") or (lower in ("input_size", "in_size") and "channel" in " ".join(required(kind))):
        return [
            _Sized(lambda s: (2, 6, 5)),
            _Sized(lambda s: (6, 5, 2)),
            _Sized(lambda s: (s[0], s[1])),
            _Sized(lambda s: (N, s[0])),
        ]
    if re.search(
        r"shape|dims?$|sizes?$|layers?$|structure|topology|architecture|nodes|neurons_per", lower
    ) and not re.search(r"in|out|hid|batch|^n_|num", lower):
        lists = [_Sized(lambda s: [s[0], K, M]), _Sized(lambda s: (s[0], K, M, 2)), _Sized(lambda s: [s[0], K, 1])]
        return [int, *lists] if re.search(r"(dim|size)$", lower) else [*lists, int]
    if re.search(_DERIVATIVE, lower):
        return [_tanh_prime, int]
    if re.search(r"activ|func|act$|act_fn|nonlin", lower):
        if _gets_a_derivative(kind):
            return [np.tanh]
        words = use_of(kind, name).words
        own = [v for n, v in vars(module).items() if re.fullmatch(r"(?i)sigmoid|relu|tanh", n) and callable(v)]
        return [
            *words[:4],
            *own[:2],
            *[v() for v in own[:2] if inspect.isclass(v) and not required(v)],
            "sigmoid",
            np.tanh,
        ][:6]
    if role == "weight" and lower not in ("n",):
        return [
            _Sized(lambda s: random(*s)),
            _Sized(lambda s: random(*s[::-1])),
            _Sized(lambda s: random(3, 2, 3, 3)),
            _Sized(lambda s: random(s[0])),
        ]
    if role == "bias":
        return [
            _Sized(lambda s: random(s[1])),
            _Sized(lambda s: random(1, s[1])),
            _Sized(lambda s: random(s[1], 1)),
            True,
        ]
    if "batch" in lower and "norm" not in lower:
        return [N]
    if lower in ("gamma",):
        return [_Sized(lambda s: random(s[0]))]
    if lower in ("beta",):
        return [_Sized(lambda s: random(s[0])), 0.9]
    if lower in ("x", "inputs", "data"):
        return [random(N, D)]
    if lower in ("y", "targets", "labels", "t"):
        return [random(N, 1), np.eye(K)[[0, 2, 1, 3, 3, 0]], np.array([0, 2, 1, 3, 3, 0])]
    if lower in ("seed", "random_state", "random_seed"):
        return [1]
    if lower in ("rng", "generator", "prng", "rand"):
        return [_Sized(lambda _: np.random.default_rng(1)), _Sized(lambda _: np.random.RandomState(1))]
    if lower in ("name", "label"):
        return ["a"]
    constant = number(role, name)
    if (
        role in ("rate", "drop", "penalty", "epochs", "momentum", "eps", "verbose")
        and constant is not None
        and lower not in ("n",)
    ):
        return [constant]
    return [int]
