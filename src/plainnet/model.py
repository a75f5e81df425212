"""A model: a trained network together with everything needed to use it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from plainnet import promises
from plainnet.config import expect_name, number, whole_number
from plainnet.data.columns import Columns, column
from plainnet.errors import InputError
from plainnet.familiarity import Familiarity
from plainnet.network import Network
from plainnet.shifted_views import probabilities
from plainnet.softmax import expect_finite, sigmoid

PIXELS = {"type": "pixels", "about": "bytes are divided by 255; a 28x28 image holds a light digit on a dark background"}
MOST_SHIFTS = 5  # 121 views; more would take hours


@dataclass(frozen=True)
class Model:
    """A trained network together with everything needed to use it, and what its file says about it.

    `kind` of answers: "classes", "labels" (any number per example) or "numbers"; the default is "classes" if there are
    class names. `class_names` name the outputs: two for a single logit, none for numbers. `about` may hold the recipe
    and the metrics it reached. `preparation`: how data become inputs. `column_names`: the names of a table's inputs.
    `test_shifts`: answers are means over the image shifted by up to this many pixels. `temperature`: the logits are
    divided by it to calibrate probabilities. `thresholds`: one per class; an answer with a lower probability is "not
    sure". `splits`: which rows of the data it was trained on. `certain` and `sets`: see `promises`. `familiar`: see
    `familiarity`.

    Raises: `InputError` for names that are not strings or do not fit the outputs, or a number out of range.

    Example:
        >>> import numpy as np
        >>> from plainnet import Dense, Model, Network
        >>> weights = {"dense_1.W": np.array([[-1.0, 1.0]]), "dense_1.b": np.zeros(2)}
        >>> model = Model(Network(Dense(2)).build(1, values=weights), ("negative", "positive"))
        >>> model.predict(np.array([[-2.0], [3.0]])).tolist()
        ['negative', 'positive']
    """

    network: Network
    class_names: tuple[str, ...]
    about: Mapping[str, Any] = field(default_factory=dict, repr=False)
    preparation: Mapping[str, Any] = field(default_factory=lambda: dict(PIXELS))
    column_names: tuple[str, ...] = ()
    test_shifts: int = 0
    temperature: float = 1.0
    thresholds: tuple[float, ...] = field(default=(), repr=False)
    splits: Mapping[str, Any] = field(default_factory=dict)
    kind: str = ""
    certain: Mapping[str, float] = field(default_factory=dict, repr=False)
    sets: Mapping[str, float] = field(default_factory=dict, repr=False)
    familiar: Familiarity | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        self.network.expect_built()
        names, outputs = self.class_names, self.network.out_shapes[-1]
        object.__setattr__(self, "kind", self.kind or ("classes" if names else "numbers"))
        if self.kind not in ("classes", "labels", "numbers") or (self.kind == "numbers") == bool(names):
            raise InputError(f"kind must be classes or labels, which have names, or numbers, received {self.kind!r}")
        if isinstance(names, str) or not all(isinstance(name, str) for name in (*names, *self.column_names)):
            raise InputError(f"class names must be strings, received {names!r}; write them in quotes")
        one = len(names) == 2 and outputs == (1,) and self.kind == "classes"
        if (names and outputs != (1 if one else len(names),)) or (len(names) == 1 and self.kind == "classes"):
            raise InputError(f"the model has {len(names)} class names for outputs of shape {outputs}")
        if len(set(names)) < len(names):
            raise InputError(f"each class needs a name of its own, received {', '.join(names)}")
        for name in (*names, *self.column_names):
            expect_name(name, "a name of a class or a column")
        if len(self.thresholds) not in (0, len(names)):
            raise InputError(f"thresholds must hold a number for each of {len(names)} classes, or none")
        whole_number(self.test_shifts, "test_shifts", least=0, most=MOST_SHIFTS)
        if not 0.0 < number(self.temperature, "temperature") < float("inf"):
            raise InputError(f"temperature must be a positive number, received {self.temperature}")
        for threshold in (*self.thresholds, *self.certain.values(), *self.sets.values()):
            number(threshold, "a threshold")

    def expect_known_preparation(self) -> None:
        """Raise `InputError` unless this version knows how to prepare the model's inputs."""
        if self.preparation.get("type") not in (PIXELS["type"], "columns"):
            raise InputError(
                f"the model's inputs need the preparation {self.preparation.get('type')!r:.50}, which this version "
                "does not know; use the version that saved it"
            )

    @property
    def calibrated(self) -> bool:
        """Whether probabilities were fitted to held-out examples, and thresholds say which answers are "not sure"."""
        return bool(self.thresholds)

    @property
    def reads_a_pen(self) -> bool:
        """Whether it reads single characters as MNIST shows them: light on dark, centered in 28x28 pixels."""
        if math.prod(self.network.in_shape) != 784 or self.preparation.get("type") != PIXELS["type"]:
            return False
        signs = bool(self.class_names) and all(len(name) == 1 and name.isalnum() for name in self.class_names)
        return self.preparation.get("pictures", "pen" if signs else "stored") == "pen"

    def inputs(self, given: Any) -> np.ndarray:
        """Return users' data as the network takes it: a data frame's columns by name, images unchanged.

        Raises: `InputError` for a missing column, or images far outside the value range of the training images.
        """
        names = tuple(map(str, getattr(given, "columns", ())))
        if names and self.preparation.get("type") == "columns":
            table = {
                name: column(np.asarray(given[original])) for name, original in zip(names, given.columns, strict=True)
            }
            return Columns.from_table(self.preparation).encoded(table, "the frame")
        if names and self.column_names and set(self.column_names) <= set(names):
            given = given[list(self.column_names)]
        array = np.asarray(given)
        most = self.preparation.get("largest")
        if (
            array.dtype.kind == "f"
            and array.size
            and isinstance(most, int | float)
            and 0 < most <= 1 < array.max() / 1.5
        ):
            raise InputError(
                f"the inputs go up to {array.max():g}, but the training inputs went up to {most:g}; divide pixels "
                "from 0 "
                "to 255 by 255, or give them as whole numbers of type uint8"
            )
        return array

    def probabilities(self, given: Any) -> np.ndarray:
        """Return the calibrated probability of each class, or of each label on its own, (N, K).

        Raises: `InputError` as `inputs` does, or if the network does not output classes.
        """
        return self.shares(self.inputs(given), self.test_shifts)

    def shares(self, inputs: np.ndarray, shifts: int = 0) -> np.ndarray:
        """Return the probabilities for prepared inputs, averaged over `shifts`; see `probabilities`."""
        if self.kind == "labels":
            return sigmoid(expect_finite(self.network.logits(inputs)) / self.temperature)
        return probabilities(self.network.logits, inputs, shifts, self.temperature)

    def sure_of(self, share: float) -> float:
        """Return the probability that makes an answer certain, for a promised share of right answers, such as 0.999.

        Raises: `InputError` if the model cannot promise that share.
        """
        return _promised(self.certain, share, "the surest answers are right")

    def of_sets(self, share: float) -> float:
        """Return the smallest probability of a class in the answer set; this share of the sets holds the true class.

        Raises: `InputError` if the model cannot promise that share.
        """
        return _promised(self.sets, share, "a set holds the truth")

    def predict(self, given: Any) -> np.ndarray:
        """Return the name of each example's most probable class, its labels (N, K) of 0 and 1, or its numbers.

        Raises: `InputError` as `inputs` does.
        """
        if not self.class_names:
            return self.network.logits(self.inputs(given))
        if self.kind == "labels":
            return (self.probabilities(given) > 0.5).astype(int)
        return np.array(self.class_names)[self.probabilities(given).argmax(axis=1)]


def _promised(thresholds: Mapping[str, float], share: float, what: str) -> float:
    if not 0 < share < 1:
        raise InputError(f"a promised share must lie between 0 and 1, such as 0.999, received {share:g}")
    name = promises.named(share)
    if name not in thresholds:
        most = max(thresholds, key=float, default="")
        can = f"the most that it promises is {most}" if most else "it was not calibrated on enough held-out examples"
        raise InputError(f"the model cannot promise that {what} in {share:g} of all cases; {can}")
    return float(thresholds[name])
