"""One training of an estimator: plainnet's training loop, with scikit-learn's rules for monitoring and stopping."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils import shuffle

from plainnet.config import construct
from plainnet.data.augmentation import Augmentation
from plainnet.data.dataset import DataSet
from plainnet.errors import TrainingDivergedError
from plainnet.events import Epoch
from plainnet.sklearn.callbacks import Tasks
from plainnet.sklearn.steps import LearningRate, solver
from plainnet.training import Training

_MOST_AT_ONCE = 200  # examples in a batch, if batch_size is "auto"
Score = Callable[[], float]


def train(estimator: Any, data: DataSet, score: Score | None, tasks: Tasks, *, incremental: bool) -> None:
    """Train the estimator's network by "sgd" or "adam": for one epoch if `incremental`, else until convergence.

    `score` returns the score on validation data, for early stopping.

    Raises: `TrainingDivergedError` if the weights are no longer finite. With early stopping, it warns instead and puts
    the best weights back.
    """
    fitting = _Fitting(estimator, data, score, tasks, incremental)
    try:
        fitting.run(1 if incremental else estimator.epochs or estimator.max_iter)
    except KeyboardInterrupt:
        warnings.warn("Training interrupted by user.", stacklevel=4)
    except TrainingDivergedError:
        if score is None:
            raise
        estimator.validation_scores_.append(float("nan"))
        warnings.warn(
            "The training diverged; the weights are those of the best epoch.", ConvergenceWarning, stacklevel=4
        )
    finally:
        fitting.close()


class _Fitting:
    def __init__(self, estimator: Any, data: DataSet, score: Score | None, tasks: Tasks, incremental: bool) -> None:
        self.estimator, self.data, self.score = estimator, data, score
        self.tasks, self.incremental = tasks, incremental
        self.best: dict[str, np.ndarray] | None = None
        self.rows, self.ordered = np.arange(len(data)), 0
        size = estimator.batch_size
        if size != "auto" and size > len(data):
            warnings.warn(
                "Got `batch_size` less than 1 or larger than sample size. It is going to be clipped", stacklevel=5
            )
        self.batch_size = min(_MOST_AT_ONCE if size == "auto" else int(size), len(data))
        self.rule = solver(estimator)
        if not (incremental and hasattr(estimator, "_rule_state")):
            vars(estimator).pop("_rule_state", None)
            kind = estimator.learning_rate if estimator.solver == "sgd" else "constant"
            estimator._optimizer = LearningRate(kind, estimator.learning_rate_init, estimator.power_t)

    def run(self, epochs: int) -> None:
        """Train for at most this many epochs."""
        estimator = self.estimator
        training = Training(
            estimator.network_, estimator._loss_function(), self.rule, self.data,
            batch_size=self.batch_size, epochs=epochs, learning_rate=estimator.schedule or estimator._optimizer,
            augmentation=_augmentation(estimator.augmentation), metrics={}, order=self.order, rng=_seed(estimator),
        )  # fmt: skip
        if hasattr(estimator, "_rule_state"):
            self.rule.restore(estimator._rule_state)
        estimator.n_iter_ = 0
        for event in training:
            if isinstance(event, Epoch) and self.ends_with(event, epochs):
                return

    def order(self, number: int) -> np.ndarray:
        """Return the rows in the order of an epoch, shuffled as in scikit-learn; tell the solver the batch weights."""
        if number != self.ordered:
            self.ordered = number
            self.tasks.begin_epoch(number)
            if self.estimator.shuffle:
                self.rows = shuffle(self.rows, random_state=self.estimator._random_state)
        starts = np.arange(0, len(self.rows), self.batch_size)
        counts = np.diff(starts, append=len(self.rows))
        weights = self.data.weights
        of_batches = counts if weights is None else np.add.reduceat(weights[self.rows], starts)
        self.rule.begin_epoch(of_batches.astype(float), counts)
        return self.rows

    def ends_with(self, epoch: Epoch, epochs: int) -> bool:
        """Record an epoch on the estimator, and return whether training ends with it."""
        estimator = self.estimator
        estimator.n_iter_ += 1
        estimator.loss_ = epoch.train_loss + self.rule.penalty
        estimator.loss_curve_.append(estimator.loss_)
        estimator.t_ += len(self.data)
        if estimator.verbose:
            print(f"Iteration {estimator.n_iter_}, loss = {estimator.loss_:.8f}")
        self.count_without_improvement()
        estimator._optimizer.after_epoch(estimator.t_)
        stop = self.tasks.end_epoch()
        if estimator._no_improvement_count > estimator.n_iter_no_change:
            if estimator._optimizer.without_improvement():
                if estimator.verbose:
                    what = "Training loss" if self.score is None else "Validation score"
                    print(f"{what} did not improve more than tol={estimator.tol:f} for "
                          f"{estimator.n_iter_no_change} consecutive epochs. Stopping.")  # fmt: skip
                return True
            estimator._no_improvement_count = 0
        if epoch.number == epochs and not self.incremental:
            warnings.warn(
                f"Stochastic Optimizer: Maximum iterations ({epochs}) reached and the optimization hasn't converged "
                "yet.",
                ConvergenceWarning,
                stacklevel=6,
            )
        return stop

    def count_without_improvement(self) -> None:
        """Count the epochs in a row that did not improve by `tol`; with early stopping, keep the best weights."""
        estimator = self.estimator
        if self.score is None:
            worse = estimator.loss_ > estimator.best_loss_ - estimator.tol
            estimator.best_loss_ = min(estimator.best_loss_, estimator.loss_)
        else:
            score = self.score()
            estimator.validation_scores_.append(score)
            if estimator.verbose:
                print(f"Validation score: {score:f}")
            worse = score < estimator.best_validation_score_ + estimator.tol
            if score > estimator.best_validation_score_:
                estimator.best_validation_score_ = score
                self.best = {name: tensor.copy() for name, tensor in estimator.network_.tensors().items()}
        estimator._no_improvement_count = estimator._no_improvement_count + 1 if worse else 0

    def close(self) -> None:
        """Put the best weights back, if there are any, and keep the state that a later `partial_fit` continues from."""
        if self.best is not None:
            self.estimator.network_.restore(self.best)
        if self.incremental and self.rule.parameters is not None:
            self.estimator._rule_state = self.rule.state()


def _augmentation(given: Any) -> Augmentation | None:
    if given is None or isinstance(given, Augmentation):
        return given
    return construct({"Augmentation": Augmentation}, {"type": "Augmentation", **given}, "augmentation")


def _seed(estimator: Any) -> int:
    """Return a seed for layers and augmentation if they use random numbers, else 0."""
    draws = estimator.dropout or estimator.augmentation is not None or estimator.layers is not None
    return int(estimator._random_state.randint(2**31 - 1)) if draws else 0
