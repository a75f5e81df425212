"""Loads layers that the user defines in a Python file. Only the user can name that file; no model or recipe can."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

from plainnet.errors import InputError
from plainnet.foreign.showing import shown
from plainnet.layers import OWN_LAYERS, Layer


def where_it_failed(error: BaseException) -> str | None:
    """Return the file and line in the user's own layers where an error arose, or None if it arose elsewhere."""
    found = None
    trace = error.__traceback__
    while trace is not None:
        if str(trace.tb_frame.f_globals.get("__name__", "")).startswith(OWN_LAYERS):
            found = f"{trace.tb_frame.f_code.co_filename}, line {trace.tb_lineno},"
        trace = trace.tb_next
    return found


def mistake_of_ones_own(error: BaseException) -> str | None:
    """Return the message for an error in the user's own layers, or None for any other error."""
    place = where_it_failed(error)
    return None if place is None else f"{place} raised {type(error).__name__}: {shown(error)}; fix it there"


def read_layers(path: Path | None) -> tuple[type[Layer], ...]:
    """Run the file and return the layers that it defines; without a file, return none.

    Raises: `InputError` if it cannot be read, fails, or defines no layer.
    """
    if path is None:
        return ()
    if path.suffix != ".py" or not path.is_file():
        raise InputError(f"--layers takes a Python file that defines layers, received {path}")
    spec = importlib.util.spec_from_file_location(f"{OWN_LAYERS}{path.stem}", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # Python looks up the module of a class here
    sys.path.insert(0, str(path.resolve().parent))  # the file may import its neighbors
    try:
        spec.loader.exec_module(module)
    except BaseException as error:  # whatever the user's file raises
        if isinstance(error, KeyboardInterrupt):
            raise
        raise InputError(f"running {path} failed: {type(error).__name__}: {shown(error)}; fix it first") from error
    finally:
        del sys.path[0]
    found = tuple(
        value
        for value in vars(module).values()
        if isinstance(value, type) and issubclass(value, Layer) and value.__module__ == module.__name__
    )
    if not found:
        raise InputError(f"{path} defines no layer; derive a class from plainnet.Layer there")
    return found
