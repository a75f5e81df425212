"""Load a file one statement at a time, and the author's own files that it imports in the same way.

A statement that fails is skipped and noted. Only imports, definitions and assignments run, so no training starts. A missing package is
replaced by a stand-in, for the author's own files only. A stand-in raises an error if the code computes with it.
"""

from __future__ import annotations

import ast
import contextlib
import copy
import importlib
import itertools
import linecache
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from pathlib import Path
from types import CodeType, ModuleType
from typing import Any

from plainnet.checks.code.dialects import helpers, of_old
from plainnet.checks.code.episode import AT_FIRST, data_of, within
from plainnet.checks.code.looks import OWN
from plainnet.checks.code.missing_files import make_up_missing_files
from plainnet.checks.code.stand_ins import stand_ins
from plainnet.checks.code.substitutes import substitute, substitute_in_functions
from plainnet.checks.code.texts import NotPythonError, code_of, parsed

_SECONDS, _TO_IMPORT = 4.0, 20.0  # for one statement
_EPOCHS = r"(?i)(n_?|num_?|max_?)?(epochs?|iters?|iterations?)"
_DEFINES = (
    ast.Import,
    ast.ImportFrom,
    ast.FunctionDef,
    ast.ClassDef,
    ast.Assign,
    ast.AnnAssign,
    ast.AugAssign,
    ast.Try,
    ast.If,
)


@dataclass
class Loaded:
    """A file, run as far as possible: its module, text and syntax tree, what failed, and which packages are stand-ins."""

    module: ModuleType
    text: str
    tree: ast.Module
    failed: list[str] = field(default_factory=list)
    stand_ins: list[str] = field(default_factory=list)
    defined: bool = False  # whether its definitions run or have run
    substituted: list[int] = field(default_factory=list)  # lines with made-up data
    python_2: bool = False


def load(path: str | Path) -> Loaded:
    """Run the definitions of a file.

    Raises: `NotPythonError` if its text cannot be read as Python.
    """
    path = Path(path)
    text, tree, python_2, left_out = parsed(code_of(path))
    module = ModuleType("examined")
    module.__file__ = str(path)
    module.__package__ = package_of(path, text)
    _namespace(path, module.__package__)
    sys.modules["examined"] = module
    loaded = Loaded(module, text, tree, left_out, python_2=python_2)
    folders = list(dict.fromkeys([path.parent, *list(path.parent.parents)[:3], *roots_of(path, text)]))
    sys.path[:0] = [str(folder) for folder in folders if str(folder) not in sys.path]
    sys.meta_path[:] = [
        _OwnFiles(folders, loaded),
        *(f for f in sys.meta_path if not isinstance(f, _OwnFiles)),
    ]
    if (path.parent / "__init__.py").exists() and module.__package__:  # Python, too, would import the package first
        with contextlib.suppress(Exception), stand_ins(path.parent, loaded.stand_ins), within(_SECONDS):
            importlib.import_module(module.__package__)
    make_up_missing_files(loaded.substituted, str(path))
    if not loaded.defined:
        _define(loaded)
    substitute_in_functions(str(path), loaded.substituted)
    for name, value in vars(module).items():
        if type(value) is int and value > 1 and re.fullmatch(_EPOCHS, name):
            vars(module)[name] = 1  # one step of training is enough
    vars(module)[AT_FIRST] = copy.deepcopy(data_of(module))
    return loaded


def roots_of(path: Path, text: str) -> list[Path]:
    """Return the folders above a file that hold another one which the file imports from by name: course for course.week1."""
    imported = set(re.findall(r"^\s*(?:from|import) +(\w+)\.", text, re.M))
    return [up.parent for up in path.parents[:-2] if up.name in imported]


