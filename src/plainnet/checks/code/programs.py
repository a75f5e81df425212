"""Programs of the same project that use a file: they show how its functions are called."""

from __future__ import annotations

import argparse
import builtins
import contextlib
import io
import itertools
import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from plainnet.checks.code.loading import package_of, roots_of

_MARKS = (".git", "pyproject.toml", "setup.py", "setup.cfg")
_HIGHEST = 4  # levels of folders searched for these
_MOST_PROGRAMS, _MOST_FILES, _LONGEST = 3, 300, 1_000_000
_NOT_OURS = ("node_modules", "site-packages", "build", "dist")
_LIKELY = re.compile(r"(?i)main|train|run|demo|example|experiment|mnist|xor")


def project_of(path: Path) -> Path:
    """Return the project folder of a file: the one that holds its outermost package, or .git or pyproject.toml.

    A folder above counts too if a file in it imports from the folder below by name.
    """
    text = path.read_text(errors="replace") if path.suffix == ".py" and path.is_file() else ""
    folder = path.parents[max(package_of(path, text).count("."), 0)]  # as high as its relative imports go
    while (folder / "__init__.py").exists() and folder != folder.parent:
        folder = folder.parent
    above = [path.parent, *path.parent.parents][:_HIGHEST]
    marked = next((up for up in above if any((up / mark).exists() for mark in _MARKS)), folder)
    importing = [
        up.parent
        for up in above[:2]
        if any(_imports_from(other, up.name) for other in itertools.islice(_files(up.parent, below=False), _MOST_FILES))
    ]
    return min(folder, marked, *importing, *roots_of(path, text), key=lambda up: len(up.parts))


def _files(folder: Path, *, below: bool) -> Iterator[Path]:
    """Yield the Python files and notebooks of a folder, and of those below it, but not of installed packages or hidden folders."""
    for here, folders, names in os.walk(folder):
        if "pyvenv.cfg" in names:
            folders.clear()
            continue
        yield from (Path(here) / name for name in sorted(names) if name.endswith((".py", ".ipynb")))
        folders[:] = sorted(f for f in folders if f[0] not in "._" and f not in _NOT_OURS) if below else []


def _text_of(path: Path) -> str:
    try:
        with path.open(errors="replace") as file:
            return file.read(_LONGEST)
    except OSError:  # a file that may not be read is no program
        return ""


def _imports_from(path: Path, folder: str) -> bool:
    return re.search(rf'^[\s"]*(from|import)\s+{re.escape(folder)}\b', _text_of(path), re.M) is not None


def programs_beside(path: Path, project: Path) -> list[Path]:
    """Return the files of a project that import a file by its name, or import one that does, likely programs first."""
    files = itertools.islice(_files(project, below=True), _MOST_FILES)
    texts = {other: _text_of(other) for other in files if other != path}
    found: list[Path] = []
    wanted = [path]
    while wanted and len(found) < _MOST_PROGRAMS:
        new = [f for f in texts if f not in found and any(_imports(texts[f], other.stem) for other in wanted)]
        found += sorted(new, key=lambda other: (not _LIKELY.search(other.stem), len(other.parts)))
        wanted = new
    return found[:_MOST_PROGRAMS]


def _imports(text: str, name: str) -> bool:
    return re.search(rf'^[\s"]*(from|import)\s[^#\n]*\b{re.escape(name)}\b', text, re.M) is not None


@contextlib.contextmanager
def answered() -> Iterator[None]:
    """Give a program the arguments that it requires: the last choice, or a value of their type. Questions are answered by 1."""
    right: Callable[..., Any] = argparse.ArgumentParser.parse_args

    def parse(self: argparse.ArgumentParser, *arguments: Any, **options: Any) -> Any:
        try:
            with contextlib.redirect_stderr(io.StringIO()):
                return right(self, *arguments, **options)
        except SystemExit:
            actions = [action for action in self._actions if action.dest != "help"]
            return argparse.Namespace(**{action.dest: _value(action) for action in actions})

    asked = builtins.input
    argparse.ArgumentParser.parse_args = parse  # type: ignore[method-assign]
    builtins.input = lambda *_: "1"
    try:
        yield
    finally:
        argparse.ArgumentParser.parse_args = right  # type: ignore[method-assign]
        builtins.input = asked


def _value(action: argparse.Action) -> Any:
    if action.default is not None or not (action.required or not action.option_strings):
        return action.default
    if action.choices:
        return list(action.choices)[-1]
    return 2 if action.type is int else 0.1 if action.type is float else "data"
