"""Overview of data: how many examples each class has, and some of them; for a table, histograms of its columns."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from plainnet.pictures.style import BLUE, ORANGE, drawable, shortened, spaced, without_frame
from plainnet.sources.overview import Overview

_MOST_CLASSES, _EXAMPLES, _COLUMNS = 12, 10, 12


def overview_drawn(found: Overview) -> Figure:
    """Draw the targets, beside them examples of images or histograms of columns, and below them suspicious labels."""
    train = found.data.train
    images = drawable(train.inputs[:1]) is not None
    suspects = found.suspects[:_EXAMPLES] if images else []
    figure = Figure(figsize=(12, 5.2 + (1.6 if suspects else 0)), layout=spaced())
    rows = figure.subfigures(2 if suspects else 1, 1, height_ratios=[5.2, 1.6] if suspects else [1], squeeze=False)
    left, right = rows[0, 0].subfigures(1, 2, width_ratios=[1, 1.7])
    _targets(left.subplots(), found)
    if images:
        _images(right.subplots(), found)
    else:
        _columns(right, found)
    if suspects:
        rows[1, 0].suptitle("probably mislabeled", fontsize=11)
        for axes, suspect in zip(rows[1, 0].subplots(1, _EXAMPLES), [*suspects, *[None] * _EXAMPLES], strict=False):
            axes.axis("off")
            if suspect is not None:
                picture = drawable(train.inputs[suspect.row : suspect.row + 1])
                assert picture is not None
                axes.imshow(picture[0], cmap="gray_r", vmin=0, vmax=1)
                axes.set_title(f"{shortened(suspect.label, 10)}\nor {shortened(suspect.looks_like, 10)}?", fontsize=8)
    return figure


def _targets(axes: Axes, found: Overview) -> None:
    train = found.data.train
    if found.class_counts:
        names = list(found.class_counts)[:30]
        counts = [found.class_counts[name] for name in names]
        start = np.zeros(len(names))
        parts = (("train", BLUE), ("validate", "#8fb8de"), ("test", ORANGE))
        for place, (label, color) in enumerate(parts):
            values = np.array([count[place] for count in counts], float)
            axes.barh(range(len(names)), values, left=start, color=color, label=label)
            start += values
        axes.set_yticks(range(len(names)), [shortened(name, 18) for name in names])
        axes.invert_yaxis()
        axes.set_title("examples of each class")
        axes.legend(frameon=False, loc="upper center", bbox_to_anchor=(0.5, -0.06), ncols=3)
    elif train.kind == "labels":
        axes.barh(range(len(train.class_names)), train.targets.sum(axis=0), color=BLUE)
        axes.set_yticks(range(len(train.class_names)), [shortened(name, 18) for name in train.class_names])
        axes.invert_yaxis()
        axes.set_title("training examples with each label")
    else:
        axes.hist(train.targets.ravel(), bins=40, color=BLUE)
        axes.set_title("targets of the training examples")
    without_frame(axes)


def _images(axes: Axes, found: Overview) -> None:
    """Draw a few images; for classes, one row per class."""
    train = found.data.train
    axes.axis("off")
    if train.kind == "classes":
        lines = [
            np.flatnonzero(train.targets == k)[:_EXAMPLES] for k in range(min(_MOST_CLASSES, len(train.class_names)))
        ]
    else:
        lines = [
            np.arange(start, min(start + _EXAMPLES, len(train))) for start in range(0, min(60, len(train)), _EXAMPLES)
        ]
    height, width = train.inputs.shape[1:3]
    colors = train.inputs.shape[3:] if train.inputs.ndim == 4 and train.inputs.shape[3] > 1 else ()
    sheet = np.full((len(lines), height, _EXAMPLES, width, *colors), 1.0 if colors else 0.0)
    for place, rows in enumerate(lines):
        if len(rows):
            shown = drawable(train.inputs[rows])
            assert shown is not None
            sheet[place, :, : len(rows)] = shown.swapaxes(0, 1)
        if train.kind == "classes":
            name = shortened(train.class_names[place], 14)
            axes.text(-0.3 * width, (place + 0.5) * height, name, ha="right", va="center", fontsize=9)
    axes.imshow(sheet.reshape(len(lines) * height, _EXAMPLES * width, *colors), cmap="gray_r", vmin=0, vmax=1)
    axes.set_title("training examples")


def _columns(figure: Figure, found: Overview) -> None:
    """Draw a histogram of each of the first columns."""
    train = found.data.train
    names = train.column_names or tuple(f"number {k}" for k in range(train.inputs.shape[1]))
    shown = min(_COLUMNS, len(names))
    columns = min(4, shown)
    for place, axes in enumerate(figure.subplots(-(-shown // columns), columns, squeeze=False).flat):
        if place >= shown:
            axes.axis("off")
            continue
        axes.hist(train.inputs[:, place].astype(float), bins=20, color=BLUE)
        axes.set_title(shortened(names[place], 18), fontsize=9)
        axes.tick_params(labelsize=7)
        axes.set_yticks([])
        without_frame(axes)
    figure.suptitle(
        "columns of the training part" + (f", the first {shown} of {len(names)}" if len(names) > shown else "")
    )
