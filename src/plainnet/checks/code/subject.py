"""What is examined, as far as its source is concerned: its functions, and the names of its gradients."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

Arrays = dict[str, np.ndarray]


@dataclass
class Subject:
    """One thing to examine; `functions` are its own, by "forward" and "backward"; `arrays` the order of its gradients."""

    name: str
    form: str
    arrays: list[str]
    functions: Mapping[str, Callable[..., Any]]
    gradient_names: dict[str, str] = field(default_factory=dict)
