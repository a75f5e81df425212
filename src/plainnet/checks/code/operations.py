"""Operations of an automatic-differentiation engine: methods, functions and classes that compute a value from others."""

from __future__ import annotations

import copy
import inspect
import itertools
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import Enum, auto
from types import ModuleType
from typing import Any

import numpy as np

from plainnet.checks.code.constructing import constructions
from plainnet.checks.code.episode import optional, required, seed_everything
from plainnet.checks.code.looks import BACK, own_classes

_PAIR, _MATRICES = ((2, 3), (2, 3)), ((2, 3), (3, 2))
_PRODUCT = re.compile(r"(?i)_*(mat_?mul|dot|mm|mv|outer|inner|linear|gemm)_*$")
_NO_OPERATION = re.compile(
    r"(?i)zero|step|^item$|numpy|detach|clone|copy|numeric|check|hash|repr|str|len|bool|iter|(set|del)_*item|set_?attr|init|__new|__format|__reduce|__i(add|sub|mul|truediv|pow|matmul)__"
)
_LOSS = re.compile(r"(?i)loss|entropy|mse|criterion")
_OPERAND = re.compile(
    r"(?i)_?(other|rhs|right|second|[a-z]\d?|tensor\d?|node\d?|weights?|bias|pred\w*|\w*(label|target|y_true|truth)s?)"
)
_MOST_WAYS = 8


class Leaf(Enum):
    """A placeholder for an argument until the leaves exist: one of the two, both, or a target of class numbers or one-hot rows."""

    FIRST = auto()
    SECOND = auto()
    BOTH = auto()
    WHOLE = auto()
    ONE_HOT = auto()

    def among(self, a: Any, b: Any) -> Any:
        """Return the value that replaces the placeholder."""
        if self is Leaf.WHOLE:
            return type(a)(np.array([0, 1]))
        if self is Leaf.ONE_HOT:
            return type(a)(np.eye(3)[[0, 2]])
        return {Leaf.FIRST: a, Leaf.SECOND: b, Leaf.BOTH: [a, b]}[self]


@dataclass(frozen=True)
class Operation:
    """One operation: its name, how to build it from two leaves, its function, the shapes of the leaves, and an object with its own leaves."""

    name: str
    build: Callable[..., Any]
    source: Callable[..., Any] | type | None
    shapes: tuple[tuple[int, ...], ...] = _PAIR
    layer: Any = None
    option: str = ""  # the axis, if it takes one
    sure: bool = True  # its arguments are sure to be what their names say

    def parameters(self, kind: type) -> list[Any]:
        """Return the leaves that a layer object holds itself."""
        held = {} if self.layer is None else vars(self.layer)
        return [value for value in held.values() if isinstance(value, kind)]

    @property
    def is_operator(self) -> bool:
        """Whether it is one of Python's operators on two leaves."""
        return bool(re.search(r"\b__r?(add|sub|mul|truediv|matmul)__$|\.backward$", self.name))

    @property
    def is_loss(self) -> bool:
        """Whether its name says that it is a loss, where backward starts."""
        return bool(_LOSS.search(self.name))

    def run(self, nodes: list[Any]) -> Any:
        """Build the expression from these leaves; if the operation returns several values, take the first."""
        seed_everything()
        if self.layer is None:
            return _one(self.build(*nodes[:2]))
        layer = copy.copy(self.layer)
        held = [name for name, value in vars(layer).items() if isinstance(value, type(nodes[0]))]
        vars(layer).update(zip(held, nodes[2:], strict=True))
        return _one(layer(nodes[0]))

    def defined_in(self, module: ModuleType) -> bool:
        """Return whether the file defines it."""
        return self.source is not None and getattr(self.source, "__module__", None) == module.__name__


def _one(result: Any) -> Any:
    return (
        sum(result[1:], result[0]) if isinstance(result, list) else result[0] if isinstance(result, tuple) else result
    )


def operations_of(kind: type, arrays: bool, module: ModuleType) -> Iterator[Operation]:
    """Yield the operations of an engine and of a file: its methods and properties, functions, and classes of operations."""
    for name, value in inspect.getmembers(kind):
        own = value.fget if isinstance(value, property) else value
        if not inspect.isfunction(own) or _NO_OPERATION.search(name) or BACK.match(name):
            continue
        if isinstance(value, property):
            yield Operation(own.__qualname__, lambda a, b, name=name: getattr(a, name), own)
        elif not isinstance(inspect.getattr_static(kind, name), staticmethod | classmethod):
            yield from _calls(own.__qualname__, own, own, arrays)
    for name, value in list(vars(module).items()):
        if inspect.isfunction(value) and value.__module__ == module.__name__ and not BACK.match(name):
            yield from _calls(name, value, value, arrays)
    for name, value in own_classes(module).items():
        if value is not kind and not inspect.isabstract(value):
            yield from _of_class(name, value, kind, arrays)


