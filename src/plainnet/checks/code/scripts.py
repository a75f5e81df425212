"""Training loops at the top level of a file, or in a function that takes everything it needs.

The body of the innermost training loop runs once, unchanged, from the values that its names have at that point. The parameters are
the arrays that it changes and that its loss depends on. Their changes are the claimed gradients, times the learning rate.
"""

from __future__ import annotations

import ast
import copy
import itertools
import re
from collections.abc import Callable, Iterator
from types import ModuleType
from typing import Any

import numpy as np

from plainnet.checks.code.constructing import constructions
from plainnet.checks.code.episode import MODULE, Episode, Names, data_of, note, seed_everything, within
from plainnet.checks.code.loading import Loaded, compiled, run_statement
from plainnet.checks.code.looks import own_classes
from plainnet.checks.code.loops import LOSS_WORD, Loop
from plainnet.checks.code.resizing import with_sizes_that_fit
from plainnet.checks.code.roles import D, K, M, N, number, random, role_of

_PARTS = ("before", "headers", "body")  # of a loop
_SECONDS = 8.0
_BEFORE = 20.0
_MOST_TABLES, _MOST_EPISODES = 600, 60


def episodes_of_loop(loop: Loop, loaded: Loaded) -> Iterator[Episode]:
    """Yield ways to run one step of a training loop."""
    if loop.kind:
        private = _Mangled(loop.kind)
        parts: Any = {part: [private.visit(copy.deepcopy(s)) for s in getattr(loop, part)] for part in _PARTS}
        loop = loop._replace(**parts)
    named = loop._replace(body=[_NamedSides().visit(copy.deepcopy(statement)) for statement in loop.body])
    in_place = loop.function is None or _changes_globals(loop.function)
    for episode in _of_the_file(named, loaded) if in_place else _of_a_function(named, loaded):
        episode.options["body"] = loop.body
        yield episode


def _changes_globals(function: ast.FunctionDef) -> bool:
    """Return whether a function without arguments trains global names, so that its loop may run as if it were outside."""
    return not function.args.args and any(isinstance(node, ast.Global) for node in ast.walk(function))


def _of_the_file(loop: Loop, loaded: Loaded) -> Iterator[Episode]:
    module = loaded.module
    quiet = copy.copy(loaded)
    quiet.failed = []
    with within(_BEFORE):
        for statement in loop.before:
            if not isinstance(statement, ast.FunctionDef | ast.ClassDef | ast.Import | ast.ImportFrom):
                run_statement(statement, quiet)
        for header in loop.headers:
            _enter(header, vars(module), quiet)
    code = _compiled(loop.body, loaded)
    data = data_of(module, everything=True)
    entered = _entered(loop, vars(module))

    def forward(names: Names) -> None:
        vars(module).update(copy.deepcopy(entered))
        exec(code, vars(module))  # noqa: S102

    yield _episode(loop, {MODULE: data}, forward, module, str(loop.line))


def _enter(header: ast.stmt, names: Names, loaded: Loaded) -> None:
    """Set the variables of a loop to their first values; run the statements before an inner loop."""
    filename = str(loaded.module.__file__)
    if isinstance(header, ast.For):
        values = eval(compile(ast.Expression(header.iter), filename, "eval"), names)  # noqa: S307
        first = next(iter(values))
        names["__first__"] = first
        exec(f"{ast.unparse(header.target)} = __first__", names)  # noqa: S102
        names.pop("__first__")
    elif not isinstance(header, ast.While):
        exec(_compiled([header], loaded), names)  # noqa: S102


def _entered(loop: Loop, names: Names) -> Names:
    """Return the variables that the headers of a loop set: every step gets them anew, whatever its body does to them."""
    targets = [node.target for node in loop.headers if isinstance(node, ast.For)]
    wanted = {node.id for target in targets for node in ast.walk(target) if isinstance(node, ast.Name)}
    return {name: copy.deepcopy(names[name]) for name in wanted if name in names}


