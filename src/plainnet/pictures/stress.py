"""Stress test: accuracy against the severity of each corruption, and against the limit of each attack."""

from __future__ import annotations

from typing import Any

from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from plainnet.pictures.style import BLUE, GRAY, ORANGE, spaced, without_frame

_ACROSS = 6


def stress_drawn(table: dict[str, Any]) -> Figure:
    """Draw the result of `Stress.to_table`: a small picture for each corruption, and one for the attacks."""
    names = list(table["corruptions"])
    down = -(-(len(names) + 1) // _ACROSS)
    figure = Figure(figsize=(2.05 * _ACROSS, 2.1 * down + 0.4), layout=spaced())
    panels = figure.subplots(down, _ACROSS, sharey=True).ravel()
    for axes, name in zip(panels, names, strict=False):
        row = table["corruptions"][name]
        axes.plot([0, *map(int, row)], [table["accuracy"], *row.values()], "o-", color=BLUE, markersize=3.5)
        axes.set_title(name, fontsize=10)
        axes.set_xticks(range(6))
    last = panels[len(names)]
    for (name, row), color in zip(table["attacks"].items(), (ORANGE, GRAY), strict=False):
        last.plot(
            [0, *map(float, row)], [table["accuracy"], *row.values()], "o-", color=color, markersize=3.5, label=name
        )
    last.set_title("attacks, by limit per pixel", fontsize=10)
    last.legend(frameon=False, fontsize=7)
    for axes in panels[len(names) + 1 :]:
        axes.axis("off")
    for axes in panels[: len(names) + 1]:
        axes.set_ylim(0, 1.04)
        axes.yaxis.set_major_formatter(PercentFormatter(1))
        axes.tick_params(labelsize=8)
        without_frame(axes)
    mean = table["mean_corrupted_accuracy"]
    figure.suptitle(f"accuracy {table['accuracy']:.2%}; mean under corruptions of severity 1 to 5: {mean:.1%}")
    return figure
