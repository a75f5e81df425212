"""The parameters of the estimators: those of scikit-learn's multilayer perceptrons, and plainnet's additional ones."""

from __future__ import annotations

from collections.abc import Sequence
from numbers import Integral, Real
from typing import Any, ClassVar

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.utils._param_validation import Interval, Options, StrOptions

from plainnet.data.augmentation import Augmentation
from plainnet.schedules import Schedule
from plainnet.sklearn.networks import ACTIVATIONS

STOCHASTIC = ("sgd", "adam")
_POSITIVE = Interval(Real, 0, None, closed="neither")
_FROM_0 = Interval(Real, 0, None, closed="left")
_SHARE = Interval(Real, 0, 1, closed="left")
_FROM_1 = Interval(Integral, 1, None, closed="left")


class Parameters(BaseEstimator):
    """The parameters of an estimator, and the values that each may have."""

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "hidden_layer_sizes": ["array-like", _FROM_1],
        "activation": [StrOptions(set(ACTIVATIONS))],
        "solver": [StrOptions({*STOCHASTIC, "lbfgs"})],
        "alpha": [_FROM_0],
        "batch_size": [StrOptions({"auto"}), _FROM_1],
        "learning_rate": [StrOptions({"constant", "invscaling", "adaptive"})],
        "learning_rate_init": [_POSITIVE],
        "power_t": [_FROM_0],
        "max_iter": [_FROM_1],
        "shuffle": ["boolean"],
        "random_state": ["random_state"],
        "tol": [_FROM_0],
        "verbose": ["verbose"],
        "warm_start": ["boolean"],
        "momentum": [Interval(Real, 0, 1, closed="both")],
        "nesterovs_momentum": ["boolean"],
        "early_stopping": ["boolean"],
        "validation_fraction": [_SHARE],
        "beta_1": [_SHARE],
        "beta_2": [_SHARE],
        "epsilon": [_POSITIVE],
        "n_iter_no_change": [_FROM_1, Options(Real, {np.inf})],
        "max_fun": [_FROM_1],
        "layers": [list, tuple, None],
        "recipe": [str, None],
        "epochs": [_FROM_1, None],
        "dropout": [_SHARE],
        "schedule": [callable, None],
        "augmentation": [dict, Augmentation, None],
        "image_shape": ["array-like", None],
        "loss": [StrOptions({"auto"})],
        "class_weight": [None],
    }

    def __init__(
        self,
        hidden_layer_sizes: int | Sequence[int] = (100,),
        activation: str = "relu",
        *,
        solver: str = "adam",
        alpha: float = 0.0001,
        batch_size: int | str = "auto",
        learning_rate: str = "constant",
        learning_rate_init: float = 0.001,
        power_t: float = 0.5,
        max_iter: int = 200,
        shuffle: bool = True,
        random_state: Any = None,
        tol: float = 1e-4,
        verbose: bool | int = False,
        warm_start: bool = False,
        momentum: float = 0.9,
        nesterovs_momentum: bool = True,
        early_stopping: bool = False,
        validation_fraction: float = 0.1,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-8,
        n_iter_no_change: int | float = 10,
        max_fun: int = 15000,
        layers: Sequence[Any] | None = None,
        recipe: str | None = None,
        epochs: int | None = None,
        dropout: float = 0.0,
        schedule: Schedule | None = None,
        augmentation: dict[str, float] | Augmentation | None = None,
        image_shape: Sequence[int] | None = None,
        loss: str = "auto",
        class_weight: dict[Any, float] | str | None = None,
    ) -> None:
        self.hidden_layer_sizes = hidden_layer_sizes
        self.activation = activation
        self.solver = solver
        self.alpha = alpha
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.learning_rate_init = learning_rate_init
        self.power_t = power_t
        self.max_iter = max_iter
        self.shuffle = shuffle
        self.random_state = random_state
        self.tol = tol
        self.verbose = verbose
        self.warm_start = warm_start
        self.momentum = momentum
        self.nesterovs_momentum = nesterovs_momentum
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.beta_1 = beta_1
        self.beta_2 = beta_2
        self.epsilon = epsilon
        self.n_iter_no_change = n_iter_no_change
        self.max_fun = max_fun
        self.layers = layers
        self.recipe = recipe
        self.epochs = epochs
        self.dropout = dropout
        self.schedule = schedule
        self.augmentation = augmentation
        self.image_shape = image_shape
        self.loss = loss
        self.class_weight = class_weight
