"""The errors of a regression: predicted against right numbers, and a histogram of the errors."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure

from plainnet.evaluation import NumberEvaluation
from plainnet.pictures.style import BLUE, GRAY, spaced, without_frame

_MOST_POINTS = 5000


def errors(test: NumberEvaluation) -> Figure:
    """Draw the predicted numbers against the right ones, and a histogram of the errors."""
    right, error = test.right.ravel(), test.errors.ravel()
    rows = np.random.default_rng(0).permutation(len(right))[:_MOST_POINTS]
    figure = Figure(figsize=(11, 4.8), layout=spaced())
    left, second = figure.subplots(1, 2)
    low, high = float(min(right.min(), (right + error).min())), float(max(right.max(), (right + error).max()))
    left.plot([low, high], [low, high], color=GRAY, linewidth=1, linestyle="--", label="predicted = right")
    left.plot(right[rows], (right + error)[rows], "o", color=BLUE, markersize=4, alpha=0.5, markeredgewidth=0)
    left.set(xlabel="right number", ylabel="predicted number", title="each test example")
    left.legend(frameon=False, loc="upper left")
    second.hist(error, bins=min(60, max(10, len(error) // 10)), color=BLUE)
    second.axvline(0, color=GRAY, linewidth=1, linestyle="--")
    second.set(
        xlabel="error: predicted - right",
        ylabel="test examples",
        title=f"mean absolute error {test.mean_absolute_error:.4g}",
    )
    for axes in (left, second):
        without_frame(axes)
    return figure
