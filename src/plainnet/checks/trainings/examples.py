"""Measurements on the data, without any network: the range of the inputs, and whether labels belong to their examples."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from plainnet.data.dataset import DataSet
from plainnet.data.splits import Splits

_ASKED, _AMONG = 1000, 2000  # for this many examples, find the nearest among that many


@dataclass(frozen=True)
class Agreement:
    """How often an example has the same label as its nearest neighbor, the training example most like it.

    `share` is the fraction of the `count` examples that do; `chance` is the fraction that random labels would give.
    `shifted` is the share if the labels are shifted by one class, up or down. `closest` is the share among the fifth of
    the examples with the nearest neighbors.
    """

    share: float
    chance: float
    count: int
    shifted: float
    closest: float

    @property
    def none(self) -> bool:
        """Whether the share is no higher than by chance."""
        return self.share < self.chance + 3 * (self.chance * (1 - self.chance) / self.count) ** 0.5


@dataclass(frozen=True)
class Examples:
    """What the examples are like.

    Of the training inputs: their `mean` and standard `deviation`, and `varying`, how much an input varies from example to example. Of the
    validation inputs: `scale` and `offset`, relative to the training inputs. `labels` and `validation_labels` tell whether similar
    examples have the same labels; they are None if the targets are not classes.
    """

    mean: float
    deviation: float
    varying: float
    scale: float
    offset: float
    validation: int
    counts: tuple[int, ...] = ()
    labels: Agreement | None = None
    validation_labels: Agreement | None = None


def look_at(data: Splits) -> Examples:
    """Measure the training and validation examples."""
    train, validation = data.train, data.validation
    x, held_out = _inputs(train, _AMONG), _inputs(validation, _AMONG)
    deviation = float(x.std())
    known: dict[str, Agreement | None] = {}
    counts: tuple[int, ...] = ()
    if train.kind == "classes":
        counts = tuple(np.bincount(train.targets, minlength=len(train.class_names)).tolist())
        rows = np.random.default_rng(0).permutation(len(train))[: _AMONG + _ASKED]
        some = train[rows]
        asked = min(_ASKED, len(some) // 4)
        if asked >= 10:
            known["labels"] = _agreement(some[np.arange(asked)], some[np.arange(asked, len(some))])
            if len(validation) >= 10:
                known["validation_labels"] = _agreement(validation.sample(min(_ASKED, len(validation))), some)
    return Examples(
        float(x.mean()), deviation, float(x.std(axis=0).mean()), float(held_out.std()) / max(deviation, 1e-30),
        float(held_out.mean() - x.mean()) / max(deviation, 1e-30), len(validation), counts, **known,
    )  # fmt: skip


def _inputs(data: DataSet, most: int) -> np.ndarray:
    some = data.inputs[:: -(-len(data) // most)]
    return some.reshape(len(some), -1).astype(np.float64) / (255 if some.dtype == np.uint8 else 1)


def _agreement(asked: DataSet, among: DataSet) -> Agreement:
    x, others = _inputs(asked, len(asked)), _inputs(among, len(among))
    distances = (others**2).sum(axis=1) - 2 * x @ others.T
    near = (distances.min(axis=1) + (x**2).sum(axis=1)).argsort()[: max(1, len(x) // 5)]
    told, labels = among.targets[distances.argmin(axis=1)].astype(int), asked.targets.astype(int)
    classes = len(asked.class_names)
    ours, theirs = (np.bincount(part.targets, minlength=classes) / len(part) for part in (asked, among))
    shifted = max(float(((told + shift) % classes == labels).mean()) for shift in (1, -1))
    right = told == labels
    return Agreement(float(right.mean()), float(ours @ theirs), len(labels), shifted, float(right[near].mean()))