def _of_class(name: str, value: type, kind: type, arrays: bool) -> Iterator[Operation]:
    """Yield ways in which a class may be an operation: a node, an object with `forward` or `__call__`, `apply`, a layer."""
    if issubclass(value, kind):
        yield from _calls(name, value, value, arrays)
        return
    forward = next((n for n in ("forward", "__call__", "compute") if n in vars(value)), None)
    if hasattr(value, "apply"):
        function = getattr(value, "forward", value.apply)
        yield from _calls(name, value.apply, value, arrays, [p for p in required(function) if p not in ("self", "ctx")])
    elif forward and not required(getattr(value, forward))[1:]:
        yield from _calls(name, lambda *given: getattr(value(*given), forward)(), value, arrays, required(value))
    elif forward:
        for _, made in itertools.islice(constructions(value, _module_of(value)), 2):
            if any(isinstance(one, kind) for one in vars(made).values()):
                size = {
                    n for one in vars(made).values() if isinstance(one, kind) for n in np.shape(getattr(one, "data", 0))
                }
                for width in sorted(size):
                    yield Operation(name, lambda a, b: None, value, ((2, width), (2, 3)), made)
            elif callable(made):
                call = made if forward == "__call__" else getattr(made, forward)
                yield from _calls(name, call, value, arrays, required(getattr(value, forward))[1:])


def _module_of(kind: type) -> ModuleType:
    found = inspect.getmodule(kind)
    assert found is not None
    return found


def _calls(
    name: str, function: Callable[..., Any], source: Any, arrays: bool, wanted: list[str] | None = None
) -> Iterator[Operation]:
    """Yield ways to call a function with two leaves and constants, guessed from the names of its arguments."""
    parameters = required(function) if wanted is None else wanted
    shapes = _MATRICES if arrays and _PRODUCT.search(name.rpartition(".")[2]) else _PAIR
    choices = [_given(parameter, place) for place, parameter in enumerate(parameters)]
    if _LOSS.search(name):
        choices[1:] = [[Leaf.ONE_HOT, Leaf.SECOND, *choice] for choice in choices[1:]]
    if not parameters and _takes_any(function):
        choices = [[Leaf.FIRST], [Leaf.SECOND]]
        if wanted is None:
            yield Operation(name, lambda a, b: function(a), source, shapes)
    if not choices:
        return
    axes = (
        [p for p in optional(function) if re.fullmatch(r"axis|dim|axes|dims", p)] if wanted is None and arrays else []
    )
    powers = [p for p in optional(function) if re.fullmatch(r"p|ord|power|exponent", p)] if wanted is None else []
    more: list[dict[str, Any]] = [{}, *({n: axis} for n in axes[:1] for axis in (0, 1)), *({n: 3} for n in powers[:1])]
    vectors: list[tuple[tuple[int, ...], ...]] = []
    if shapes is _MATRICES:
        vectors = [((3,), (3,)), ((2, 3), (3,))]
    elif arrays and _LOSS.search(name):
        vectors = [((3,), (3,))]
    sure = all(_OPERAND.fullmatch(p) or _given(p, 1)[0] is not Leaf.SECOND for p in parameters[1:])
    for form, options in itertools.product([shapes, *vectors], more):
        for choice in itertools.islice(itertools.product(*choices), _MOST_WAYS):
            build = _built(function, choice, options)
            option = ", ".join([*(f"{name}={value}" for name, value in options.items()), *_twice(choice)])
            yield Operation(name, build, source, form, option=option, sure=sure)


def _takes_any(function: Callable[..., Any]) -> bool:
    try:
        return any(p.kind is p.VAR_POSITIONAL for p in inspect.signature(function).parameters.values())
    except (TypeError, ValueError):
        return False


def _built(function: Callable[..., Any], choice: tuple[Any, ...], options: dict[str, Any]) -> Callable[[Any, Any], Any]:
    def build(a: Any, b: Any) -> Any:
        given = [one.among(a, b) if isinstance(one, Leaf) else one for one in choice]
        return function(*given, **options)

    return build


def _twice(choice: tuple[Any, ...]) -> list[str]:
    return ["one index twice"] if any(isinstance(one, list) and len(set(one)) < len(one) for one in choice) else []


def _given(parameter: str, place: int) -> list[Any]:
    """Return possible values of an argument: a leaf, both leaves, or a constant suggested by its name."""
    if re.fullmatch(r"(?i)axis|dim\d?|axes|dims|keepdims?", parameter):
        return [0, 1]
    if re.fullmatch(r"(?i)(new_?)?shape|size|sizes", parameter):
        return [(3, 2), (1, 2, 3)]
    if re.fullmatch(r"(?i)cond(ition)?|mask", parameter):
        return [np.array([[True, False, True], [False, True, True]])]
    if re.fullmatch(r"(?i)idx|index|indices|key|item|slices?|i", parameter):
        return [1, (0, slice(1, 3)), [0, 1], [1, 1]]
    if re.fullmatch(r"(?i)exp(onent)?|pow(er)?|n|p|k", parameter):
        return [3, 3.0]
    if re.fullmatch(r"(?i)tensors|arrays|nodes|xs|inputs|args|values", parameter):
        return [Leaf.BOTH, Leaf.FIRST]
    if re.fullmatch(r"(?i)\w*(label|target|y_true|truth)s?", parameter):
        return [Leaf.SECOND, Leaf.WHOLE, np.array([0, 1]), np.eye(3)[[0, 2]], 1]
    return [Leaf.FIRST, Leaf.WHOLE] if place == 0 else [Leaf.SECOND, 3, 2.0]