def program_of(path: str | Path) -> Loaded:
    """Return a program that is parsed but not run yet.

    Raises: `NotPythonError` if its text cannot be read as Python.
    """
    path = Path(path)
    text, tree, python_2, left_out = parsed(code_of(path))
    module = ModuleType("program")
    module.__file__ = str(path)
    module.__package__ = package_of(path, text)
    _namespace(path, module.__package__)
    sys.modules["program"] = module
    vars(module).update(helpers() | {OWN: True})
    sys.path[:0] = [str(folder) for folder in dict.fromkeys([path.parent, *roots_of(path, text)])]
    return Loaded(module, text, tree, left_out, python_2=python_2)


def package_of(path: Path, text: str) -> str:
    """Return the name of the package of a file: as high as its relative imports go, and as there is an `__init__.py`."""
    up = max((len(dots) for dots in re.findall(r"^\s*from (\.+)", text, re.M)), default=0)
    if up:
        marked = itertools.takewhile(lambda folder: (folder / "__init__.py").exists(), path.parents)
        up = max(up, sum(1 for _ in marked))
    return ".".join(folder.name for folder in reversed([path.parent, *path.parent.parents][:up]))


def _namespace(path: Path, package: str) -> None:
    """Create the packages of a file that have no `__init__.py`, without importing anything around them."""
    names = package.split(".") if package else []
    for number in range(len(names)):
        name, folder = ".".join(names[: number + 1]), path.parents[len(names) - 1 - number]
        if name not in sys.modules and not (folder / "__init__.py").exists():
            sys.modules[name] = made = ModuleType(name)
            made.__path__ = [str(folder)]


def _define(loaded: Loaded) -> None:
    """Run the statements of a file that define something, but none that train."""
    path, text, module = str(loaded.module.__file__), loaded.text, loaded.module
    loaded.defined = True
    linecache.cache[path] = (len(text), None, text.splitlines(keepends=True), path)
    vars(module).update(helpers() | {OWN: True})
    if re.search(r"\bnp\.", text) and not re.search(r"import numpy\b|numpy import|\bas np\b|import \*", text):
        loaded.failed.append("NumPy is not imported as np; it was")
        vars(module)["np"] = importlib.import_module("numpy")
    if loaded.python_2:
        loaded.failed.append("this is Python 2 code; print statements and similar syntax were converted")
        vars(module).update(xrange=range, raw_input=input, unicode=str, basestring=str, long=int)
    with stand_ins(Path(path).parent, loaded.stand_ins):
        for statement in _imported(loaded.tree):
            defines = isinstance(statement, _DEFINES) and not _trains(statement)
            if defines or _sets_up(statement, loaded.tree):
                run_statement(statement, loaded)


class _OwnFiles(MetaPathFinder):
    """Find the author's own files that a file imports, and run them in the same way."""

    def __init__(self, folders: list[Path], loaded: Loaded) -> None:
        self.folders, self.loaded = [str(folder.resolve()) for folder in folders], loaded
        self.packages = set(
            re.findall(r"^\s*(?:from|import) (\w+)\.", loaded.text, re.M)
        )  # folders from which a module is imported
        self.package = str(loaded.module.__package__).partition(".")[0]  # layer/, which may hold another layer.py

    def find_spec(self, fullname: str, path: Any, target: ModuleType | None = None) -> ModuleSpec | None:
        """Return where a module is, if the author wrote it."""
        wanted = fullname in self.packages or fullname == self.package
        packages = [folder for folder in self.folders if wanted and (Path(folder) / fullname).is_dir()]
        spec = PathFinder.find_spec(fullname, path if path is not None or not packages else packages)
        spec = spec or self._in_another_case(fullname)
        origin = str(spec.origin or "") if spec is not None else ""
        if (
            spec is None
            or not origin.endswith(".py")
            or "site-packages" in origin
            or origin.startswith(sys.base_prefix)
        ):
            return None
        if not any(origin.startswith(folder) for folder in self.folders):
            return None
        if Path(origin) == Path(str(self.loaded.module.__file__)).resolve():
            spec.loader = _Itself(self.loaded)
        else:
            spec.loader = _OwnFile(fullname, origin, self.loaded.stand_ins)
        return spec

    def _in_another_case(self, name: str) -> ModuleSpec | None:
        """Return Layer.py for `layer`: on many systems, the case of a file name does not count."""
        beside = [path for folder in self.folders[:1] for path in Path(folder).glob("*.py")]
        path = next((str(path) for path in beside if path.stem.lower() == name.lower()), None)
        return None if path is None else ModuleSpec(name, SourceFileLoader(name, path), origin=path)


