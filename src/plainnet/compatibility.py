"""Compatibility: data, loss and network must fit each other; a mismatch is reported before training begins."""

from __future__ import annotations

import math

import numpy as np

from plainnet.data.dataset import DataSet
from plainnet.errors import InputError
from plainnet.losses import Loss
from plainnet.network import Network


def expect_agreement(network: Network, loss: Loss, data: DataSet, validation: DataSet | None = None) -> None:
    """Raise `InputError` if the data do not fit the network, the loss or each other."""
    if not isinstance(network, Network):
        raise InputError(f"expected a Network, received {type(network).__name__}; write Network(Dense(10), ...)")
    network.expect_built()
    _fits(network, loss, data, "the data")
    if validation is not None:
        if isinstance(validation, DataSet):
            data.expect_same_kind(validation, "the validation data")
        _fits(network, loss, validation, "the validation data")


def _fits(network: Network, loss: Loss, data: DataSet, what: str) -> None:
    if not isinstance(data, DataSet):
        raise InputError(
            f"{what} must be a DataSet, received {type(data).__name__}; write DataSet(inputs, targets, names)"
        )
    if data.kind not in loss.takes:
        raise InputError(
            f"{type(loss).__name__} takes targets that are {' or '.join(loss.takes)}, but {what} has {data.kind}; "
            "choose another loss, or say what the targets are: DataSet(..., kind=...)"
        )
    network.as_input(data.inputs[:1])
    out_shape = network.out_shapes[-1]
    if data.kind == "classes":
        classes, most = len(data.class_names), 2 if out_shape == (1,) else math.prod(out_shape)
        if classes > most or (out_shape == (1,) and "labels" not in loss.takes):
            raise InputError(
                f"the network gives outputs of shape {out_shape}, but {what} has {classes} classes; give the last "
                "layer a unit for each class, or, for two classes, use one unit and BinaryCrossEntropy"
            )
    loss.check(np.zeros((1, *out_shape), network.theta.dtype), data.targets[:1])
