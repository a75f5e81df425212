"""Losses and their gradients as two plain functions: from one function with a flag, or from two methods of a class.

`mse(p, y, deriv=True)` becomes mse_forward(p, y) and mse_backward(p, y). A method loses `self`, which becomes a global
name. From a cost fn(a, y) with the gradient delta(z, a, y) with respect to z, functions of z and y are made, with
a = sigmoid(z). All keep their lines, so that evidence points into the author's file.
"""

from __future__ import annotations

import ast
import copy
import inspect
import re
from collections.abc import Callable, Iterator
from types import ModuleType
from typing import Any, NamedTuple

from plainnet.checks.code.binding import own_functions
from plainnet.checks.code.elementwise import KNOWN, flag_of, is_derivative, object_of, stem_of
from plainnet.checks.code.episode import required
from plainnet.checks.code.looks import LOSS_NAME, methods_of, own_classes
from plainnet.checks.code.roles import role_of, tree_of_module


class Rewritten(NamedTuple):
    """A loss and its gradient under the names stem_forward and stem_backward; the name of the gradient in the file."""

    name: str
    stem: str
    functions: dict[str, Callable[..., Any]]
    sure: bool = True  # that the two belong together


def rewritten_losses(module: ModuleType) -> Iterator[Rewritten]:
    """Yield the losses of a module that are not two plain functions."""
    for name, function in own_functions(module).items():
        flag = flag_of(function)
        if flag is not None and _takes_a_target([p for p in required(function) if p != flag]):
            parts = [
                _rewritten(function, module, f"{name}_{part}", {flag: str(part == "backward")} | _P, _P)
                for part in _PARTS
            ]
            yield from _both(name, name, parts)
    for kind in own_classes(module).values():
        methods = methods_of(kind)
        for name, method in methods.items():
            static = isinstance(inspect.getattr_static(kind, name), staticmethod | classmethod)
            if not is_derivative(name) or not _takes_a_target(required(method)[0 if static else 1 :]):
                continue
            stem = stem_of(name) or "loss"
            loss = next((m for n, m in methods.items() if n != name and _belongs(n, stem)), None)
            made = object_of(kind, module)
            if loss is not None and made is not None:
                clearer = _instead(required(method))
                parts = [
                    _rewritten(m, module, f"{stem}_{part}", clearer, clearer, itself=made)
                    for m, part in zip((loss, method), _PARTS, strict=True)
                ]
                sure = clearer == _P  # that y is the output is a guess
                yield from (b._replace(sure=sure) for b in _both(f"{kind.__name__}.{name}", stem, parts))
        yield from _deltas(kind, module)


def _deltas(kind: type, module: ModuleType) -> Iterator[Rewritten]:
    """Yield the costs of a class that gives its gradient with respect to z, the input of the last activation."""
    methods = {name: [p for p in required(m) if p not in ("self", "cls")] for name, m in methods_of(kind).items()}
    costs = [n for n, arguments in methods.items() if not is_derivative(n) and _takes_a_target(arguments)]
    for name, arguments in methods.items():
        z, a = (next((p for p in arguments if re.match(letter, p)), None) for letter in ("z", "a"))
        if len(arguments) != 3 or not costs or z is None or a is None:
            continue
        made = object_of(kind, module)
        (output,) = [p for p in methods[costs[0]] if role_of(p) != "target"]
        for activation in ("sigmoid", "softmax"):
            f = own_functions(module).get(activation, KNOWN.get(activation))
            if made is None or f is None:
                continue
            held = {_ACTIVATION: f}
            forward = _rewritten(
                methods_of(kind)[costs[0]],
                module,
                "cost_forward",
                {output: f"{_ACTIVATION}({z})"},
                {output: z},
                made,
                held,
            )
            backward = _rewritten(
                methods_of(kind)[name], module, "cost_backward", {a: f"{_ACTIVATION}({z})"}, {}, made, held
            )
            yield from (
                both._replace(sure=False) for both in _both(f"{kind.__name__}.{name}", "cost", [forward, backward])
            )


_ACTIVATION = "__activation"


