"""The space of a sweep: the values of a recipe that vary, each with its range or its choices."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from plainnet.config import number
from plainnet.errors import InputError
from plainnet.recipes import parse_override

_RANGE = re.compile(r"(log|uniform|int|logint)\(\s*([^,()]+?)\s*,\s*([^,()]+?)\s*\)")
_MOST_CHOICES = 1000
_WHOLE, _LOG = ("int", "logint"), ("log", "logint")
_FIXED = "data", "name", "title", "validate", "workers"
_HOW = "give KEY=log(LOW, HIGH), uniform(LOW, HIGH), int(LOW, HIGH), logint(LOW, HIGH) or a list [A, B, ...]"


@dataclass(frozen=True)
class Dimension:
    """A value of a recipe that varies within a range or among `choices`.

    `kind` is "log" (uniform in the logarithm), "uniform", "int" (whole numbers), "logint" (both) or "choice".
    """

    key: str
    kind: str
    low: float = 0.0
    high: float = 0.0
    choices: tuple[Any, ...] = ()

    def __str__(self) -> str:
        if self.kind == "choice":
            return json.dumps(list(self.choices))
        return f"{self.kind}({self.low:g}, {self.high:g})"

    def distribution(self) -> Any:
        """Return the dimension as an Optuna distribution; lists and tables among the choices become strings."""
        from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

        if self.kind == "choice":
            return CategoricalDistribution([_named(choice) for choice in self.choices])
        if self.kind in _WHOLE:
            return IntDistribution(int(self.low), int(self.high), log=self.kind == "logint")
        return FloatDistribution(self.low, self.high, log=self.kind == "log")

    def some(self) -> list[Any]:
        """Return values to test whether the recipe accepts any of them: all choices, or both ends of the range."""
        if self.kind == "choice":
            return list(self.choices)
        return [int(self.low), int(self.high)] if self.kind in _WHOLE else [self.low, self.high]

    def value(self, chosen: Any) -> Any:
        """Return the value for the recipe that belongs to Optuna's choice."""
        if self.kind != "choice":
            return chosen
        return next(choice for choice in self.choices if _named(choice) == chosen)


def parse_dimension(text: str) -> Dimension:
    """Read "optimizer.weight_decay=log(1e-6, 1e-2)" or "layers.1.units=[256, 512]".

    Raises: `InputError` if it is not of that form.
    """
    key, _, given = text.partition("=")
    key, found = key.strip(), _RANGE.fullmatch(given.strip())
    if not key:
        raise InputError(f"cannot read {text!r:.200}; {_HOW}")
    if not given.strip():
        raise InputError(f"{key}: {_HOW}")
    if found is None:
        try:
            _, values = parse_override(f"{key}={given.strip()}")
        except InputError as error:
            raise InputError(f"cannot read {text!r:.200}; {_HOW}, with strings in quotes") from error
        return as_dimension(key, values)
    try:
        low, high = float(found[2]), float(found[3])
    except ValueError:
        raise InputError(f"cannot read the numbers of {text!r:.200}; {_HOW}") from None
    return as_dimension(key, (found[1], low, high))


def as_dimension(key: str, given: Any) -> Dimension:
    """Return a dimension from a tuple ("log", low, high) or a list of choices.

    Raises: `InputError` for anything else, an empty range, or a repeated choice.
    """
    if isinstance(given, tuple) and len(given) == 3 and given[0] in ("log", "uniform", *_WHOLE):
        kind, low, high = str(given[0]), number(given[1], key), number(given[2], key)
        if not (math.isfinite(low) and math.isfinite(high) and low < high) or (kind in _LOG and low <= 0):
            raise InputError(f"{key}: {kind}({low:g}, {high:g}) is empty; the first number must be below the second"
                             f"{', and above 0' if kind in _LOG else ''}")  # fmt: skip
        if kind in _WHOLE and not (low.is_integer() and high.is_integer()):
            raise InputError(f"{key}: {kind} takes whole numbers, received {low:g} and {high:g}")
        return Dimension(key, kind, low, high)
    if not isinstance(given, list) or not 1 <= len(given) <= _MOST_CHOICES:
        raise InputError(f"{key}: {_HOW}, received {given!r:.100}")
    if len({_named(choice) for choice in given}) < len(given):
        raise InputError(f"{key}: a choice is repeated in {given!r:.200}; remove it")
    return Dimension(key, "choice", choices=tuple(given))


def space_of(given: Mapping[str, Any] | Iterable[str]) -> dict[str, Dimension]:
    """Return what varies, by key, from strings as on the command line or from a mapping as in Python.

    Raises: as `parse_dimension`; `InputError` if nothing varies, or a key is repeated.
    """
    found = (
        [as_dimension(key, value) for key, value in given.items()]
        if isinstance(given, Mapping)
        else [parse_dimension(str(text)) for text in given]
    )
    if not found:
        raise InputError(f"nothing varies; {_HOW} to --vary, which may be repeated")
    keys = [one.key for one in found]
    if len(set(keys)) < len(keys):
        raise InputError(f"a key is given twice: {', '.join(keys)}; give each key once")
    return {one.key: one for one in found}


def expect_apart(space: Mapping[str, Dimension], overrides: Mapping[str, Any]) -> None:
    """Raise `InputError` if a key must not vary, or if another key changes the same value."""
    for key in space:
        if key.partition(".")[0] in _FIXED:
            raise InputError(f"{key} cannot vary: all trials use the same data and one worker; vary another key")
        for other in [*overrides, *(one for one in space if one != key)]:
            if f"{other}.".startswith(f"{key}."):
                raise InputError(f"{key} varies, but {other} changes it as well; leave one out")


def _named(choice: Any) -> Any:
    return choice if choice is None or isinstance(choice, bool | int | float | str) else json.dumps(choice)
