"""Uses of arguments: infer from the code of a function what an argument is, such as an array, dict, list, count or object.

The uses are read from the syntax tree of the function and of the functions that it passes the argument to. Nothing is run.
"""

from __future__ import annotations

import ast
import inspect
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import numpy as np

from plainnet.checks.code.roles import tree_of

_DEPTH = 3  # levels of functions that pass an argument on
_OF_ARRAYS = frozenset(dir(np.ndarray)) | {"sort_values", "append", "items", "keys", "values", "get"}
_THROUGH = ("len", "enumerate", "zip", "reversed", "iter", "list", "tuple")
_COPIES = ("array", "asarray", "list", "tuple", "copy", "deepcopy")
_SIZES = ("range", "zeros", "ones", "empty", "randn", "rand", "eye", "xrange", "full")


@dataclass
class Use:
    """How a value is used: exactly `axes` or at least `least` axes, its `keys` and `attributes`, the `parts` it is unpacked into."""

    axes: int | None = None
    least: int = 0
    keys: list[str] = field(default_factory=list)
    attributes: list[str] = field(default_factory=list)
    parts: list[str] = field(default_factory=list)
    words: list[str] = field(default_factory=list)  # strings with which it is compared
    numbers: list[int] = field(default_factory=list)  # whole numbers above 1 to which it may be equal
    called: int | None = None  # with how many arguments
    through: bool = False  # code iterates over it, or asks for its length
    whole: bool = False  # it is a count
    array: bool = False  # it is used as an array
    indexes: bool = False  # it is used as an index
    element: Use | None = None  # use of its elements

    @property
    def counts(self) -> bool:
        """Whether it is a count and nothing else."""
        return self.whole and not (self.array or self.through or self.keys or self.attributes)

    @property
    def any_axes(self) -> int | None:
        """The known or likeliest number of axes."""
        return self.axes or (self.least or None)

    def merge(self, other: Use) -> None:
        """Add other uses of the same value."""
        self.axes = self.axes or other.axes
        self.least = max(self.least, other.least)
        for mine, theirs in (
            (self.keys, other.keys),
            (self.attributes, other.attributes),
            (self.words, other.words),
        ):
            mine += [one for one in theirs if one not in mine]
        self.numbers += [n for n in other.numbers if n not in self.numbers]
        self.parts = self.parts or other.parts
        self.called = other.called if self.called is None else self.called
        self.through |= other.through
        self.whole |= other.whole
        self.array |= other.array
        self.indexes |= other.indexes
        self.element = self.element or other.element


@lru_cache(4096)
def use_of(function: Callable[..., Any], parameter: str, depth: int = _DEPTH) -> Use:
    """Return how a function, or the constructor and methods of a class, use an argument."""
    found = Use()
    if inspect.isclass(function):
        methods = [value for base in function.__mro__ for value in vars(base).values() if inspect.isfunction(value)]
        first = vars(function).get("__init__") or getattr(function, "__init__", None)
        if first is None or (tree := tree_of(first)) is None:
            return found
        found.merge(_in_tree(tree, {parameter}, first, depth, function))
        kept = {
            ast.unparse(target)
            for node in ast.walk(tree)
            if isinstance(node, ast.Assign) and _is(_unwrapped(node.value), {parameter})
            for target in node.targets
            if isinstance(target, ast.Attribute)
        }
        for method in methods if kept else ():
            inner = tree_of(method)
            if inner is not None:
                found.merge(_in_tree(inner, kept, method, depth, function))
        return found
    tree = tree_of(function)
    return found if tree is None else _in_tree(tree, {parameter}, function, depth, None)


def _is(node: ast.AST, names: set[str]) -> bool:
    return isinstance(node, ast.Name | ast.Attribute | ast.Subscript) and ast.unparse(node) in names


def _unwrapped(node: ast.expr) -> ast.expr:
    """Return the value that an expression copies or converts: x of np.array(x), list(x) and x.copy()."""
    if isinstance(node, ast.Call) and node.args and ast.unparse(node.func).rpartition(".")[2] in _COPIES:
        return node.args[0]
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "copy":
        return node.func.value
    return node


