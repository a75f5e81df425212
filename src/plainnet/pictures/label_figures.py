"""Recall and precision of each label of a multi-label classifier."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from plainnet.evaluation import LabelEvaluation
from plainnet.pictures.style import BLUE, ORANGE, name_columns, shortened, spaced, without_frame


def label_figures(test: LabelEvaluation) -> Figure:
    """Draw the recall and the precision of each label as bars."""
    names = [shortened(name, 16) for name in test.per_label]
    figure = Figure(figsize=(max(9.0, 0.9 * len(names)), 4.6), layout=spaced())
    axes = figure.subplots()
    for offset, key, color, told in (
        (-0.21, "recall", BLUE, "recall: the share of the examples with this label that were found"),
        (0.21, "precision", ORANGE, "precision: the share of the predictions of this label that are right"),
    ):
        shares = [100 * (figures[key] or 0) for figures in test.per_label.values()]
        axes.bar(np.arange(len(names)) + offset, shares, 0.4, color=color, label=told)
    name_columns(axes, names)
    axes.set_ylim(0, 118)
    axes.set_yticks(range(0, 101, 20))
    axes.yaxis.set_major_formatter(PercentFormatter(decimals=None))
    axes.set_title(f"test figures by label; {test.accuracy:.2%} of all answers are right")
    axes.legend(frameon=False, ncols=2, loc="upper center", fontsize=9)
    without_frame(axes)
    return figure
