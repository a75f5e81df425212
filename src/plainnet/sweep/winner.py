"""Writes the winner as a recipe file: the original recipe and its comments, with the best values."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import tomlkit
from tomlkit.items import AoT, InlineTable, Item, Table

from plainnet.recipes import source
from plainnet.sweep.space import Dimension


def recipe_text(name: str, values: Mapping[str, Any], space: Mapping[str, Dimension], said: str) -> str:
    """Return the TOML text of a recipe with other values, each with a comment on where it comes from."""
    document = tomlkit.parse(source(name))
    for key, value in values.items():
        *path, last = key.split(".")
        place: Any = document
        for step in path:
            place = place[int(step)] if step.isdecimal() else place.setdefault(step, tomlkit.table())
        place[last] = tomlkit.item(value)
        if hasattr(place[last], "comment"):
            place[last].comment(f"chosen from {space[key]}" if key in space else "the same in every trial")
    _remark(document, f"as in {Path(name).stem}")
    return f"# {said}\n{tomlkit.dumps(document)}"


def _remark(place: Any, remark: str) -> None:
    """Add a comment to each value that has none."""
    for value in place.values() if isinstance(place, Mapping) else place:
        if isinstance(value, Table | AoT):
            _remark(value, remark)
        elif isinstance(value, Item | InlineTable) and not value.trivia.comment and "\n" not in value.as_string():
            value.comment(remark)
