"""plainnet: neural networks in plain NumPy that you can read line by line, check gradient by gradient, and use."""

from importlib import import_module as _import_module
from typing import TYPE_CHECKING as _TYPE_CHECKING

from plainnet.data import mnist
from plainnet.data.dataset import DataSet
from plainnet.data.idx import read_idx
from plainnet.errors import InputError, TrainingDivergedError
from plainnet.events import Batch, Epoch
from plainnet.layers import BatchNorm, Conv2D, Dense, Dropout, Flatten, Layer, MaxPool, Parameter, ReLU, Sigmoid, Tanh
from plainnet.losses import BinaryCrossEntropy, Huber, MeanSquaredError, SoftmaxCrossEntropy
from plainnet.network import Network
from plainnet.optimizers import LARS, SGD, Adam
from plainnet.schedules import step_decay
from plainnet.shortcuts import epochs, evaluate, fit, input_gradient
from plainnet.stopping import Stop, Stopping
from plainnet.training import Training

if _TYPE_CHECKING:
    from plainnet.checks.gradients import Report, assert_gradients, check_gradients
    from plainnet.model import Model
    from plainnet.model_file import load_model, save_model

__version__ = "0.1.0"

__all__ = [
    "LARS",
    "SGD",
    "Adam",
    "Batch",
    "BatchNorm",
    "BinaryCrossEntropy",
    "Conv2D",
    "DataSet",
    "Dense",
    "Dropout",
    "Epoch",
    "Flatten",
    "Huber",
    "InputError",
    "Layer",
    "MaxPool",
    "MeanSquaredError",
    "Model",
    "Network",
    "Parameter",
    "ReLU",
    "Report",
    "Sigmoid",
    "SoftmaxCrossEntropy",
    "Stop",
    "Stopping",
    "Tanh",
    "Training",
    "TrainingDivergedError",
    "assert_gradients",
    "check_gradients",
    "epochs",
    "evaluate",
    "fit",
    "input_gradient",
    "load_model",
    "mnist",
    "read_idx",
    "save_model",
    "step_decay",
]

_LATER = {  # the modules of names that are imported on first use, so that `import plainnet` stays fast
    "Model": "plainnet.model",
    **dict.fromkeys(("load_model", "save_model"), "plainnet.model_file"),
    **dict.fromkeys(("Report", "assert_gradients", "check_gradients"), "plainnet.checks.gradients"),
}


def __getattr__(name: str) -> object:
    if name not in _LATER:
        raise AttributeError(f"module 'plainnet' has no attribute {name!r}")
    return getattr(_import_module(_LATER[name]), name)


def __dir__() -> list[str]:
    return [*__all__, "__version__"]
