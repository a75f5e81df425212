"""Pictures of `predict`: each image with its answer, and the steps from one image to what the network sees."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from plainnet.evaluation import as_percent
from plainnet.pictures.style import BLUE, ORANGE, shortened, spaced
from plainnet.sources.answers import Answer

_MOST, _COLUMNS = 40, 5


def answers_drawn(answers: Sequence[Answer]) -> Figure:
    """Draw up to 40 pictures with frames around the digits found, each with its answer or the reason for no answer."""
    shown = answers[:_MOST]
    columns = min(_COLUMNS, len(shown))
    rows = -(-len(shown) // columns)
    figure = Figure(figsize=(2.3 * columns + 0.4, 2.5 * rows + 0.3), layout=spaced())
    for place, axes in enumerate(figure.subplots(rows, columns, squeeze=False).flat):
        axes.axis("off")
        if place >= len(shown):
            continue
        said = shown[place]
        picture = _picture(said)
        axes.imshow(picture, **_gray(picture))
        height, width = picture.shape[:2]
        for digit in said.digits:
            top, bottom, left, right = digit["box"]
            color = BLUE if digit["sure"] else ORANGE
            corner = (left * width - 0.5, top * height - 0.5)
            size = ((right - left) * width, (bottom - top) * height)
            axes.add_patch(Rectangle(corner, *size, fill=False, edgecolor=color, linewidth=1.5))
        told = said.answer if said.answer is not None else said.reason
        sure = (
            ""
            if said.shares is None or len(said.digits) > 1 or said.answer is None
            else f"  {as_percent(float(said.shares.max()))}"
        )
        axes.set_title(f"{shortened(str(told), 24)}{sure}", color=BLUE if said.answer else ORANGE, fontsize=11)
        axes.text(0.5, -0.02, shortened(said.file.rsplit("/", 1)[-1], 28), transform=axes.transAxes,
                  ha="center", va="top", fontsize=7)  # fmt: skip
    if len(answers) > _MOST:
        figure.suptitle(f"the first {_MOST} of {len(answers):,} pictures")
    return figure


def steps_drawn(said: Answer) -> Figure:
    """Draw the steps from a picture to what the network sees: the ink, the ink that is kept, the digits."""
    steps = said.reading.steps if said.reading is not None else {}
    names = {"picture": "the picture", "ink": "ink, without the paper", "kept": "ink that is kept"}
    panels = [(names[name], _as_picture(step)) for name, step in steps.items()]
    if said.pixels is not None:
        images = said.pixels if said.pixels.ndim == 3 and said.digits else said.pixels[None]
        title = f"what the network sees: {said.answer if said.answer is not None else said.reason}"
        panels.append((title, np.concatenate(list(images[:8]), axis=1)))
    elif said.reason is not None:
        panels[-1] = (f"{panels[-1][0]}: {said.reason}", panels[-1][1])
    figure = Figure(figsize=(3.1 * len(panels), 3.5), layout=spaced())
    for axes, (title, picture) in zip(figure.subplots(1, len(panels), squeeze=False).flat, panels, strict=True):
        axes.axis("off")
        axes.imshow(picture, **_gray(picture))
        axes.set_title(title, fontsize=10, wrap=True)
    return figure


def _picture(said: Answer) -> np.ndarray:
    if said.reading is not None and "picture" in said.reading.steps:
        return _as_picture(said.reading.steps["picture"])
    assert said.pixels is not None
    return said.pixels


def _as_picture(step: np.ndarray) -> np.ndarray:
    """Return a step as a picture: ink dark on white, colors unchanged."""
    if step.ndim == 2:
        return 1 - np.clip(step, 0, 1)
    return np.clip(step[..., 0] if step.shape[2] == 1 else step, 0, 1)


def _gray(picture: np.ndarray) -> dict[str, Any]:
    return {"cmap": "gray", "vmin": 0, "vmax": 255 if picture.dtype == np.uint8 else 1}
