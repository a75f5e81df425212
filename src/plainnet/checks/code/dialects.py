"""Dialects: run files that were written for Python 2, for an older NumPy or scikit-learn, or for float32.

In Python 2, the division of two integers rounded down. Older versions of NumPy accepted an array of one number in place
of a number, and made an array of objects from arrays of different shapes. In float32, rounding hides faults, so
everything is computed in float64.
"""

from __future__ import annotations

import ast
from typing import Any

import numpy as np

_OLD_NAMES: dict[str, Any] = {
    "float": float, "int": int, "object": object, "bool": bool, "str": str, "complex": complex, "long": int,
    "float_": np.float64, "NaN": np.nan, "Inf": np.inf, "infty": np.inf, "product": np.prod, "cumproduct": np.cumprod,
    "alltrue": np.all, "sometrue": np.any, "row_stack": np.vstack, "mat": np.asmatrix, "asscalar": lambda a: a.item(),
    "asfarray": lambda a, dtype=float: np.asarray(a, dtype), "in1d": np.isin, "trapz": getattr(np, "trapezoid", None),
}  # fmt: skip


def old_names() -> None:
    """Restore names that NumPy has removed."""
    for name, value in _OLD_NAMES.items():
        if name not in vars(np):
            setattr(np, name, value)
    if not hasattr(np.lib, "pad"):
        setattr(np.lib, "pad", np.pad)  # noqa: B010


class Quotient(float):
    """A quotient of whole numbers that also works as an index: it is then rounded down, as in Python 2."""

    def __index__(self) -> int:
        return int(np.floor(self))

    def _with(self, operation: str, other: Any) -> Any:
        if isinstance(other, np.generic | np.ndarray):
            return NotImplemented  # NumPy's arithmetic returns NumPy numbers with a dtype
        value = getattr(float, operation)(self, other)
        return Quotient(value) if isinstance(value, float) and isinstance(other, int | Quotient) else value

    def __add__(self, other: Any) -> Any:
        return self._with("__add__", other)

    def __radd__(self, other: Any) -> Any:
        return self._with("__radd__", other)

    def __sub__(self, other: Any) -> Any:
        return self._with("__sub__", other)

    def __rsub__(self, other: Any) -> Any:
        return self._with("__rsub__", other)

    def __mul__(self, other: Any) -> Any:
        return self._with("__mul__", other)

    def __rmul__(self, other: Any) -> Any:
        return self._with("__rmul__", other)

    def __floordiv__(self, other: Any) -> Any:
        return self._with("__floordiv__", other)


def of_old(tree: ast.Module, *, python_2: bool) -> ast.Module:
    """Return the syntax tree of a file, with all operations replaced that have changed meaning since it was written."""
    return ast.fix_missing_locations(_Old("__divided__" if python_2 else "__quotient__").visit(tree))


def helpers() -> dict[str, Any]:
    """Return the functions that the replaced operations call."""
    return {
        "__divided__": _divided,
        "__quotient__": _quotient,
        "__number__": _number,
        "__put__": _put,
        "__array__": _array,
    }


class _Old(ast.NodeTransformer):
    """Replaces a / b, float(a), int(a), np.array(a), a[i] = b, and an argument that scikit-learn has renamed."""

    def __init__(self, division: str) -> None:
        self.division = division

    def visit_BinOp(self, node: ast.BinOp) -> ast.AST:
        self.generic_visit(node)
        if not isinstance(node.op, ast.Div):
            return node
        return _call(self.division, [node.left, node.right], node)

    def visit_Attribute(self, node: ast.Attribute) -> ast.AST:
        self.generic_visit(node)
        if ast.unparse(node) in ("np.float32", "numpy.float32", "np.single"):
            node.attr = "float64"
        return node

    def visit_Call(self, node: ast.Call) -> ast.AST:
        self.generic_visit(node)
        types = [keyword.value for keyword in node.keywords if keyword.arg == "dtype"]
        if isinstance(node.func, ast.Attribute) and node.func.attr == "astype":
            types += node.args[:1]
        for constant in types:
            if isinstance(constant, ast.Constant) and constant.value in ("float32", "f4"):
                constant.value = "float64"
        for keyword in node.keywords if ast.unparse(node.func).endswith("OneHotEncoder") else ():
            if keyword.arg == "sparse":
                keyword.arg = "sparse_output"  # its name since scikit-learn 1.2
        if isinstance(node.func, ast.Name) and node.func.id in ("float", "int") and len(node.args) == 1:
            return _call("__number__", [node.func, node.args[0]], node)
        if ast.unparse(node.func) in ("np.array", "numpy.array") and len(node.args) == 1 and not node.keywords:
            return _call("__array__", [node.args[0]], node)
        return node

    def visit_Assign(self, node: ast.Assign) -> ast.AST:
        self.generic_visit(node)
        target = node.targets[0]
        if len(node.targets) > 1 or not isinstance(target, ast.Subscript) or not isinstance(target.slice, ast.Tuple):
            return node
        if any(isinstance(e, ast.Slice | ast.Starred) for e in target.slice.elts):
            return node
        place = ast.Tuple(target.slice.elts, ast.Load())
        return ast.copy_location(ast.Expr(_call("__put__", [target.value, place, node.value], node)), node)


def _call(name: str, arguments: list[Any], node: ast.expr | ast.stmt) -> ast.Call:
    return ast.copy_location(ast.Call(ast.Name(name, ast.Load()), arguments, []), node)


def _is_whole(value: Any) -> bool:
    return isinstance(value, int | np.integer)


def _divided(a: Any, b: Any) -> Any:
    return a // b if _is_whole(a) and _is_whole(b) else a / b


def _quotient(a: Any, b: Any) -> Any:
    both = isinstance(a, int | np.integer | Quotient) and _is_whole(b)
    return Quotient(a / b) if both else a / b


def _number(kind: Any, value: Any) -> Any:
    return kind(value.item() if isinstance(value, np.ndarray) and value.size == 1 else value)


def _put(array: Any, place: Any, value: Any) -> None:
    one = isinstance(array, np.ndarray) and isinstance(value, np.ndarray) and value.size == 1 and value.ndim
    if one and all(_is_whole(index) for index in place) and len(place) == array.ndim:
        value = value.item()
    array[place] = value


def _array(value: Any) -> Any:
    try:
        return np.array(value)
    except ValueError:
        found = np.empty(len(value), object)
        for i, part in enumerate(value):  # found[:] = value would try to broadcast the parts
            found[i] = part
        return found
