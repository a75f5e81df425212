"""Overrides: replace single values of a recipe, by dotted keys such as optimizer.momentum=0.8."""

from __future__ import annotations

import copy
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from plainnet.errors import InputError
from plainnet.foreign.opening import parse_toml
from plainnet.recipes import data

Table = Mapping[str, Any]


def override(table: Table, overrides: Mapping[str, Any]) -> dict[str, Any]:
    """Return a recipe's table with some of its values replaced.

    `overrides` maps dotted keys to values: {"optimizer.momentum": 0.8, "layers.1.units": 512}.
    """
    changed = copy.deepcopy(dict(table))
    for key, value in overrides.items():
        if key == "data":
            changed["data"] = data.described(value, Path())
        elif key.startswith("data."):
            changed["data"] = data.described(
                dict(changed.get("data") or {}) | {key.removeprefix("data."): value}, Path()
            )
        else:
            if key.startswith("loss.") and changed.get("loss") is None:
                changed["loss"] = {}
            _replace(changed, key, value)
    return changed


def parse_override(text: str) -> tuple[str, Any]:
    """Read "optimizer.momentum=0.8" as a dotted key and a TOML value; a word needs no quotes: "loss.reduction=sum".

    Raises: `InputError` if it does not have that form.
    """
    key, _, value = text.partition("=")
    if re.fullmatch(r"[A-Za-z]\w*", value) and value not in ("true", "false", "inf", "nan"):
        return key.strip(), value  # a word; TOML requires quotes around it, but shells remove them
    try:
        if "\n" in text:
            raise ValueError("more than one line")
        return key.strip(), parse_toml(f"value = {value}")["value"]
    except ValueError as error:
        raise InputError(
            f"cannot read {text!r:.200}; give KEY=VALUE with a TOML value, such as optimizer.momentum=0.8"
        ) from error


def _replace(table: dict[str, Any], dotted: str, value: Any) -> None:
    *path, last = dotted.split(".")
    place: Any = table
    try:
        for step in path:
            place = place[_place(step) if isinstance(place, list) else step]
        if last == "type" and isinstance(place, dict) and place.get("type") != value:
            place.clear()  # the arguments of the other type do not apply
        place[_place(last) if isinstance(place, list) else last] = copy.deepcopy(value)  # later overrides may change it
    except (KeyError, IndexError, ValueError, TypeError) as error:
        raise InputError(
            f"there is no {dotted!r:.100} in this recipe; its keys are {', '.join(sorted(table))}, "
            "and layers are counted from 0: layers.1.units=512"
        ) from error


def _place(text: str) -> int:
    if not text.isdecimal():
        raise ValueError(f"{text!r} is not the number of a layer")
    return int(text)