def _first(index: ast.expr) -> ast.expr:
    """Return the index along the first axis: x of W[x] and of W[x, :]."""
    return index.elts[0] if isinstance(index, ast.Tuple) and index.elts else index


def _in_tree(tree: ast.AST, names: set[str], function: Callable[..., Any], depth: int, kind: type | None) -> Use:
    found = Use()
    names = names | {
        target.id
        for node in ast.walk(tree)
        if isinstance(node, ast.Assign) and _is(_unwrapped(node.value), names)
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign):
            _of_assignment(node, names, found)
        elif isinstance(node, ast.Subscript) and _is(node.value, names) and isinstance(node.ctx, ast.Load):
            _of_index(node, found)
        elif isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Load) and _is(_first(node.slice), names):
            found.indexes = True
        elif isinstance(node, ast.Subscript) and _is_shape(node.value, names):
            found.array = True
            if isinstance(node.slice, ast.Constant) and isinstance(node.slice.value, int):
                found.least = max(found.least, node.slice.value + 1)
        elif isinstance(node, ast.Attribute) and _is(node.value, names):
            if node.attr in _OF_ARRAYS:
                found.array |= node.attr in ("shape", "T", "dot", "ndim", "reshape", "sum", "transpose")
            elif node.attr not in found.attributes:
                found.attributes.append(node.attr)
        elif isinstance(node, ast.Call):
            _of_call(node, names, found, function, depth, kind)
        elif isinstance(node, ast.For | ast.comprehension) and _goes_through(node.iter, names):
            found.through = True
        elif isinstance(node, ast.BinOp) and (_is(node.left, names) or _is(node.right, names)):
            found.array |= isinstance(node.op, ast.MatMult)
        elif isinstance(node, ast.Compare) and _is(node.left, names):
            texts = [c.value for c in ast.walk(node) if isinstance(c, ast.Constant) and isinstance(c.value, str)]
            texts += _words_in(node.comparators[0], function, kind)
            found.words += [text for text in texts if text not in found.words]
            equal = [c.value for c in ast.walk(node) if isinstance(node.ops[0], ast.Eq) and isinstance(c, ast.Constant)]
            found.numbers += [n for n in equal if type(n) is int and n > 1 and n not in found.numbers]
    if found.through and depth:
        elements = set(_elements(tree, names))
        if elements:
            found.element = _in_tree(tree, elements, function, depth - 1, kind)
            inside = found.element.any_axes
            if inside is not None:
                found.least, found.array = max(found.least, inside + 1), True
    return found


def _words_in(node: ast.expr, function: Callable[..., Any], kind: type | None) -> list[str]:
    """Return the words of a global table or list, or one of the class, as in `name in ACTIVATIONS.keys()`."""
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "keys":
        node = node.func.value
    if isinstance(node, ast.Name):
        held = getattr(function, "__globals__", {}).get(node.id)
    else:
        held = getattr(kind, node.attr, None) if isinstance(node, ast.Attribute) else None
    return [word for word in held if isinstance(word, str)] if isinstance(held, dict | list | tuple | set) else []


def _is_shape(node: ast.AST, names: set[str]) -> bool:
    return (isinstance(node, ast.Attribute) and node.attr == "shape" and _is(node.value, names)) or (
        isinstance(node, ast.Call)
        and ast.unparse(node.func) in ("np.shape", "numpy.shape")
        and _is(node.args[0], names)
    )


def _goes_through(node: ast.AST, names: set[str]) -> bool:
    if isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Slice):
        node = node.value
    if isinstance(node, ast.Call) and ast.unparse(node.func) in _THROUGH:
        return any(_goes_through(argument, names) for argument in node.args)
    return _is(node, names)


