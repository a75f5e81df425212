"""The timeline: the claimed accuracy of the original report's iterations, beside reproduced and correct results."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from plainnet.pictures.style import BLUE, GRAY, ORANGE, spaced


def timeline(rows: Sequence[dict[str, Any]], names: Sequence[str]) -> Figure:
    """Draw the claimed, reproduced and correct accuracy of each iteration, and the course of the last iteration.

    There are two rows for each iteration, one per form: first as described, then done right. `names` are the names of
    the iterations, in their order.
    """
    found = {(row["iteration"], row["form"]): row for row in rows}
    described, right_form = dict.fromkeys(row["form"] for row in rows)
    bars = {
        "claimed": (GRAY, [found[n, described]["claimed"] for n in names]),
        "reproduced: gradient summed and clipped": (ORANGE, [found[n, described]["test_accuracy"] for n in names]),
        "done right: mean gradient": (BLUE, [found[n, right_form]["test_accuracy"] for n in names]),
    }
    figure = Figure(figsize=(13, 5.2), layout=spaced())
    figure.suptitle("performance timeline: all iterations compared", fontsize=14)
    left, right = figure.subplots(1, 2, width_ratios=[1.7, 1])
    for offset, (label, (color, values)) in enumerate(bars.items()):
        places = np.arange(len(names)) + 0.28 * (offset - 1)
        heights = [100 * (value or 0) for value in values]
        drawn = left.bar(places, heights, width=0.26, color=color, label=label)
        digits = ".4g" if label == "claimed" else ".1f"
        texts = ["NaN" if value is None else f"{100 * value:{digits}}" for value in values]
        left.bar_label(drawn, texts, fontsize=8, padding=1)
    labels = [f"{number}\n{name.replace(', ', chr(10)).replace(' with', chr(10) + 'with')}"
              for number, name in enumerate(names, start=1)]  # fmt: skip
    left.set_xticks(range(len(names)), labels, fontsize=9)
    left.set(ylim=(0, 122), ylabel="test accuracy (%)", title="one run each")
    left.set_yticks(range(0, 101, 20))
    left.legend(frameon=False, ncols=3, loc="upper center", fontsize=9)
    for form, color in ((described, ORANGE), (right_form, BLUE)):
        history = found[names[-1], form]["validation_by_epoch"]
        if history:  # empty if the training diverged
            right.plot(range(1, len(history) + 1), np.multiply(history, 100), color=color)
            right.annotate(form, (len(history), 100 * history[-1] - 0.9), color=color, ha="right")
    right.set(xlabel="epoch (the learning rate falls after 30, 50 and 65)", ylabel="validation accuracy (%)",
              title="the sixth iteration, epoch by epoch")  # fmt: skip
    figure.supxlabel(
        "Claimed and correct results differ where a missing 1/N made every step 128 times too long: docs/anatomy.md",
        fontsize=9,
    )
    for axes in (left, right):
        axes.spines[["top", "right"]].set_visible(False)
    return figure
