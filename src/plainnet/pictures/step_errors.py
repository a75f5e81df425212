"""The errors of numerical derivatives by step size: they show why the complex step is more accurate."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure

from plainnet.pictures.style import BLUE, GRAY, ORANGE, spaced


def step_errors(
    steps: np.ndarray, central_differences: np.ndarray, complex_step: np.ndarray, *, tolerance: float, epsilon: float
) -> Figure:
    """Draw relative errors (steps, elements) of both methods: the median and the range, by step size."""
    figure = Figure(figsize=(8.5, 5), layout=spaced())
    axes = figure.subplots()
    for values, color, name in (
        (central_differences, ORANGE, "central differences"),
        (complex_step, BLUE, "complex step"),
    ):
        axes.fill_between(steps, values.min(axis=1), values.max(axis=1), color=color, alpha=0.18, linewidth=0)
        axes.plot(steps, np.median(values, axis=1), color=color, label=name)
    axes.axhline(tolerance, color=GRAY, linewidth=0.8, linestyle="--")
    axes.annotate(
        f"tolerance {tolerance:g}", (steps[0], tolerance), xytext=(4, 4), textcoords="offset points", color=GRAY
    )
    axes.axvline(epsilon, color=GRAY, linewidth=0.8, linestyle=":")
    axes.annotate(f"epsilon {epsilon:g}", (epsilon, 3e-17), xytext=(4, 0), textcoords="offset points", color=GRAY)
    axes.set(xscale="log", yscale="log", xlabel="step (epsilon, or h along the imaginary axis)", ylim=(1e-17, 2))
    count = central_differences.shape[1]
    axes.set(ylabel="relative error of a gradient", title=f"{count} gradients; line: median, shaded: range")
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False, loc="upper left", bbox_to_anchor=(0.02, 0.55))
    return figure
