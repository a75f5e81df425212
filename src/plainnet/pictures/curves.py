"""Training curves: loss and accuracy by epoch, for one run or several."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from plainnet.events import Epoch
from plainnet.pictures.style import BLUE, GRAY, ORANGE, PALETTE, by_epochs, literal, logarithmic, spaced, without_frame


def training_curves(history: Sequence[Epoch], title: str) -> Figure:
    """Draw training and validation loss and accuracy by epoch, and mark where the learning rate falls in steps."""
    figure = Figure(figsize=(11, 4.6), layout=spaced())
    figure.suptitle(literal(title))
    numbers = [epoch.number for epoch in history]
    left, right = figure.subplots(1, 2)
    metric = next(iter(history[0].train), "accuracy")
    scale_of = 100 if metric == "accuracy" else 1
    marker = "o" if len(history) < 12 else ""
    in_steps = len({epoch.learning_rate for epoch in history}) < len(history) / 2
    falls = [
        (before.number + 0.5, f" {np.format_float_positional(after.learning_rate, 3, fractional=False, trim='-')}")
        for before, after in pairwise(history)
        if in_steps and after.learning_rate < before.learning_rate / 2
    ]
    for axes, name, scale in ((left, "loss", 1), (right, metric, scale_of)):
        for part, color in (("train", BLUE), ("validation", ORANGE)):
            values: list[Any] = [epoch.to_table().get(f"{part}_{name}") for epoch in history]
            if values[-1] is not None:
                label = "training (mean during the epoch)" if part == "train" else "validation (after the epoch)"
                axes.plot(numbers, np.multiply(values, scale), color=color, marker=marker, markersize=4, label=label)
        for place, rate in falls:
            axes.axvline(place, color=GRAY, linewidth=0.8, linestyle=":")
            height, va = (0.97, "top") if axes is left else (0.03, "bottom")
            axes.annotate(rate, (place, height), fontsize=8, color=GRAY, xycoords=("data", "axes fraction"), va=va)
        marks = " (dotted: the learning rate falls to this number)" if falls and axes is left else ""
        axes.set_xlabel(f"epoch{marks}")
        by_epochs(axes, len(history))
        without_frame(axes)
    left.set(ylabel="cross-entropy (nats)" if metric == "accuracy" else "loss")
    logarithmic(left)
    right.set(ylabel=metric.replace("_", " "))
    if metric == "accuracy":
        right.yaxis.set_major_formatter(PercentFormatter(decimals=None))
    figure.legend(*right.get_legend_handles_labels(), loc="outside lower center", ncols=2, frameon=False)
    return figure


def compared_curves(runs: Mapping[str, Mapping[str, Sequence[float]]]) -> Figure:
    """Draw the losses and error rates of several runs by epoch: training dashed, validation solid.

    `runs` maps a name to figures by epoch: train_loss, validation_loss, train_accuracy and validation_accuracy, NaN if
    unknown.
    """
    figure = Figure(figsize=(11.5, 4.8), layout=spaced())
    axes_of = dict(zip(("loss", "accuracy"), figure.subplots(1, 2), strict=True))
    for place, (name, figures) in enumerate(runs.items()):
        color = PALETTE[place % len(PALETTE)]
        for quantity, axes in axes_of.items():
            for part, style, face in (("train", "--", "white"), ("validation", "-", color)):
                values = np.asarray(figures[f"{part}_{quantity}"], float)
                shown = values if quantity == "loss" else 100 * (1 - values)
                shown = np.where(shown > 0, shown, np.nan)  # a logarithmic axis cannot show 0
                label = literal(name) if quantity == "loss" and part == "validation" else None
                axes.plot(np.arange(1, len(shown) + 1), shown, style, color=color, marker="o" * (len(shown) < 12),
                          markersize=4, markerfacecolor=face, linewidth=1.3, label=label)  # fmt: skip
    for axes, title in zip(axes_of.values(), ("cross-entropy (nats)", "errors (%)"), strict=True):
        axes.set(xlabel="epoch", ylabel=title)
        logarithmic(axes)
        by_epochs(axes, max(len(figures["train_loss"]) for figures in runs.values()))
        without_frame(axes)
    figure.suptitle("dashed: training (mean during the epoch); solid: validation (after the epoch)")
    figure.legend(loc="outside lower center", ncols=3, frameon=False)
    return figure
