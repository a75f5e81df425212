"""Formulas: for each kind of figure on the page, its formula and the source lines that compute it."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import plainnet
from plainnet import layers
from plainnet.calibration import threshold
from plainnet.errors import InputError
from plainnet.lab import watching
from plainnet.lab.errors_of import Mistakes
from plainnet.lab.looking import Looking
from plainnet.layers import Dropout
from plainnet.losses import SoftmaxCrossEntropy
from plainnet.metrics import accuracy, confusion_matrix
from plainnet.moves import move
from plainnet.optimizers import SGD
from plainnet.optimizers.optimizer import Optimizer
from plainnet.sources.pen.likeness import confidence
from plainnet.sources.pen.strokes import prepared

_MOST_LINES = 28


@dataclass(frozen=True)
class Formula:
    """A figure as a formula and in words; the function that computes it, and a string that marks its line."""

    title: str
    formula: str
    says: str
    computed_by: Callable[..., Any]
    line: str


FORMULAS: dict[str, Formula] = {
    "loss": Formula(
        "Loss",
        "L = -(1/N) Σ log p[label]",
        "How surprised the network is by the right class, as a mean over the examples, in nats (natural logarithms). "
        "0 means certain and right; log 10 = 2.303 means guessing among ten classes.",
        SoftmaxCrossEntropy.examples,
        "log_softmax",
    ),
    "accuracy": Formula(
        "Accuracy",
        "accuracy = (1/N) Σ [answer = label]",
        "The share of examples whose most probable class is the label.",
        accuracy,
        "np.mean",
    ),
    "learning_rate": Formula(
        "Learning rate",
        "w = w - rate dw, with momentum: v = m v - rate dw, w = w + v",
        "How far each step goes against the gradient. The schedule sets it, until you move the control.",
        SGD.update,
        "theta += velocity",
    ),
    "momentum": Formula(
        "Momentum",
        "v = m v - rate dw, w = w + v",
        "The share of the last step that is added to the next one. With m = 0.9, steps in one direction add up to ten "
        "times the distance.",
        SGD.update,
        "self.momentum",
    ),
    "dropout": Formula(
        "Dropout",
        "y = x k / (1 - rate), k = 0 with probability rate, else 1",
        "During training, each output is set to 0 with this probability; the others are scaled up to compensate.",
        Dropout.forward,
        "rate",
    ),
    "augmentation": Formula(
        "Augmentation",
        "x = bent(turned(moved(image))), at random each time",
        "During training, images are changed at random, so that the network never sees the same one twice. 1 is the "
        "strength that recipe cnn uses.",
        move,
        "change(training",
    ),
    "update": Formula(
        "Update / weights",
        "|w after - w before| / |w after|",
        "The size of the last update relative to the weights. About 0.001 is usual; 0.1 makes the weights jump, "
        "0.000001 hardly changes them.",
        watching.gradients,
        "change / length",
    ),
    "clipped": Formula(
        "Clipped",
        "share of gradients with |dw| ≥ clip",
        "Elements of the gradient beyond the limit are clipped to it. If this happens often, the learning rate or "
        "the loss is too large.",
        Optimizer.step,
        "np.clip",
    ),
    "dead": Formula(
        "Dead units",
        "share of units with y = 0 for every one of 100 images",
        "A ReLU unit that is 0 for every image has gradient 0, so it stops learning.",
        watching.inside,
        '"dead"',
    ),
    "probability": Formula(
        "Probability",
        "p_k = exp(z_k / T) / Σ_j exp(z_j / T)",
        "Softmax of the outputs z (the logits). The temperature T is fitted to held-out examples, so that nine out of "
        "ten answers with a probability of 90 % are right. The probabilities of several views of the drawing are "
        "averaged.",
        plainnet.softmax.log_softmax,
        "shifted -=",
    ),
    "not sure": Formula(
        "Not sure",
        "not sure if s < t; odds(s) = odds(p) odds(d)",
        "p is the largest probability. d is how likely the drawing is a digit at all, according to a second, small "
        "network. t is the confidence that 99 % of held-out examples reach.",
        threshold,
        "quantile",
    ),
    "confidence": Formula(
        "Confidence",
        "odds(s) = odds(p) odds(d), odds(p) = p / (1 - p)",
        "p is the largest probability, d is how likely the drawing is a digit at all.",
        confidence,
        "odds =",
    ),
    "seen": Formula(
        "What it sees",
        "28x28 from strokes: box -> 20x20 means of 8x8 samples -> center of mass in the middle",
        "Made in the same way as the images of MNIST, with integer arithmetic only.",
        prepared,
        "under",
    ),
    "speaks": Formula(
        "For and against",
        "x · d log p / dx, pixel by pixel",
        "How much the ink in each pixel supports the answer (blue, positive) or contradicts it (orange, negative).",
        Looking.speaks,
        "input_gradient",
    ),
    "nearest": Formula(
        "Nearest",
        "the training images with the least Σ (x - x')²",
        "Only the pixels are compared; the network is not used.",
        Looking.nearest,
        "argsort",
    ),
    "confusion": Formula(
        "Confusion matrix",
        "C[i, j] = number of images of class i that were classified as j",
        "The right answers are on the diagonal.",
        confusion_matrix,
        "np.bincount",
    ),
    "label errors": Formula(
        "Suspected label errors",
        "sorted by p[label] - p[answer]",
        "The list begins with the images whose label the network finds least likely compared with its answer.",
        Mistakes.images,
        '"label errors"',
    ),
    "softmax": Formula(
        "Softmax",
        "p = exp(z) / Σ exp(z)",
        "Turns any numbers into probabilities that add up to 1.",
        plainnet.softmax.log_softmax,
        "shifted -=",
    ),
    "sgd": Formula(
        "Update",
        "w = w - rate dw",
        "A step against the gradient; with momentum, a step along the velocity.",
        SGD.update,
        "theta += velocity",
    ),
}


def told(name: str) -> dict[str, Any]:
    """Return a formula as plain values, with the source of the function and the number of the line that computes it.

    The name is one of `FORMULAS`, or names a layer, such as "Dense" or "Dense backward".

    Raises: `InputError` if there is no such formula.
    """
    kind, _, way = name.partition(" ")
    if name in FORMULAS:
        one = FORMULAS[name]
    elif isinstance(layer := getattr(layers, kind, None), type) and way in ("", "backward"):
        text = inspect.getdoc(layer) or ""
        function = layer.backward if way else layer.forward  # type: ignore[attr-defined]
        one = Formula(name, " ".join(text.split("\n\n")[0].split()), "", function, "")
    else:
        raise InputError(f"there is no formula {name!r:.40}")
    lines, first = inspect.getsourcelines(one.computed_by)
    at = _computes(lines, one.line)
    start = max(0, min(at - _MOST_LINES // 2, len(lines) - _MOST_LINES))
    path = Path(inspect.getsourcefile(one.computed_by) or "").relative_to(Path(plainnet.__file__).parents[1])
    return {
        "title": one.title, "formula": one.formula, "says": one.says, "file": path.as_posix(), "line": first + at,
        "source": "".join(lines[start : start + _MOST_LINES]).rstrip(), "at": at - start,
    }  # fmt: skip


def _computes(lines: list[str], text: str) -> int:
    """Return which line does the computing: the one with `text`, or, if that is empty, a product or the result."""
    quotes = [k for k, line in enumerate(lines) if '"""' in line]
    first = 1 if not quotes else quotes[0] + 1 if lines[quotes[0]].count('"""') == 2 else quotes[1] + 1
    for each in [text] if text else ["matmul", "self.way.", "out=y", "np.", "return"]:
        found = [k for k, line in enumerate(lines) if k >= first and each in line]
        if found:
            return found[-1 if each == "out=y" else 0]
    raise InputError(f"the source has no line with {text!r}")