def loss_gradients(module: ModuleType) -> Iterator[tuple[str, Callable[..., Any], list[str]]]:
    """Yield the gradients of losses, as functions without `self`, by their names, with the names beside them."""
    functions = own_functions(module)
    for name, function in functions.items():
        if _of_a_loss(name, function, 0):
            yield name, function, [other for other in functions if not is_derivative(other)]
    for kind in own_classes(module).values():
        methods = methods_of(kind)
        for name, method in methods.items():
            static = isinstance(inspect.getattr_static(kind, name), staticmethod | classmethod)
            known = _of_a_loss(f"{kind.__name__}_{name}", method, 0 if static else 1) and is_derivative(name)
            made = object_of(kind, module) if known else None
            plain = _rewritten(method, module, name, itself=made) if made is not None else None
            if plain is not None:
                yield f"{kind.__name__}.{name}", plain, [other for other in methods if not is_derivative(other)]


def _of_a_loss(name: str, function: Callable[..., Any], first: int) -> bool:
    arguments = required(function)[first:]
    says = SAYS_LOSS.search(name) or (len(arguments) == 2 and not _ACTIVATIONS.search(name))
    return bool(is_derivative(name) and says) and _takes_a_target(arguments)


SAYS_LOSS = re.compile(r"(?i)loss|cost|error|mse|entropy|objective")
_ACTIVATIONS = re.compile(r"(?i)soft|sigm|logi|tanh|relu|elu|swish|step|ident|linear")
_PARTS = ("forward", "backward")
_P = {"p": "y_pred"}  # elsewhere, p is the rate of dropout


def _belongs(name: str, stem: str) -> bool:
    plain = name.strip("_").lower()
    return not is_derivative(name) and (plain == stem or (stem == "loss" and bool(LOSS_NAME.match(name))))


def _instead(arguments: list[str]) -> dict[str, str]:
    """Return clearer names for arguments: y is the output if y_ is the target."""
    return _P | ({"y": "y_pred"} if "y_" in arguments else {})


def _takes_a_target(arguments: list[str]) -> bool:
    instead = _instead(arguments)
    roles = sorted(role_of(instead.get(argument, argument)) for argument in arguments)
    return roles in (["input", "target"], ["output", "target"], ["", "target"])


def _both(name: str, stem: str, parts: list[Callable[..., Any] | None]) -> Iterator[Rewritten]:
    functions = {part.__name__: part for part in parts if part is not None}
    if len(functions) == len(_PARTS):
        yield Rewritten(name, stem, functions)


def _rewritten(
    function: Callable[..., Any],
    module: ModuleType,
    name: str,
    given: dict[str, str] | None = None,
    instead: dict[str, str] | None = None,
    itself: Any = None,
    held: dict[str, Any] | None = None,
) -> Callable[..., Any] | None:
    """Return a function of the module without `self`, under another name; None if its source cannot be read.

    `given` are expressions for arguments that are no longer passed, and `instead` the arguments in their places. `held`
    are further global names.
    """
    tree, code = tree_of_module(module), getattr(function, "__code__", None)
    if tree is None or code is None:
        return None
    found = [
        node
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef)
        and node.name == code.co_name
        and min([node.lineno, *(d.lineno for d in node.decorator_list)]) == code.co_firstlineno
    ]
    if not found:
        return None
    node = copy.deepcopy(found[0])
    node.name, node.decorator_list, node.returns = name, [], None
    table = vars(module) if held is None else vars(module) | held
    if node.args.args and node.args.args[0].arg in ("self", "cls"):
        table = table | {node.args.args[0].arg: itself}
        _drop(node.args, 0)
    for argument, expression in (given or {}).items():
        at = next((i for i, one in enumerate(node.args.args) if one.arg == argument), None)
        if at is None and argument in (instead or ()):
            continue
        if at is None:
            return None
        if instead and argument in instead:
            node.args.args[at].arg = instead[argument]
        else:
            _drop(node.args, at)
        node.body.insert(0, ast.copy_location(ast.parse(f"{argument} = {expression}").body[0], node.body[0]))
    made: dict[str, Any] = {}
    whole = ast.fix_missing_locations(ast.Module([node], []))
    exec(compile(whole, str(module.__file__), "exec"), table, made)  # noqa: S102  (the user's own function)
    rewritten: Callable[..., Any] = made[name]
    return rewritten


def _drop(arguments: ast.arguments, at: int) -> None:
    """Take one argument out, with its default."""
    first = len(arguments.args) - len(arguments.defaults)
    if at >= first:
        del arguments.defaults[at - first]
    del arguments.args[at]
