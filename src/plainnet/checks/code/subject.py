"""What every examined thing looks like to the doctor, whatever its form: a function with a backward pass."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np

Arrays = dict[str, np.ndarray]


class Session(Protocol):
    """One fresh instance of a subject, which may keep state from call to call, as it would in a training."""

    def forward(self, inputs: Arrays) -> Any:
        """Return the output: an array, or a number for a loss."""

    def backward(self, dy: np.ndarray | float) -> Arrays:
        """Return the gradient for each input by its name; the ones that cannot be found are left out."""


@dataclass
class Setting:
    """One way to run a subject: what it is made with, the arrays it is differentiated by, and how to start it.

    `inputs` holds "x" and the parameters by their own names; `options` what the form or the file says about it,
    such as stride and pad.
    """

    label: str
    inputs: Arrays
    start: Callable[[], Session]
    options: dict[str, Any] = field(default_factory=dict)
    labels: np.ndarray | None = None


@dataclass
class Subject:
    """One thing to examine, in one or more settings; `functions` are its own, by "forward" and "backward"."""

    name: str
    form: str
    settings: list[Setting]
    functions: Mapping[str, Callable[..., Any]]
    gradient_names: dict[str, str] = field(default_factory=dict)
    trouble: str | None = None


def seed_everything() -> None:
    """Make what the file draws at random the same in every pass."""
    import random

    random.seed(0)
    np.random.seed(0)  # noqa: NPY002  (it is the file's generator, not ours)


_SPELLINGS = (
    "d{}", "d_{}", "{}_grad", "grad_{}", "g{}", "g_{}", "{}grad", "grad{}", "delta_{}", "gradient_{}",
    "{}_gradient", "dl_d{}", "dld{}", "{}",
)  # fmt: skip
_SYNONYMS = (("w", "weight", "weights", "kernel", "filters"), ("b", "bias", "biases"))


def find_gradient(parameter: str, places: Mapping[str, Any], *, own: bool = False) -> str | None:
    """Return the name under which the gradient of `parameter` stands in `places`: W -> dW, grad_W, W_grad, gW ...

    `own` allows the parameter's own name, as in a dictionary of gradients.
    """
    lower = {name.lower().lstrip("_"): name for name in places}
    base = parameter.lower().lstrip("_")
    digits = base.lstrip("abcdefghijklmnopqrstuvwxyz_")
    stems = [base]
    for group in _SYNONYMS:
        if base.removesuffix(digits) in group:
            stems += [word + digits for word in group if word + digits != base]
    for stem in stems:
        for spelling in _SPELLINGS if own else _SPELLINGS[:-1]:
            name = lower.get(spelling.format(stem))
            if name is not None and (own or name != parameter):
                return name
    return None
