"""Pictures made of many small images: what the first layer looks for, what is confused, how images are changed."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure

from plainnet.application.evaluation import Evaluation
from plainnet.application.plots import class_names, drawable, png
from plainnet.data.augmentation import Augmentation
from plainnet.data.dataset import DataSet
from plainnet.layers import Conv2D, Dense
from plainnet.network import Network

_MOST_UNITS, _COLUMNS, _PAIRS, _EXAMPLES, _VARIANTS = 60, 12, 6, 10, 9


def first_layer_weights(network: Network) -> bytes | None:
    """Draw the weights into each unit of the first layer as an image, red where light counts for it, blue against.

    Of more than 60 units those with the longest weights are shown. None if the first layer does not look at images.
    """
    first = next((layer for layer in network.layers if layer.parameters), None)
    height, width = (*network.in_shape, 0, 0)[:2]
    if isinstance(first, Dense) and len(first.W.value) == height * width:
        images = first.W.value.T.reshape(-1, height, width)
    elif isinstance(first, Conv2D) and first.W.value.size == first.size**2 * first.filters:
        images = first.W.value.reshape(first.size, first.size, first.filters).transpose(2, 0, 1)
    else:
        return None
    longest = np.argsort(-np.linalg.norm(images.reshape(len(images), -1), axis=1), kind="stable")[:_MOST_UNITS]
    columns = min(_COLUMNS, len(longest))
    rows = -(-len(longest) // columns)
    sheet = np.full((rows, columns, images.shape[1] + 1, images.shape[2] + 1), np.nan)
    for place, unit in enumerate(longest):
        most = np.abs(images[unit]).max() or 1.0
        sheet[place // columns, place % columns, :-1, :-1] = images[unit] / most
    figure = Figure(figsize=(max(7.5, 0.95 * columns + 0.4), 0.95 * rows + 0.4), layout="constrained")
    axes = figure.subplots()
    axes.imshow(sheet.transpose(0, 2, 1, 3).reshape(rows * sheet.shape[2], -1), cmap="RdBu_r", vmin=-1, vmax=1)
    axes.axis("off")
    shown = "" if len(longest) == len(images) else f", the {len(longest)} longest of {len(images):,}"
    axes.set_title(f"first-layer weights{shown}: red counts for a unit, blue against it")
    return png(figure)


def confusing_pairs(test: Evaluation) -> bytes | None:
    """Draw the pairs of classes that are most often confused, with the images concerned, the surest mistakes first.

    None if the inputs are no images.
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
    figure = Figure(figsize=(10.5, 0.5 + 0.92 * lines), layout="constrained")
    axes = figure.subplots()
    axes.axis("off")
    axes.set_title("the most confusing pairs" if pairs else "the most confusing pairs: none, all images are recognized")
    for line, (label, guess) in enumerate(pairs):
        caption = f"{names[label]} read as {names[guess]}\n{mistakes[label, guess]} of {test.confusion[label].sum():,}"
        axes.text(-4, (line + 0.5) * height, caption, ha="right", va="center", fontsize=11)
        rows = np.flatnonzero((test.data.labels == label) & (test.predicted == guess))
        surest = rows[np.argsort(-test.probabilities[rows, guess], kind="stable")][:_EXAMPLES]
        shown = drawable(test.data.images[surest])
        assert shown is not None
        sheet[line, :, : len(surest)] = shown.swapaxes(0, 1)
    axes.imshow(sheet.reshape(lines * height, _EXAMPLES * width, *colors), cmap="gray_r", vmin=0, vmax=1)
    return png(figure)


def augmentation_preview(augmentation: Augmentation, data: DataSet, seed: int = 0) -> bytes:
    """Draw one image of each class, and beside it what the augmentation makes of it."""
    rng = np.random.default_rng(seed)
    chosen = [np.flatnonzero(data.labels == label)[:1] for label in range(len(data.class_names))]
    images = data.images[np.concatenate(chosen)]
    as_they_are = drawable(images)
    assert as_they_are is not None
    variants = [as_they_are, *(augmentation(images, rng) for _ in range(_VARIANTS))]
    sheet = np.stack(variants, axis=1)  # (classes, 1 + variants, H, W)
    classes, across, height, width = sheet.shape
    figure = Figure(figsize=(0.8 * across + 0.3, 0.8 * classes + 0.7), layout="constrained")
    axes = figure.subplots()
    axes.imshow(sheet.transpose(0, 2, 1, 3).reshape(classes * height, -1), cmap="gray_r", vmin=0, vmax=1)
    axes.axvline(width - 0.5, color="#d1661a", linewidth=2)
    axes.axis("off")
    axes.set_title("left: as it is; right: as it is learned from")
    return png(figure)
