"""Preview of augmentation: original images beside the changed images used for training."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure

from plainnet.data.augmentation import Augmentation
from plainnet.data.dataset import DataSet
from plainnet.pictures.style import ORANGE, drawable, spaced

_VARIANTS = 9


def augmentation_preview(augmentation: Augmentation, data: DataSet, seed: int = 0) -> Figure:
    """Draw one image of each class, and beside it examples of its augmentation."""
    rng = np.random.default_rng(seed)
    chosen = [np.flatnonzero(data.labels == label)[:1] for label in range(len(data.class_names))]
    images = data.images[np.concatenate(chosen)]
    as_they_are = drawable(images)
    assert as_they_are is not None
    variants = [as_they_are, *(augmentation(images, rng) for _ in range(_VARIANTS))]
    sheet = np.stack(variants, axis=2)  # (classes, H, 1 + variants, W) and channels
    classes, height, across, width = sheet.shape[:4]
    figure = Figure(figsize=(0.8 * across + 0.3, 0.8 * classes + 0.7), layout=spaced())
    axes = figure.subplots()
    axes.imshow(sheet.reshape(classes * height, across * width, *sheet.shape[4:]), cmap="gray_r", vmin=0, vmax=1)
    axes.axvline(width - 0.5, color=ORANGE, linewidth=2)
    axes.axis("off")
    axes.set_title("left: original; right: changed for training")
    return figure
