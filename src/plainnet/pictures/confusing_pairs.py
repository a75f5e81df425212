"""The pairs of classes that the network confuses most often, with the misclassified images."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure

from plainnet.evaluation import Evaluation
from plainnet.pictures.style import class_names, drawable, spaced

_PAIRS, _EXAMPLES = 6, 10


def confusing_pairs(test: Evaluation) -> Figure | None:
    """Draw the pairs of classes confused most often, with the misclassified images, highest confidence first.

    Returns None if the inputs are not images.
    """
    if drawable(test.data.images[:1]) is None:
        return None
    mistakes = test.confusion - np.diag(test.confusion.diagonal())
    places = np.argsort(-mistakes, axis=None, kind="stable")[:_PAIRS]
    pairs = [(place // len(mistakes), place % len(mistakes)) for place in places if mistakes.flat[place] > 0]
    names, (height, width, *colors) = class_names(test), test.data.images.shape[1:]
    colors = [size for size in colors if size > 1]
    lines = max(1, len(pairs))
    sheet = np.full((lines, height, _EXAMPLES, width, *colors), 1.0 if colors else 0.0)
    figure = Figure(figsize=(10.5, 0.5 + 0.92 * lines), layout=spaced())
    axes = figure.subplots()
    axes.axis("off")
    axes.set_title("pairs confused most often" if pairs else "pairs confused most often: none, all images are right")
    for line, (label, guess) in enumerate(pairs):
        caption = f"{names[label]} read as {names[guess]}\n{mistakes[label, guess]} of {test.confusion[label].sum():,}"
        axes.text(-4, (line + 0.5) * height, caption, ha="right", va="center", fontsize=11)
        rows = np.flatnonzero((test.data.labels == label) & (test.predicted == guess))
        surest = rows[np.argsort(-test.probabilities[rows, guess], kind="stable")][:_EXAMPLES]
        shown = drawable(test.data.images[surest])
        assert shown is not None
        sheet[line, :, : len(surest)] = shown.swapaxes(0, 1)
    axes.imshow(sheet.reshape(lines * height, _EXAMPLES * width, *colors), cmap="gray_r", vmin=0, vmax=1)
    return figure
