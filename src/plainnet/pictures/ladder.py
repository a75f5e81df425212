"""The ladder: accuracy against minutes of training, one dot per recipe."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

from plainnet.pictures.style import BLUE, GRAY, literal, spaced


def ladder(rows: list[dict[str, Any]]) -> Figure:
    """Draw accuracy against minutes of training; the size of a dot shows the number of parameters.

    The accuracy axis is logarithmic in the error rate; otherwise the best recipes would all lie on one line.
    """
    figure = Figure(figsize=(9, 5.2), layout=spaced())
    axes = figure.subplots()
    for row in rows:
        if not row["runs"]:
            continue
        size = 12 * np.sqrt(row["parameters"] / 1000)
        axes.scatter(row["minutes"], 100 * (1 - row["mean"]), s=size, color=BLUE, alpha=0.6, linewidth=0)
        axes.annotate(
            f"{literal(row['recipe'])}  {row['mean']:.2%}", (row["minutes"], 100 * (1 - row["mean"])), fontsize=9,
            xytext=(3 + 0.5 * np.sqrt(size), 0), textcoords="offset points", va="center",
        )  # fmt: skip
    axes.set(xscale="log", yscale="log", ylabel="test accuracy (%)")
    axes.set_xlabel("minutes of training (an ensemble: of all its members)")
    axes.set_title("all recipes of the ladder; a dot's area grows with the square root of its parameters")
    axes.invert_yaxis()
    axes.xaxis.set_major_formatter("{x:g}")
    axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda errors, _: f"{100 - errors:g}"))
    axes.yaxis.set_minor_formatter(NullFormatter())
    axes.margins(x=0.25, y=0.12)
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(which="major", linewidth=0.4, color=GRAY, alpha=0.4)
    return figure
