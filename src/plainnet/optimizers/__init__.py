"""The optimizers, one file each; `optimizer.py` describes the contract that every optimizer keeps."""

from collections.abc import Callable

from plainnet.optimizers.adam import Adam
from plainnet.optimizers.lars import LARS
from plainnet.optimizers.muon import Muon
from plainnet.optimizers.optimizer import Optimizer
from plainnet.optimizers.sgd import SGD

OPTIMIZERS: dict[str, Callable[..., Optimizer]] = {"Adam": Adam, "LARS": LARS, "Muon": Muon, "SGD": SGD}

__all__ = ["LARS", "OPTIMIZERS", "SGD", "Adam", "Muon", "Optimizer"]
