"""Sample predictions: correctly classified images, and the mistakes with the highest confidence."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from plainnet.evaluation import Evaluation, as_percent
from plainnet.pictures.style import BLUE, ORANGE, class_names, drawable


def sample_predictions(test: Evaluation) -> Figure | None:
    """Draw one correctly classified image of each class, and the mistakes with the highest confidence.

    Returns None if the inputs are not images.
    """
    if drawable(test.data.images[:1]) is None:
        return None
    predicted, labels, names = test.predicted, test.data.labels, test.data.class_names
    confidence = test.probabilities.max(axis=1)
    right = [row for k in range(len(names)) for row in np.flatnonzero((labels == k) & (predicted == k))[:1]][:10]
    wrong = test.mistakes[np.argsort(-confidence[test.mistakes], kind="stable")][:20]
    figure = Figure(figsize=(12, 2.4 + 1.7 * max(1, -(-len(wrong) // 10))))
    axes = figure.add_axes((0.01, 0.0, 0.98, 1.0))
    axes.axis("off")
    below = _gallery(axes, 0.0, f"right: one of each class ({test.accuracy:.2%} of all are right)", right, test, BLUE)
    below = _gallery(axes, below, "wrong: the mistakes with the highest confidence", list(wrong), test, ORANGE)
    axes.set(xlim=(0, 10), ylim=(below, 0), aspect="auto")
    return figure


def _gallery(axes: Axes, top: float, title: str, rows: Sequence[int], test: Evaluation, color: str) -> float:
    """Draw images in lines of ten, one unit wide each, from `top` downward; return where the last line ends."""
    axes.text(0.05, top + 0.22, title if rows else f"{title}: none", fontsize=12, va="center")
    line_height, names = 1.4, class_names(test, most=10)
    size = 9 if max(map(len, names)) <= 5 else 7
    images = drawable(test.data.images[np.asarray(rows, int)])
    assert images is not None
    for place, row in enumerate(rows):
        line, column = divmod(place, 10)
        y, shares = top + 0.4 + line * line_height, test.probabilities[row]
        guess, label = int(shares.argmax()), int(test.data.labels[row])
        caption = f"read {names[guess]}  {as_percent(shares[guess])}"
        if guess != label:
            caption += f"\nis {names[label]}  {as_percent(shares[label])}"
        axes.text(column + 0.5, y + 0.2, caption, fontsize=size, color=color, ha="center", va="center")
        axes.imshow(images[place], cmap="gray_r", vmin=0, vmax=1,
                    extent=(column + 0.08, column + 0.92, y + 1.3, y + 0.4))  # fmt: skip
    return top + 0.4 + line_height * max(1, -(-len(rows) // 10))
