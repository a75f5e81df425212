"""Recall and precision of each class, as bars."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from plainnet.evaluation import Evaluation
from plainnet.metrics import per_class_accuracy, precision
from plainnet.pictures.style import BLUE, GRAY, ORANGE, class_names, name_columns, spaced, without_frame


def recall_and_precision(test: Evaluation) -> Figure:
    """Draw the recall and the precision of each class as bars, and the overall accuracy as a line."""
    bars = {
        "recall: the share of this class that was predicted correctly": (BLUE, per_class_accuracy(test.confusion)),
        "precision: the share of predictions of this class that are right": (ORANGE, precision(test.confusion)),
    }
    values = 100 * np.array([shares for _, shares in bars.values()])
    worst, best = float(np.nanmin(values)), float(np.nanmax(values))
    names = class_names(test)
    figure = Figure(figsize=(max(9.0, 0.9 * len(names)), 4.6), layout=spaced())
    axes = figure.subplots()
    bottom = max(0.0, np.floor(worst - max(1.0, 0.5 * (best - worst))))
    top = best + 0.22 * (best - bottom)
    axes.set_ylim(bottom, top)
    for offset, (label, (color, shares)) in zip((-0.21, 0.21), bars.items(), strict=True):
        drawn = axes.bar(np.arange(len(names)) + offset, 100 * np.nan_to_num(shares), 0.4, color=color, label=label)
        for bar, share in zip(drawn, shares, strict=True):
            inside = 100 * share - bottom > 0.08 * (top - bottom)  # else the bar is too low to hold its number
            if share == share:  # a class without images has none
                axes.annotate(
                    f"{100 * share:.1f}", (bar.get_x() + bar.get_width() / 2, max(100 * share, bottom)), fontsize=7.5,
                    xytext=(0, -3 if inside else 3), textcoords="offset points", ha="center",
                    va="top" if inside else "bottom", color="white" if inside else color,
                )  # fmt: skip
    name_columns(axes, names)
    axes.axhline(100 * test.accuracy, color=GRAY, linewidth=1, linestyle="--", zorder=0)
    axes.set_title(f"test figures by class; dashed: overall accuracy, {test.accuracy:.2%}")
    axes.set(ylabel=f"share (axis starts at {bottom:.0f} %)" if bottom else "share")
    axes.yaxis.set_major_formatter(PercentFormatter(decimals=None))
    axes.set_yticks([tick for tick in axes.get_yticks() if bottom <= tick <= 100])
    axes.legend(frameon=False, ncols=2, loc="upper center", fontsize=9)
    without_frame(axes)
    return figure
