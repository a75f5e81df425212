"""The common style of all pictures: colors, axes, shortened names, images ready to draw, and PNG files."""

from __future__ import annotations

import io
from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.ticker import LogLocator, MaxNLocator, NullFormatter

from plainnet.data.preparation import scaled
from plainnet.evaluation import Evaluation
from plainnet.foreign.showing import shown

BLUE, ORANGE, GRAY, LIGHT_GRAY = "#1f5a99", "#d1661a", "#6b7280", "#d1d5db"
PALETTE = (BLUE, ORANGE, "#3b8f5c", "#8a4f9e", "#b0343c", "#8a6d1f", "#2a9d9d", "#c2588f", GRAY, "#111827")
MISTAKES, SIGNED = "Oranges", "RdBu_r"  # color maps: of counts of mistakes; of weights, red above 0 and blue below


def spaced() -> ConstrainedLayoutEngine:
    """Return a layout in which nothing overlaps and nothing touches the edge."""
    return ConstrainedLayoutEngine(w_pad=0.12, h_pad=0.1, wspace=0.02, hspace=0.02)


def drawable(images: np.ndarray) -> np.ndarray | None:
    """Return images (N, H, W) or (N, H, W, 3) with values from 0 to 1; None for other data, such as a table."""
    if images.ndim == 4 and images.shape[3] == 1:
        images = images[..., 0]
    if images.ndim != 3 and images.shape[3:] != (3,):
        return None
    if images.dtype == np.uint8:
        return scaled(images)
    low, high = min(0.0, float(images.min(initial=0))), max(1.0, float(images.max(initial=1)))
    return (images - low) / (high - low)


def literal(text: str) -> str:
    """Return text in which matplotlib finds neither a formula nor a character that it cannot draw."""
    return shown(text).replace("$", r"\$")


def shortened(name: str, most: int) -> str:
    """Return a name of at most this many characters, for matplotlib to draw literally."""
    return literal(name if len(name) <= most else f"{name[: most - 1]}\u2026")


def class_names(test: Evaluation, most: int = 24) -> list[str]:
    """Return the names of the classes for a picture; longer ones are shortened."""
    return [shortened(name, most) for name in test.data.class_names]


def name_columns(axes: Axes, names: Sequence[str]) -> None:
    """Write the names of the classes below their columns, rotated if they would overlap."""
    axes.set_xticks(range(len(names)), names, rotation=90 if max(map(len, names)) > 9 else 0)


def by_epochs(axes: Axes, epochs: int) -> None:
    """Let the horizontal axis show only whole epochs."""
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    if epochs == 1:
        axes.set(xlim=(0.5, 1.5), xticks=[1])


def without_frame(axes: Axes) -> None:
    """Remove the frame at the top and on the right, and draw faint horizontal grid lines."""
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(axis="y", linewidth=0.4, color=LIGHT_GRAY)
    axes.set_axisbelow(True)


def png(figure: Figure) -> bytes:
    """Return the figure as a PNG file."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=130)
    return buffer.getvalue()


def logarithmic(axes: Axes) -> None:
    """Make the vertical axis logarithmic, with readable numbers; call it after drawing everything."""
    axes.set_yscale("log")
    low, high = axes.get_ylim()
    axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5) if high < 300 * low else (1,), numticks=12))
    axes.yaxis.set_major_formatter("{x:g}")
    axes.yaxis.set_minor_formatter(NullFormatter())