class _Itself(Loader):
    """Give the examined module to a file that imports it."""

    def __init__(self, loaded: Loaded) -> None:
        self.loaded = loaded

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        """Return the module."""
        return self.loaded.module

    def exec_module(self, module: ModuleType) -> None:
        """Run its definitions, unless they run or have run."""
        if not self.loaded.defined:
            _define(self.loaded)


class _OwnFile(SourceFileLoader):
    def __init__(self, fullname: str, origin: str, replaced: list[str]) -> None:
        super().__init__(fullname, origin)
        self.replaced = replaced

    def exec_module(self, module: ModuleType) -> None:
        """Run the definitions of the file.

        Raises: `ImportError` if its text cannot be read as Python.
        """
        try:
            text, tree, python_2, _ = parsed(code_of(Path(self.path)))
        except NotPythonError as error:
            raise ImportError(f"{self.path}: {error}") from None
        _define(Loaded(module, text, tree, stand_ins=self.replaced, python_2=python_2))


def compiled(statements: list[ast.stmt], loaded: Loaded) -> CodeType:
    """Compile statements of a file, with outdated operations replaced."""
    tree = of_old(copy.deepcopy(ast.Module(statements, [])), python_2=loaded.python_2)
    return compile(tree, str(loaded.module.__file__), "exec")


def run_statement(statement: ast.stmt, loaded: Loaded) -> bool:
    """Run one statement of a file; note it if it fails."""
    code = compiled([statement], loaded)
    try:
        with within(_TO_IMPORT if isinstance(statement, ast.Import | ast.ImportFrom) else _SECONDS):
            exec(code, vars(loaded.module))  # noqa: S102  (running the user's own file is what was asked for)
    except (Exception, SystemExit) as error:
        instead = substitute(statement, vars(loaded.module))
        if instead is not None:
            vars(loaded.module).update(instead)
            loaded.substituted.append(statement.lineno)
            return True
        loaded.failed.append(f"line {statement.lineno}: {type(error).__name__}: {error}"[:200])
        return False
    return True


def _sets_up(statement: ast.stmt, tree: ast.Module) -> bool:
    """Return whether a statement calls something that is not the author's own: np.random.seed(0), sys.path.append("..")."""
    if not isinstance(statement, ast.Expr) or not isinstance(statement.value, ast.Call):
        return False
    root = ast.unparse(statement.value.func).partition(".")[0].partition("(")[0]
    imported = {
        (a.asname or a.name).partition(".")[0]
        for node in ast.walk(tree)
        if isinstance(node, ast.Import | ast.ImportFrom)
        for a in node.names
    }
    return root in imported or root in ("open", "setattr", "__import__")


def _imported(tree: ast.Module) -> Iterator[ast.stmt]:
    """Yield the statements that run if the file is imported: of `if __name__ == "__main__"`, the `else`, or the imports."""
    for statement in tree.body:
        if isinstance(statement, ast.If) and "__name__" in ast.unparse(statement.test):
            yield from statement.orelse or (s for s in statement.body if isinstance(s, ast.Import | ast.ImportFrom))
        else:
            yield statement


def _trains(statement: ast.stmt) -> bool:
    """Return whether a statement is an `if` or `try` that does more than import and define, or stores trained values."""
    if isinstance(statement, ast.Assign) and isinstance(statement.value, ast.Call):
        return bool(
            re.search(
                r"(?i)train|descent|fit$|optimi[sz]e|minimize|^main$|(^|_)model$", ast.unparse(statement.value.func)
            )
        )
    if not isinstance(statement, ast.If | ast.Try):
        return False
    return any(isinstance(inner, ast.For | ast.While) for inner in ast.walk(statement))