class _NamedSides(ast.NodeTransformer):
    """Name the two sides of a difference, such as w * x + b - y: one of them may be the output, and then it is a result."""

    def __init__(self) -> None:
        self.count = itertools.count()

    def visit_BinOp(self, node: ast.BinOp) -> ast.AST:
        self.generic_visit(node)
        if isinstance(node.op, ast.Sub):
            node.left, node.right = self._named(node.left), self._named(node.right)
        return node

    def _named(self, side: ast.expr) -> ast.expr:
        if not isinstance(side, ast.BinOp | ast.Call):
            return side
        name = ast.Name(f"_side_{next(self.count)}", ast.Store())
        return ast.copy_location(ast.NamedExpr(ast.copy_location(name, side), side), side)

    def visit_Lambda(self, node: ast.expr) -> ast.AST:
        return node

    visit_ListComp = visit_GeneratorExp = visit_FunctionDef = visit_Lambda  # type: ignore[assignment]


class _NoJumps(ast.NodeTransformer):
    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        return node

    visit_For = visit_While = visit_FunctionDef  # type: ignore[assignment]

    def visit_Return(self, node: ast.stmt) -> ast.AST:
        return ast.copy_location(ast.Pass(), node)

    visit_Break = visit_Continue = visit_Return


def _without_jumps(statement: ast.stmt) -> ast.stmt:
    changed: ast.stmt = _NoJumps().visit(copy.deepcopy(statement))
    return changed


class _Mangled(ast.NodeTransformer):
    """Write private names as Python does inside a class: self._Net__weights for self.__weights."""

    def __init__(self, kind: str) -> None:
        self.kind = kind.lstrip("_")

    def visit_Attribute(self, node: ast.Attribute) -> ast.AST:
        self.generic_visit(node)
        if node.attr.startswith("__") and not node.attr.endswith("__"):
            node.attr = f"_{self.kind}{node.attr}"
        return node


def _compiled(body: list[ast.stmt], loaded: Loaded) -> Any:
    return compiled([_without_jumps(statement) for statement in body], loaded)


