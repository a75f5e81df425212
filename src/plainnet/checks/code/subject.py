"""A subject of examination: its functions, and the names of its gradients."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

Arrays = dict[str, np.ndarray]


@dataclass
class Subject:
    """One class or function to examine; `functions` holds its "forward" and "backward", `arrays` the order of its gradients."""

    name: str
    form: str
    arrays: list[str]
    functions: Mapping[str, Callable[..., Any]]
    gradient_names: dict[str, str] = field(default_factory=dict)
