"""The solver "lbfgs": SciPy's quasi-Newton method, with the loss over all examples at once."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.optimize import minimize
from sklearn.utils.optimize import _check_optimize_result

from plainnet.data.dataset import DataSet
from plainnet.workers import Threads


def fit(estimator: Any, data: DataSet) -> None:
    """Find the weights that minimize the loss plus the penalty alpha ||W||^2 / (2 n).

    Source: Byrd, Lu, Nocedal, Zhu 1995, "A limited memory algorithm for bound constrained optimization".
    """
    network = estimator.network_
    threads = Threads(network, estimator._loss_function(), metrics={})
    rows, decayed = np.arange(len(data)), network.parameters.groups["decayed"]
    strength = estimator.alpha / (len(data) if data.weights is None else data.weights.sum())

    def loss_and_gradient(theta: np.ndarray) -> tuple[float, np.ndarray]:
        network.theta[:] = theta
        loss = threads.gradient(data, rows).mean_loss()
        W = theta[decayed]
        gradient = network.grad.astype(float)
        gradient[decayed] += strength * W
        return loss + 0.5 * strength * float(W @ W), gradient

    with threads:
        found = minimize(
            loss_and_gradient,
            network.theta.astype(float),
            method="L-BFGS-B",
            jac=True,
            options={
                "maxfun": estimator.max_fun,
                "maxiter": estimator.epochs or estimator.max_iter,
                "gtol": estimator.tol,
            },
        )
    network.theta[:] = found.x
    estimator.n_iter_ = _check_optimize_result("lbfgs", found, estimator.max_iter)
    estimator.loss_ = float(found.fun)
    if estimator.verbose:
        print(f"Iteration {estimator.n_iter_}, loss = {estimator.loss_:.8f}")
