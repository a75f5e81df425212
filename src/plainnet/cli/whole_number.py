"""Whole numbers as arguments: 1.5 is an error, not rounded to 1."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

from cyclopts import Parameter, Token

from plainnet.errors import InputError


def _whole(type_: Any, tokens: Sequence[Token]) -> int:
    text = tokens[0].value
    try:
        return int(text)
    except ValueError as error:
        raise InputError(f"{tokens[0].keyword} takes a whole number, received {text!r}") from error


WholeNumber = Annotated[int, Parameter(converter=_whole)]
