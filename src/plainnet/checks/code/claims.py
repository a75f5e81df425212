"""Claims: arrays that may be gradients, because backward returned them, or because it created or changed them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import numpy as np

from plainnet.checks.code.values import Path, name_of, number_of, spelled

_WEIGHTS = ("w", "weight", "weights", "kernel", "kernels", "filters", "filter", "theta", "thetas", "wt", "wts")
_BIASES = ("b", "bias", "biases", "intercept")
_INPUT = ("x", "input", "inputs", "in", "a_prev", "z", "prev", "a", "h_prev", "logits", "scores", "data")
_OF_A_GRADIENT = re.compile(
    r"^(?:(?:dl_?|dj_?|de_?|dc_?)?d_?|de?_?|grads?_?|g_?|nabla_?|delta_?|gradients?_?(?:of_|wrt_)?|dloss_?d?|dcost_?d?)?"
    r"(?P<stem>.*?)"
    r"(?:_?grads?|_?gradients?|_?delta|_?deriv\w*|_?prime|_?d)?$"
)
_SPEAKS_OF_GRADIENTS = re.compile(
    r"^_?(d[_A-Z]|d[a-z]{1,3}\d*$)|^_*d_?(w|b|x|z|a|h|out|in|weight|bias|input|gamma|beta)|grad|nabla|delta|deriv", re.I
)


@dataclass
class Claim:
    """An array that may be a gradient, and where it was found; `step` if it is the change of a parameter."""

    path: Path
    value: Any
    step: bool = False

    @property
    def spelled(self) -> str:
        """The name that the author gave it."""
        if self.path[0][1] != "<returned>":
            return spelled(self.path)
        first, *rest = self.path[1:] or [("", "what it returns")]
        return (
            spelled((first, *rest))
            if isinstance(first[1], str)
            else "what it returns" + spelled((("item", ""), *self.path[1:]))
        )


def speaks_of_gradients(path: Path) -> bool:
    """Return whether a word of a path says that this is a gradient."""
    return any(isinstance(key, str) and _SPEAKS_OF_GRADIENTS.search(key) for _, key in path)


def stem(word: str) -> str:
    """Return the name of the variable of a gradient: w1 for dW1, grad_W1 and W1_grad."""
    found = _OF_A_GRADIENT.match(word.lower().lstrip("_"))
    return canonical(found["stem"] if found and found["stem"] else word)


def canonical(word: str) -> str:
    """Return one spelling for the many names of weights and biases, with the number: weights1 and W1 become w1."""
    word = word.lower().strip("_")
    text, digits = re.match(r"^(.*?)_?(\d*)$", word).groups()  # type: ignore[union-attr]
    for one, group in (("w", _WEIGHTS), ("b", _BIASES), ("x", _INPUT)):
        if text in group:
            return one + digits
    for prefix, one in (("weight", "w"), ("bias", "b"), ("w_", "w_"), ("b_", "b_")):
        if text.startswith(prefix):
            return one + text.removeprefix(prefix).strip("_s") + digits
    return text + digits


def affinity(leaf: Path, claim: Claim, upstream_input: bool = False) -> int:
    """Return how strongly the names suggest that a claim is the gradient of a leaf; 0 if they do not."""
    if claim.step:
        return 9 if claim.path == leaf else 0
    own, theirs = name_of(leaf), name_of(claim.path)
    score = 0
    if (
        leaf[:-1] == claim.path[:-1]
        and leaf[-1][0] == "attribute"
        and theirs.lower() in ("grad", "gradient", "g", "dw")
    ):
        score = 6  # .grad beside .data
    elif theirs and stem(theirs) == canonical(own):
        score = 6
    elif theirs and canonical(theirs) == canonical(own) and speaks_of_gradients(claim.path[:-1]):
        score = 6  # grads["W"] beside params["W"]
    elif upstream_input and canonical(own) == "x" and stem(theirs) in ("x", "out", "output", "values"):
        score = 4
    if score and number_of(leaf) == number_of(claim.path):
        score += 1
    elif score and number_of(leaf) and number_of(claim.path):
        score -= 3
    return score


def fits(claim: Claim, shape: tuple[int, ...]) -> bool:
    """Return whether a claim has the shape of its leaf; axes of length 1 are ignored."""
    return tuple(n for n in np.shape(claim.value) if n != 1) == tuple(n for n in shape if n != 1)