def _elements(tree: ast.AST, names: set[str]) -> Iterator[str]:
    """Yield the names of the elements of a list, as in for layer in layers, or layers[i]."""
    for node in ast.walk(tree):
        if isinstance(node, ast.For | ast.comprehension) and _goes_through(node.iter, names):
            target: ast.AST = node.target
            if isinstance(target, ast.Tuple):
                numbered = isinstance(node.iter, ast.Call) and ast.unparse(node.iter.func) == "enumerate"
                arguments = node.iter.args if isinstance(node.iter, ast.Call) else []
                place = 1 if numbered else next((i for i, a in enumerate(arguments) if _goes_through(a, names)), 0)
                target = target.elts[min(place, len(target.elts) - 1)]
            if isinstance(target, ast.Name):
                yield target.id
        elif (
            isinstance(node, ast.Subscript)
            and _is(node.value, names)
            and not isinstance(node.slice, ast.Slice | ast.Tuple)
        ):
            yield ast.unparse(node)


def _of_assignment(node: ast.Assign, names: set[str], found: Use) -> None:
    target = node.targets[0]
    if not isinstance(target, ast.Tuple | ast.List) or any(isinstance(e, ast.Starred) for e in target.elts):
        return
    if _is_shape(node.value, names):
        found.axes, found.array = len(target.elts), True
    elif _is(node.value, names):
        found.parts = [e.id if isinstance(e, ast.Name) else "" for e in target.elts]


def _of_index(node: ast.Subscript, found: Use) -> None:
    at = node.slice
    if isinstance(at, ast.Constant) and isinstance(at.value, str):
        if at.value not in found.keys:
            found.keys.append(at.value)
    elif isinstance(at, ast.Tuple):
        if not any(isinstance(e, ast.Constant) and e.value in (None, ...) for e in at.elts):
            found.least = max(found.least, len(at.elts))
        found.array = True
    else:
        found.through = True


def _of_call(
    node: ast.Call, names: set[str], found: Use, function: Callable[..., Any], depth: int, kind: type | None
) -> None:
    called = ast.unparse(node.func)
    if _is(node.func, names):
        found.called = len(node.args) + len(node.keywords)
        return
    place = next((i for i, a in enumerate(node.args) if _is(a, names)), None)
    word = next((k.arg for k in node.keywords if _is(k.value, names)), None)
    last = called.rpartition(".")[2]
    sizes = [
        a
        for argument in node.args
        for a in (argument.elts if isinstance(argument, ast.Tuple | ast.List) else [argument])
    ]
    if last in _SIZES and any(_is(a, names) for a in sizes):
        found.whole = True
    if place is None and word is None:
        return
    if called in _THROUGH:
        found.through = True
    elif last in ("dot", "matmul", "einsum", "exp", "maximum"):
        found.array = True
    elif last in ("convolve2d", "correlate2d"):
        found.axes, found.array = 2, True
    elif last == "pad" and len(node.args) > 1 and isinstance(node.args[1], ast.Tuple | ast.List) and place == 0:
        pairs = [e for e in node.args[1].elts if isinstance(e, ast.Tuple | ast.List)]
        found.axes = len(pairs) or found.axes
    elif last == "transpose" and len(node.args) == 2 and isinstance(node.args[1], ast.Tuple | ast.List):
        found.axes = len(node.args[1].elts)
    elif depth:
        _handed_on(called, place, word, found, function, depth, kind)


def _handed_on(
    called: str,
    place: int | None,
    word: str | None,
    found: Use,
    function: Callable[..., Any],
    depth: int,
    kind: type | None,
) -> None:
    """Add the uses of the value in the author's function to which it is passed."""
    other: Any = None
    if called.startswith("self.") and kind is not None:
        other = getattr(kind, called[5:], None)
    elif "." not in called:
        other = getattr(inspect.unwrap(function), "__globals__", {}).get(called)
    if not inspect.isfunction(other) or other is function:
        return
    parameters = list(inspect.signature(other).parameters)
    if called.startswith("self.") and parameters[:1] == ["self"]:
        parameters = parameters[1:]
    name = word if word is not None else parameters[place] if place is not None and place < len(parameters) else None
    if name in parameters:
        tree = tree_of(other)
        if tree is not None:
            found.merge(_in_tree(tree, {name}, other, depth - 1, kind))
