"""Values of the optional arguments of a constructor that change what a layer computes: strides, padding, words, dropout."""

from __future__ import annotations

import inspect
from typing import Any

from plainnet.checks.code.episode import optional
from plainnet.checks.code.uses import use_of

_MOST_WORDS = 6
_DROPPED = 0.4  # share of the inputs that dropout sets to 0


def optional_arguments(kind: type) -> list[dict[str, Any]]:
    """Return the settings worth trying: a few strides and paddings, then each word that an argument is compared with, then dropout.

    Raises: `ValueError` or `TypeError` if the constructor has no signature.
    """
    defaults = {name: inspect.signature(kind).parameters[name].default for name in optional(kind)}
    extra = {name: default for name, default in defaults.items() if name in ("stride", "strides", "pad", "padding")}
    found: list[dict[str, Any]] = [
        {name: _like(default, stride if "stride" in name else pad) for name, default in extra.items()}
        for stride, pad in (((1, 0), (2, 1), (1, 1)) if extra else ())
    ]
    words: list[dict[str, Any]] = []
    for name in defaults:
        known = use_of(kind, name).words
        words += [{name: word} for word in known if len(known) > 1]
    drops = [name for name, default in defaults.items() if "drop" in name.lower() and default in (0, None)]
    return (found or [{}]) + words[:_MOST_WORDS] + [dict.fromkeys(drops, _DROPPED)] * bool(drops)


def sizes_of_zero(kind: type) -> list[str]:
    """Return the optional arguments that are sizes and 0 by default, so that an object without them has no numbers."""
    parameters = inspect.signature(kind).parameters
    return [n for n in optional(kind) if parameters[n].default in (0, None) and use_of(kind, n).counts]


def _like(default: Any, value: int) -> Any:
    """Return a number as a default is written: (2, 2) instead of 2 if the default is a pair."""
    return (value,) * len(default) if isinstance(default, tuple | list) else value
