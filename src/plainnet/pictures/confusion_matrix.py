"""The confusion matrix: how often each class was predicted as each other class."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure

from plainnet.evaluation import Evaluation
from plainnet.pictures.style import BLUE, MISTAKES, class_names, name_columns, spaced


def confusion_matrix(test: Evaluation) -> Figure:
    """Draw the confusion matrix: rows are true classes, columns predicted ones; color shows the mistakes."""
    counts, names = test.confusion, class_names(test)
    mistakes = counts.astype(float)
    np.fill_diagonal(mistakes, np.nan)
    side = max(7.6, 0.6 * len(names))
    figure = Figure(figsize=(side, 0.9 * side), layout=spaced())
    axes = figure.subplots()
    top = max(float(np.nansum(mistakes) and np.nanmax(mistakes)), 1.0)
    picture = axes.imshow(mistakes, cmap=MISTAKES, vmin=0, vmax=top)
    for (row, column), count in np.ndenumerate(counts):
        right = row == column
        color = BLUE if right else "white" if count > 0.6 * top else "black"
        if count or right:
            axes.text(
                column, row, f"{count:,}", ha="center", va="center", color=color,
                fontsize=9, fontweight="bold" if right else "normal",
            )  # fmt: skip
    name_columns(axes, names)
    axes.set_yticks(range(len(names)), names)
    axes.set(xlabel="predicted", ylabel="true")
    wrong = int(np.nansum(mistakes))
    axes.set_title(f"{test.accuracy:.2%} of {len(test.data):,} test images right, {wrong:,} misclassified")
    axes.tick_params(length=0)
    figure.colorbar(picture, ax=axes, label="mistakes", shrink=0.8)
    return figure
