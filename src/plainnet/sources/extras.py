"""Imports the optional libraries that read tables, with a clear message if one is not installed."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from plainnet.errors import InputError


def pandas(what: str) -> Any:
    """Return pandas.

    Raises: `InputError` if it is not installed.
    """
    return _imported("pandas", what)


def pyarrow_parquet(what: str) -> Any:
    """Return pyarrow's reader of Parquet.

    Raises: `InputError` if it is not installed.
    """
    return _imported("pyarrow.parquet", what)


def _imported(module: str, what: str) -> Any:
    try:
        return import_module(module)
    except ImportError as error:
        name = module.partition(".")[0]
        raise InputError(
            f"{what} are read by {name}, which is not installed: pip install 'plainnet[tables]'"
        ) from error