def _of_a_function(loop: Loop, loaded: Loaded) -> Iterator[Episode]:
    """Yield ways to run one step of a loop in a function, with arguments guessed from their names."""
    assert loop.function is not None
    module = loaded.module
    holder = own_classes(module).get(loop.kind) if loop.kind else module
    function = getattr(holder, loop.function.name, None)
    if function is None:
        return
    makes: list[Any] = [None]
    if loop.kind:
        makes = [made for _, made in itertools.islice(constructions(holder, module), 3)]  # type: ignore[arg-type]
    arguments = [a.arg for a in loop.function.args.args if a.arg != "self"]
    defaults = dict(zip(arguments[::-1], loop.function.args.defaults[::-1], strict=False))
    code = _compiled(loop.body, loaded)
    given = frozenset(a for a in arguments if role_of(a) in ("input", "target", ""))

    pairs = list(_differences(loop.body))

    def bound(table: Names) -> Iterator[Episode]:
        names = copy.deepcopy(table)
        try:
            with within(_SECONDS), np.errstate(all="ignore"):
                start = _before(loop, names, defaults, loaded)
                run = _runs(code, module, _entered(loop, start))
                after = copy.deepcopy(start)
                run(after)
        except Exception as error:
            note(error)
            return
        if any(_is_stretched(one, other, after) for sides in pairs for one, other in (sides, sides[::-1])):
            return
        sure = all(len(a) > 1 or a in "XxYyWwbt" for a in arguments)  # single letters may be anything
        label = ", ".join(f"{a} {np.shape(names[a])}" for a in given if a in names)
        episode = _episode(loop, start, run, module, label, given)
        episode.options["sure"] = sure
        yield episode

    tables: list[Names] = []
    for made in makes:
        choices = [
            _choices(a, made) if a not in defaults or role_of(a) in ("epochs", "target") else [_DEFAULT]
            for a in arguments
        ]
        every = list(itertools.islice(itertools.product(*choices), 20 * _MOST_TABLES))
        for values in every[:: 1 + len(every) // _MOST_TABLES]:
            names: Names = {a: v for a, v in zip(arguments, values, strict=True) if v is not _DEFAULT}
            tables.append(names | ({"self": made} if loop.kind else {}))
    found: Iterator[Episode] = itertools.chain.from_iterable(map(bound, tables))
    first = next(found, None)
    if first is None:
        found = with_sizes_that_fit(iter(tables), bound)
    else:
        yield first
    yield from itertools.islice(found, _MOST_EPISODES)


_DEFAULT = object()


def _choices(name: str, made: Any) -> list[Any]:
    role = role_of(name)
    if role == "weight":
        return [random(D, 1, seed=1), random(D, seed=1), random(D, M, seed=1), random(M, D, seed=1), 0.7]
    if role == "bias":
        return [0.3, random(1, M, seed=2), random(M, 1, seed=2)]
    if role == "input":
        return [random(N, D), random(D, N), random(N, 2), random(N)]
    if role == "target":
        classes = np.array([0, 2, 1, 3, 3, 0])
        return [
            random(N, 1),
            (random(N) > 0) * 1,
            np.eye(K)[classes],
            (random(1, N) > 0) * 1.0,
            classes,
            np.eye(K)[classes].T,
            random(N),
        ]
    constant = number(role, name)
    if constant is not None:
        return [constant]
    if re.search(r"layers?|dims|sizes|structure", name):
        return [[D, M, 1], [D, M, K]]
    if re.search(r"hidden|units|n_h|nodes", name):
        return [M]
    return [random(N, D), 1, "relu"]


def _before(loop: Loop, names: Names, defaults: dict[str, ast.expr], loaded: Loaded) -> Names:
    """Run the statements before the loop, and enter it; return the data that its body may use."""
    module = loaded.module
    table: Names = {**vars(module)}
    filename = str(module.__file__)
    for name, value in defaults.items():
        table[name] = eval(compile(ast.Expression(value), filename, "eval"), table)  # noqa: S307
    table |= names
    seed_everything()
    for statement in loop.before:
        exec(compile(ast.Module([_without_jumps(statement)], []), filename, "exec"), table)  # noqa: S102
    for header in loop.headers:
        _enter(header, table, loaded)
    return {key: value for key, value in table.items() if key not in vars(module) or value is not vars(module)[key]}


def _runs(code: Any, module: ModuleType, entered: Names) -> Callable[[Names], None]:
    def forward(names: Names) -> None:
        names.update(copy.deepcopy(entered))
        table = {**vars(module), **{key: value for key, value in names.items() if key != MODULE}}
        exec(code, table)  # noqa: S102
        for key, value in table.items():
            own = key in names or key not in vars(module) or value is not vars(module)[key]
            if own and key != "__builtins__" and not isinstance(value, ModuleType) and not callable(value):
                names[key] = value

    return forward


def _episode(
    loop: Loop,
    names: Names,
    forward: Callable[[Names], None],
    module: ModuleType,
    label: str,
    given: frozenset[str] = frozenset(),
) -> Episode:
    return Episode(
        loop.name, "loop", label, names, forward, None, {}, given=given, module=module, way=(loop.name, label),
        options={"loss": LOSS_WORD, "differences": list(_differences(loop.body)), "script": True},
    )  # fmt: skip


def _differences(body: list[ast.stmt]) -> Iterator[tuple[str, str]]:
    """Yield the two sides of every difference in a body; one may be the output and the other the target."""
    for statement in body:
        for node in ast.walk(statement):
            if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Sub):
                yield _side(node.left), _side(node.right)


def _is_stretched(output: str, target: str, names: Names) -> bool:
    """Return whether a difference broadcasts a target to the shape of an output, so that they do not belong together."""
    y, t = names.get(output), names.get(target)
    if role_of(target) != "target" or not isinstance(y, np.ndarray) or not isinstance(t, np.ndarray):
        return False
    return y.shape != t.shape


def _side(node: ast.expr) -> str:
    return ast.unparse(node.target if isinstance(node, ast.NamedExpr) else node)
