"""A picture of why the complex step is the better judge: relative errors of both methods against the step."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure

from plainnet.application.plots import BLUE, GRAY, ORANGE, png
from plainnet.losses import Loss
from plainnet.network import Network
from plainnet.proof.central import TOLERANCE
from plainnet.proof.derivatives import EPSILON, Objective

_ELEMENTS = 24


def errors_by_epsilon(network: Network, loss: Loss, images: np.ndarray, labels: np.ndarray) -> bytes:
    """Draw |a - n| / (|a| + |n|) for steps from 1e-14 to 1: the median and the range over some elements, as PNG.

    The elements are drawn at random among the larger half of the gradients that are not zero.
    """
    objective = Objective(network, loss, images, labels)
    gradient = objective.backpropagation()
    sizes = np.abs(gradient)
    large = np.flatnonzero(sizes >= np.median(sizes[sizes > 0]))
    places = np.random.default_rng(0).choice(large, min(_ELEMENTS, len(large)), replace=False)
    steps = np.logspace(-14, 0, 29)

    def errors(numeric: np.ndarray) -> np.ndarray:
        analytic = gradient[places]
        relative = np.abs(analytic - numeric) / (np.abs(analytic) + np.abs(numeric))
        clipped: np.ndarray = np.clip(relative, 1e-17, 1.0)  # an error of 0 has no place on a logarithmic axis
        return clipped

    central = np.array([errors(objective.central_differences(places, step)) for step in steps])
    exact = np.array([errors(objective.complex_steps(places, step)) for step in steps])

    figure = Figure(figsize=(8.5, 5), layout="constrained")
    axes = figure.subplots()
    for values, color, name in ((central, ORANGE, "central differences"), (exact, BLUE, "complex step")):
        axes.fill_between(steps, values.min(axis=1), values.max(axis=1), color=color, alpha=0.18, linewidth=0)
        axes.plot(steps, np.median(values, axis=1), color=color, label=name)
    axes.axhline(TOLERANCE, color=GRAY, linewidth=0.8, linestyle="--")
    axes.annotate("tolerance 1e-7", (steps[0], TOLERANCE), xytext=(4, 4), textcoords="offset points", color=GRAY)
    axes.axvline(EPSILON, color=GRAY, linewidth=0.8, linestyle=":")
    axes.annotate(f"epsilon {EPSILON:g}", (EPSILON, 3e-17), xytext=(4, 0), textcoords="offset points", color=GRAY)
    axes.set(xscale="log", yscale="log", xlabel="step (epsilon, or h along the imaginary axis)", ylim=(1e-17, 2))
    axes.set(ylabel="relative error of a gradient", title=f"{len(places)} gradients: line the median, shade the range")
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False, loc="upper left", bbox_to_anchor=(0.02, 0.55))
    return png(figure)
