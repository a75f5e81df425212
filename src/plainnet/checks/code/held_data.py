"""Objects that get their data when they are made, as in NeuralNetwork(x, y), so that forward takes no arguments."""

from __future__ import annotations

from typing import Any

import numpy as np

from plainnet.checks.code.episode import Episode, required
from plainnet.checks.code.roles import role_of
from plainnet.checks.code.values import Path, name_of


def held_target(made: Any) -> Any:
    """Return the target that an object holds; None if it holds none."""
    arrays = (value for name, value in getattr(made, "__dict__", {}).items() if role_of(name) == "target")
    return next((value for value in arrays if isinstance(value, np.ndarray)), None)


def is_held_data(episode: Episode, path: Path) -> bool:
    """Return whether an attribute is data, which needs no gradient."""
    forward = episode.functions.get("forward")
    alone = forward is not None and path[0][1] == "self" and required(forward) == ["self"] and len(path) == 2
    return alone and role_of(name_of(path)) in ("input", "target")
