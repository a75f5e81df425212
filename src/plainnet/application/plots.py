"""The pictures of a run, as PNG bytes; matplotlib `Figure`s without any global state."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from itertools import pairwise

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, MaxNLocator, NullFormatter, PercentFormatter

from plainnet.application.evaluation import Evaluation, as_percent
from plainnet.events import Epoch
from plainnet.metrics import per_class_accuracy, precision

BLUE, ORANGE, GRAY = "#1f5a99", "#d1661a", "#6b7280"


def training_curves(history: Sequence[Epoch], title: str) -> bytes:
    """Draw loss and accuracy by epoch, training and validation, with a mark where the learning rate falls in steps."""
    figure = Figure(figsize=(11, 4.6), layout="constrained")
    figure.suptitle(literal(title))
    numbers = [epoch.number for epoch in history]
    left, right = figure.subplots(1, 2)
    marker = "o" if len(history) < 12 else ""
    in_steps = len({epoch.learning_rate for epoch in history}) < len(history) / 2
    falls = [
        (before.number + 0.5, f" {np.format_float_positional(after.learning_rate, 3, fractional=False, trim='-')}")
        for before, after in pairwise(history)
        if in_steps and after.learning_rate < before.learning_rate / 2
    ]
    for axes, name, scale in ((left, "loss", 1), (right, "accuracy", 100)):
        for part, color in (("train", BLUE), ("validation", ORANGE)):
            values = [getattr(epoch, f"{part}_{name}") for epoch in history]
            if values[-1] is not None:
                label = "training (mean while learning)" if part == "train" else "validation (after the epoch)"
                axes.plot(numbers, np.multiply(values, scale), color=color, marker=marker, markersize=4, label=label)
        for place, rate in falls:
            axes.axvline(place, color=GRAY, linewidth=0.8, linestyle=":")
            height, va = (0.97, "top") if axes is left else (0.03, "bottom")
            axes.annotate(rate, (place, height), fontsize=8, color=GRAY, xycoords=("data", "axes fraction"), va=va)
        marks = " (dotted: the learning rate falls to the number beside)" if falls and axes is left else ""
        axes.set_xlabel(f"epoch{marks}")
        _by_epochs(axes, len(history))
        _plain(axes)
    left.set(ylabel="cross-entropy (nats)", yscale="log")
    left.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    left.yaxis.set_major_formatter("{x:g}")
    left.yaxis.set_minor_formatter(NullFormatter())
    right.set(ylabel="accuracy")
    right.yaxis.set_major_formatter(PercentFormatter(decimals=None))
    figure.legend(*right.get_legend_handles_labels(), loc="outside lower center", ncols=2, frameon=False)
    return png(figure)


def compared_curves(runs: Mapping[str, Mapping[str, Sequence[float]]]) -> bytes:
    """Draw the losses and errors of several runs, by epoch: training dashed, validation in full.

    `runs` maps a name to figures by epoch: train_loss, validation_loss, train_accuracy and validation_accuracy, as far
    as they are known.
    """
    figure = Figure(figsize=(11.5, 4.8), layout="constrained")
    axes_of = dict(zip(("loss", "accuracy"), figure.subplots(1, 2), strict=True))
    for place, (name, figures) in enumerate(runs.items()):
        for quantity, axes in axes_of.items():
            for part, style, face in (("train", "--", "white"), ("validation", "-", f"C{place}")):
                values = np.asarray(figures[f"{part}_{quantity}"], float)
                shown = values if quantity == "loss" else 100 * (1 - values)
                shown = np.where(shown > 0, shown, np.nan)  # none of the errors that a logarithm could show
                label = literal(name) if quantity == "loss" and part == "validation" else None
                axes.plot(np.arange(1, len(shown) + 1), shown, style, color=f"C{place}", marker="o" * (len(shown) < 12),
                          markersize=4, markerfacecolor=face, linewidth=1.3, label=label)  # fmt: skip
    for axes, title in zip(axes_of.values(), ("cross-entropy (nats)", "errors (%)"), strict=True):
        axes.set(xlabel="epoch", ylabel=title, yscale="log")
        axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        axes.yaxis.set_major_formatter("{x:g}")
        axes.yaxis.set_minor_formatter(NullFormatter())
        _by_epochs(axes, max(len(figures["train_loss"]) for figures in runs.values()))
        _plain(axes)
    figure.suptitle("dashed, or hollow: training, while learning; in full: validation, after the epoch")
    figure.legend(loc="outside lower center", ncols=3, frameon=False)
    return png(figure)


def confusion_matrix(test: Evaluation) -> bytes:
    """Draw the confusion matrix: rows are true classes, columns predicted ones; color shows the mistakes."""
    counts, names = test.confusion, class_names(test)
    mistakes = counts.astype(float)
    np.fill_diagonal(mistakes, np.nan)
    side = max(7.6, 0.6 * len(names))
    figure = Figure(figsize=(side, 0.9 * side), layout="constrained")
    axes = figure.subplots()
    top = max(float(np.nansum(mistakes) and np.nanmax(mistakes)), 1.0)
    picture = axes.imshow(mistakes, cmap="Oranges", vmin=0, vmax=top)
    for (row, column), count in np.ndenumerate(counts):
        right = row == column
        color = BLUE if right else "white" if count > 0.6 * top else "black"
        if count or right:
            axes.text(
                column, row, f"{count:,}", ha="center", va="center", color=color,
                fontsize=9, fontweight="bold" if right else "normal",
            )  # fmt: skip
    _name_columns(axes, names)
    axes.set_yticks(range(len(names)), names)
    axes.set(xlabel="predicted", ylabel="true")
    wrong = int(np.nansum(mistakes))
    axes.set_title(f"{test.accuracy:.2%} of {len(test.data):,} test images right, {wrong:,} mistaken")
    axes.tick_params(length=0)
    figure.colorbar(picture, ax=axes, label="mistakes", shrink=0.8)
    return png(figure)


def per_digit_accuracy(test: Evaluation) -> bytes:
    """Draw the recall, which is the accuracy, and the precision of each class as bars, and the accuracy of all."""
    bars = {
        "recall: of its images, how many are recognized": (BLUE, per_class_accuracy(test.confusion)),
        "precision: of those taken for it, how many are": (ORANGE, precision(test.confusion)),
    }
    values = 100 * np.array([shares for _, shares in bars.values()])
    worst, best = float(np.nanmin(values)), float(np.nanmax(values))
    names = class_names(test)
    figure = Figure(figsize=(max(9.0, 0.9 * len(names)), 4.6), layout="constrained")
    axes = figure.subplots()
    for offset, (label, (color, shares)) in zip((-0.21, 0.21), bars.items(), strict=True):
        drawn = axes.bar(np.arange(len(names)) + offset, 100 * np.nan_to_num(shares), 0.4, color=color, label=label)
        texts = ["" if share != share else f"{100 * share:.1f}" for share in shares]
        axes.bar_label(drawn, texts, padding=-13, fontsize=8, color="white")
    _name_columns(axes, names)
    bottom = max(0.0, np.floor(worst - max(1.0, 0.5 * (best - worst))))
    axes.set_ylim(bottom, best + 0.22 * (best - bottom))
    axes.axhline(100 * test.accuracy, color=GRAY, linewidth=1, linestyle="--", zorder=0)
    axes.set_title(f"test figures by class; dashed: the accuracy of all together, {test.accuracy:.2%}")
    axes.set(ylabel=f"share (axis begins at {bottom:.0f} %)" if bottom else "share")
    axes.yaxis.set_major_formatter(PercentFormatter(decimals=None))
    axes.legend(frameon=False, ncols=2, loc="upper center", fontsize=9)
    _plain(axes)
    return png(figure)


def drawable(images: np.ndarray) -> np.ndarray | None:
    """Return images (N, H, W) or (N, H, W, 3) with values from 0 to 1; None for what is not to be drawn, as a table."""
    if images.ndim == 4 and images.shape[3] == 1:
        images = images[..., 0]
    if images.ndim != 3 and images.shape[3:] != (3,):
        return None
    if images.dtype == np.uint8:
        return images / 255
    low, high = min(0.0, float(images.min(initial=0))), max(1.0, float(images.max(initial=1)))
    return (images - low) / (high - low)


def sample_predictions(test: Evaluation) -> bytes | None:
    """Draw one image of each class that was recognized, and the mistakes the network was surest of.

    None if the inputs are no images.
    """
    if drawable(test.data.images[:1]) is None:
        return None
    predicted, labels, names = test.predicted, test.data.labels, test.data.class_names
    confidence = test.probabilities.max(axis=1)
    right = [row for k in range(len(names)) for row in np.flatnonzero((labels == k) & (predicted == k))[:1]][:10]
    wrong_rows = np.flatnonzero(predicted != labels)
    wrong = wrong_rows[np.argsort(-confidence[wrong_rows], kind="stable")][:20]
    figure = Figure(figsize=(12, 2.4 + 1.7 * max(1, -(-len(wrong) // 10))))
    axes = figure.add_axes((0.01, 0.0, 0.98, 1.0))
    axes.axis("off")
    below = _gallery(axes, 0.0, f"recognized: one of each class, {test.accuracy:.2%} of all", right, test, BLUE)
    below = _gallery(axes, below, "mistaken: where the network was surest and wrong", list(wrong), test, ORANGE)
    axes.set(xlim=(0, 10), ylim=(below, 0), aspect="auto")
    return png(figure)


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


def literal(text: str) -> str:
    """Return text in which matplotlib sees no formula, whatever its signs."""
    return text.replace("$", r"\$")


def class_names(test: Evaluation, most: int = 24) -> list[str]:
    """Return the names of the classes, to be written into a picture; longer ones are cut."""
    return [literal(name if len(name) <= most else f"{name[: most - 1]}\u2026") for name in test.data.class_names]


def _name_columns(axes: Axes, names: Sequence[str]) -> None:
    """Write the names of the classes below their columns, upright where they would run into each other."""
    axes.set_xticks(range(len(names)), names, rotation=90 if max(map(len, names)) > 9 else 0)


def _by_epochs(axes: Axes, epochs: int) -> None:
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    if epochs == 1:
        axes.set(xlim=(0.5, 1.5), xticks=[1])


def _plain(axes: Axes) -> None:
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(axis="y", linewidth=0.4, color="#d1d5db")
    axes.set_axisbelow(True)


def png(figure: Figure) -> bytes:
    """Return the figure as a PNG file."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=130)
    return buffer.getvalue()
