"""Evaluation: how good a network's answers are, by figures that suit the task; one file per kind of task."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from plainnet.data.dataset import DataSet
from plainnet.errors import InputError
from plainnet.evaluation.classes import DIGITS, Evaluation, as_percent, examples
from plainnet.evaluation.labels import LabelEvaluation
from plainnet.evaluation.numbers import NumberEvaluation
from plainnet.network import Network
from plainnet.shifted_views import probabilities

__all__ = [
    "DIGITS",
    "AnyEvaluation",
    "Evaluation",
    "LabelEvaluation",
    "NumberEvaluation",
    "as_percent",
    "evaluate",
    "evaluation_of",
    "examples",
]

AnyEvaluation = Evaluation | LabelEvaluation | NumberEvaluation


def evaluation_of(
    outputs: Callable[[np.ndarray], np.ndarray],
    data: DataSet,
    *,
    shifts: int = 0,
    temperature: float = 1.0,
    certain: Mapping[str, float] | None = None,
) -> AnyEvaluation:
    """Return the evaluation that suits the targets of `data`; `outputs` is a network's function.

    For classes, see `probabilities` for `shifts`, and `Model` for `temperature` and `certain`.
    """
    if data.kind == "labels":
        return LabelEvaluation(data, outputs(data.inputs))
    if data.kind == "numbers":
        return NumberEvaluation(data, outputs(data.inputs))
    classes = data if data.kind == "classes" else DataSet(data.inputs, data.targets.argmax(axis=1), data.class_names)
    return Evaluation(classes, probabilities(outputs, data.inputs, shifts), temperature, dict(certain or {}))


def evaluate(network: Network, data: DataSet, **views: Any) -> AnyEvaluation:
    """Let `network` answer every example of `data`; the options are those of `evaluation_of`.

    Raises: `InputError` if the inputs or the targets do not fit the network.
    """
    expected = (len(data.class_names),) if data.class_names else (data.targets.size // len(data),)
    single = network.out_shapes[-1] == (1,) and len(data.class_names) == 2
    if network.out_shapes[-1] != expected and not single:
        what = "classes" if data.class_names else "numbers per example"
        raise InputError(
            f"the network gives outputs of shape {network.out_shapes[-1]}, but the data has {expected[0]} {what}; give "
            "it data "
            "of the kind it was trained on"
        )
    return evaluation_of(network.logits, data, **views)
