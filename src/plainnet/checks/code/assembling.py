"""Assemble a network that is made empty: model.add(layer), model.set(loss=..., optimizer=...), model.finalize()."""

from __future__ import annotations

import contextlib
import inspect
import re
from types import ModuleType
from typing import Any

from plainnet.checks.code.constructing import constructions, lists_of
from plainnet.checks.code.episode import required, seed_everything, within
from plainnet.checks.code.looks import is_own
from plainnet.checks.code.uses import Use
from plainnet.checks.code.values import numbers_in

_ADD, _SET, _END = r"add(_?layer)?|append(_?layer)?", r"set(_?up)?|compile|use|configure", r"finali[sz]e|build|compile"
_PASSES = (  # what the methods of layers are called
    ["forward", "backward"],
    ["forward_propagation", "backward_propagation"],
    ["forward_pass", "backward_pass"],
)
_DERIVATIVE = r"prime|deriv|grad"
_PARTS = (  # the name of an argument, and the classes and functions that fit, the best first
    (_DERIVATIVE, (r"mse_?(prime|deriv|grad)",)),
    (r"loss|cost|criterion|objective", (r"mse|mean_?squared", r"loss|entropy")),
    (r"optimi[sz]er", (r"sgd|gradient_?descent", r"optimi[sz]er|adam")),
    (r"accuracy|metric", (r"accuracy",)),
)


def assemble(made: Any, module: ModuleType) -> None:
    """Add two layers to an empty network, give it a loss and an optimizer, and finish it, if it has such methods."""
    add = _method(made, _ADD)
    if add is None or len(required(add)) != 1 or next(numbers_in({"self": made}, scalars=False), None) is not None:
        return
    found = (layers for attributes in _PASSES for layers in lists_of(Use(attributes=attributes), module, 0))
    layers = next((layers for layers in found if len(layers) == 2), None)
    with contextlib.suppress(Exception), within(4):  # what could not be assembled says so when it runs
        for layer in layers or ():
            add(layer)
        if (method := _method(made, _SET)) is not None:
            parts = {name: _part(name, module) for name in inspect.signature(method).parameters}
            seed_everything()
            method(**{name: part for name, part in parts.items() if part is not None})
        if (method := _method(made, _END)) is not None and not required(method):
            method()


def _method(made: Any, names: str) -> Any:
    return next((m for name, m in inspect.getmembers(made, inspect.ismethod) if re.fullmatch(names, name, re.I)), None)


def _part(argument: str, module: ModuleType) -> Any:
    """Return an object or a function of the author's for an argument such as loss; None if there is none."""
    wanted = next((names for words, names in _PARTS if re.search(words, argument, re.I)), ())
    of_derivatives = re.search(_DERIVATIVE, argument) is not None
    for words in wanted:
        for name, value in vars(module).items():
            if not re.search(words, name, re.I) or bool(re.search(_DERIVATIVE, name)) != of_derivatives:
                continue
            if inspect.isfunction(value):
                return value
            if inspect.isclass(value) and is_own(value) and (pair := next(constructions(value, module), None)):
                return pair[1]
    return None
