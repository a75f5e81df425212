"""Draw the pictures of the lessons and of docs/deskew.md: python benchmarks/lesson_pictures.py."""

import re
from pathlib import Path

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np

from plainnet import mnist
from plainnet.layers import Deskew, NormalizeSize

ROOT = Path(__file__).parent.parent
OUT = ROOT / "src" / "plainnet" / "course" / "lessons" / "pictures"
BLUE, ORANGE, GRAY = "#1f77b4", "#d9660a", "#777777"
mpl.rcParams |= {"svg.hashsalt": "plainnet", "font.size": 11, "axes.spines.top": False, "axes.spines.right": False}


def saved(figure, name, folder=OUT):
    """Save a picture without the date, so that it is the same every time."""
    kinds = {".svg": {"metadata": {"Date": None}}, ".png": {"metadata": {"Software": None}, "dpi": 120}}
    figure.savefig(folder / name, facecolor="white", bbox_inches="tight", **kinds[Path(name).suffix])
    plt.close(figure)


def parabola():
    """Draw the loss of one weight, with the steps of lesson 1."""
    figure, axes = plt.subplots(figsize=(5.5, 3.2))
    w = np.linspace(0, 6, 200)
    axes.plot(w, (2 * w - 6) ** 2, color=BLUE)
    near = np.linspace(0.45, 1.75, 2)
    axes.plot(near, 16 - 16 * (near - 1), color=ORANGE, linestyle="--")
    axes.annotate("slope -16", (1.45, 9.6), (1.9, 13), color=ORANGE, arrowprops={"arrowstyle": "-", "color": ORANGE})
    axes.plot([1, 2.6, 2.92], [16, 0.64, 0.0256], "o", color=BLUE)
    for x, y, text in ((1, 16, "start"), (2.6, 0.64, "step 1")):
        axes.annotate(text, (x, y), (x - 0.15, y + 1.6), ha="right" if x == 1 else "center")
    axes.set(xlabel="weight w", ylabel="loss (2w - 6)$^2$", ylim=(-0.8, 30))
    saved(figure, "parabola.svg")


def shapes():
    """Draw the shapes of y = x W."""
    figure, axes = plt.subplots(figsize=(6.5, 2.6))
    for left, columns, rows, name, size in (
        (0, 3, 4, "x", "(N, D)"),
        (5, 2, 3, "W", "(D, M)"),
        (9, 2, 4, "y", "(N, M)"),
    ):
        for row in range(rows):
            for column in range(columns):
                lit = (
                    (name == "x" and row == 1)
                    or (name == "W" and column == 0)
                    or (name == "y" and (row, column) == (1, 0))
                )
                place = left + column, 4 - row - (4 - rows) / 2
                axes.add_patch(
                    plt.Rectangle(place, 0.92, 0.92, facecolor="#f7c99b" if lit else "#dbe9f6", edgecolor=GRAY)
                )
        axes.text(left + columns / 2, 0.35, f"{name}  {size}", ha="center")
    axes.text(4, 3, "@", fontsize=15, ha="center", va="center")
    axes.text(8, 3, "=", fontsize=15, ha="center", va="center")
    axes.set(xlim=(-0.2, 11.4), ylim=(0, 5.2), aspect="equal")
    axes.axis("off")
    saved(figure, "shapes.svg")


def cross_entropy():
    """Draw -log p."""
    figure, axes = plt.subplots(figsize=(5.5, 3))
    p = np.linspace(0.005, 1, 300)
    axes.plot(p, -np.log(p), color=BLUE)
    for value in (0.1, 0.5, 0.9):
        axes.plot(value, -np.log(value), "o", color=ORANGE)
        axes.annotate(
            f"p = {value}: {-np.log(value):.2f}", (value, -np.log(value)), (value + 0.02, -np.log(value) + 0.22)
        )
    axes.set(xlabel="probability of the right class", ylabel="loss", xlim=(0, 1.12), ylim=(0, 5.3))
    saved(figure, "cross_entropy.svg")


def network222():
    """Draw the network of lesson 4, with its numbers."""
    figure, axes = plt.subplots(figsize=(7, 3.4))
    layers = [
        [("$x_1$", "1"), ("$x_2$", "2")],
        [("$h_1$", "1"), ("$h_2$", "0.25")],
        [("$p_1$", "0.84"), ("$p_2$", "0.16")],
    ]
    weights = [[[0.5, -1.0], [0.25, 0.5]], [[1.0, -1.0], [0.5, 2.0]]]
    for k, matrix in enumerate(weights):
        for i, row in enumerate(matrix):
            for j, weight in enumerate(row):
                start, end = np.array([3.0 * k, 2.0 * (1 - i)]), np.array([3.0 * (k + 1), 2.0 * (1 - j)])
                axes.plot(
                    *np.transpose([start, end]),
                    color=BLUE if weight > 0 else ORANGE,
                    linewidth=0.8 + abs(weight),
                    zorder=1,
                )
                where = start + (end - start) * (0.3 if i == j else 0.22)
                axes.text(*where, f"{weight:g}", ha="center", va="center", fontsize=10, zorder=2,
                          bbox={"facecolor": "white", "edgecolor": "none", "pad": 1})  # fmt: skip
    for k, layer in enumerate(layers):
        for i, (name, value) in enumerate(layer):
            axes.add_patch(plt.Circle((3 * k, 2 * (1 - i)), 0.42, facecolor="white", edgecolor="black", zorder=3))
            axes.text(3 * k, 2 * (1 - i) + 0.1, name, ha="center", va="center", zorder=4)
            axes.text(3 * k, 2 * (1 - i) - 0.2, value, ha="center", va="center", fontsize=9, zorder=4)
    axes.annotate("", (6.2, 2.85), (-0.2, 2.85), arrowprops={"arrowstyle": "->", "color": BLUE})
    axes.text(3, 2.95, "forward: values", ha="center", color=BLUE)
    axes.annotate("", (-0.2, -0.85), (6.2, -0.85), arrowprops={"arrowstyle": "->", "color": ORANGE})
    axes.text(3, -1.2, "backward: slopes", ha="center", color=ORANGE)
    axes.text(3, 1, "ReLU", ha="center", va="center", color=GRAY)
    axes.text(6, 1, "softmax", ha="center", va="center", color=GRAY)
    axes.set(xlim=(-0.7, 6.8), ylim=(-1.4, 3.3), aspect="equal")
    axes.axis("off")
    saved(figure, "network222.svg")


def step_size():
    """Draw the error of a central difference over its step."""
    figure, axes = plt.subplots(figsize=(5.5, 3.2))
    h = 10.0 ** np.arange(-13, -0.4, 0.25)
    exact = np.exp(1)
    for numbers, color, name in ((np.float64, BLUE, "64 bits"), (np.float32, ORANGE, "32 bits")):
        steps = h.astype(numbers) if numbers is np.float64 else h[h > 3e-7].astype(numbers)
        one = numbers(1)
        slope = (np.exp(one + steps) - np.exp(one - steps)) / (2 * steps)
        axes.loglog(steps, np.abs(slope.astype(float) - exact) / exact + 1e-13, color=color, label=name)
    axes.set(xlabel="step h", ylabel="relative error")
    axes.legend(frameon=False)
    saved(figure, "step_size.svg")


def digits():
    """Draw twelve training images."""
    data = mnist.load()
    figure, all_axes = plt.subplots(1, 12, figsize=(8, 0.9))
    for axes, image, label in zip(all_axes, data.train.inputs, data.train.targets, strict=False):
        axes.imshow(image.squeeze(), cmap="gray_r")
        axes.set_title(str(label), fontsize=9)
        axes.axis("off")
    saved(figure, "digits.png")


def rates():
    """Draw the losses that lesson 7 prints for four learning rates."""
    text = (OUT.parent / "07-training.md").read_text()
    rows = [line for line in text.splitlines() if line.startswith("rate ") and "losses" in line]
    figure, axes = plt.subplots(figsize=(5.5, 3.2))
    for line, style in zip(rows, (":", "--", "-", "-."), strict=True):
        rate, losses = line.removeprefix("rate").split(": losses ")
        axes.plot(
            range(1, 6), [float(loss) for loss in losses.split(", ")], style, marker="o", label=f"rate {rate.strip()}"
        )
    axes.set(xlabel="epoch", ylabel="training loss", xticks=range(1, 6), ylim=(0, 3))
    axes.annotate("31 after the first epoch", (1.87, 3), (2.1, 2.75), color="#d62728")
    axes.legend(frameon=False, bbox_to_anchor=(1.0, 0.5), loc="center left")
    saved(figure, "rates.svg")


def four_curves():
    """Draw four kinds of trainings, with made-up curves."""
    t = np.linspace(0, 1, 60)
    rng = np.random.default_rng(3)
    jump = 1.6 + 0.5 * rng.normal(size=60)
    kinds = {
        "1. as it should be": (2.3 * np.exp(-4 * t) + 0.15, 2.1 * np.exp(-4 * t) + 0.35),
        "2. overfits": (2.3 * np.exp(-4 * t), 2.1 * np.exp(-5 * t) + 0.35 + 1.1 * t**1.5),
        "3. learns too little": (2.3 - 0.25 * t, 2.32 - 0.24 * t),
        "4. steps too long": (np.clip(jump, 0.5, 3), np.clip(jump + 0.3 * rng.normal(size=60), 0.5, 3.2)),
    }
    figure, all_axes = plt.subplots(1, 4, figsize=(10, 2.3), sharey=True)
    for axes, (name, (train, validation)) in zip(all_axes, kinds.items(), strict=True):
        axes.plot(t, train, "--", color=BLUE, label="training")
        axes.plot(t, validation, color=ORANGE, label="validation")
        axes.set(title=name, xlabel="epoch", xticks=[], ylim=(0, 3.4))
        axes.title.set_fontsize(11)
    all_axes[0].set_ylabel("loss")
    all_axes[0].legend(frameon=False, fontsize=9)
    figure.tight_layout()
    saved(figure, "four_curves.svg")


def gap():
    """Draw the generalization gap that lesson 9 prints."""
    text = (OUT.parent / "09-generalizing.md").read_text()
    rows = re.findall(r"^ *(\d+) pictures: ([\d.]+)% of those it learned, ([\d.]+)% of new ones", text, re.MULTILINE)
    counts, learned, new = (np.array(column, dtype=float) for column in zip(*rows, strict=True))
    figure, axes = plt.subplots(figsize=(5.5, 3))
    axes.semilogx(counts, learned, "o--", color=BLUE, label="those it learned")
    axes.semilogx(counts, new, "o-", color=ORANGE, label="new ones")
    axes.set(xlabel="training pictures", ylabel="accuracy, %", xticks=counts, ylim=(75, 101))
    axes.set_xticklabels([f"{int(count):,}" for count in counts])
    axes.minorticks_off()
    axes.legend(frameon=False, loc="lower right")
    saved(figure, "gap.svg")


def window():
    """Draw a window of 3 by 3 on a picture of 6 by 6, and the map of 4 by 4."""
    figure, axes = plt.subplots(figsize=(6, 2.9))
    for left, size, low in ((0, 6, 0), (9, 4, 1)):
        for row in range(size):
            for column in range(size):
                lit = (2 <= column < 5 and 1 <= row < 4) if left == 0 else (row, column) == (1, 2)
                place = left + column, low + size - 1 - row
                axes.add_patch(
                    plt.Rectangle(place, 0.94, 0.94, facecolor="#f7c99b" if lit else "#dbe9f6", edgecolor=GRAY)
                )
    axes.annotate("", (11, 3.5), (5, 3.5), arrowprops={"arrowstyle": "->", "color": ORANGE})
    axes.text(3, -0.8, "picture, 6 by 6", ha="center")
    axes.text(11, -0.8, "feature map, 4 by 4", ha="center")
    axes.set(xlim=(-0.2, 13.3), ylim=(-1.2, 6.2), aspect="equal")
    axes.axis("off")
    saved(figure, "window.svg")


def changed(before, after, labels, rank, name):
    """Draw an image of each digit with a high rank, and below it the image after the change."""
    chosen = [np.flatnonzero(labels == digit) for digit in range(10)]
    chosen = [rows[np.argsort(rank[rows])[int(0.9 * len(rows))]] for rows in chosen]
    figure, all_axes = plt.subplots(2, 10, figsize=(8, 1.7))
    for axes, image in zip(all_axes.flat, [*before[chosen], *after[chosen]], strict=True):
        axes.imshow(image, cmap="gray_r", vmin=0, vmax=1)
        axes.axis("off")
    saved(figure, name, ROOT / "docs" / "pictures")


def upright():
    """Draw digits before and after Deskew, and before and after NormalizeSize."""
    data = mnist.load().train
    images = data.images[:10_000] / np.float32(255)
    straight = Deskew().forward(images)
    lean = np.abs(straight - images).sum(axis=(1, 2))
    changed(images, straight, data.labels[:10_000], lean, "deskew.png")
    rows = straight.sum(axis=2) / straight.sum(axis=(1, 2))[:, None]
    flat = -(rows @ np.arange(28) ** 2 - (rows @ np.arange(28)) ** 2)  # the variance of the rows
    changed(straight, NormalizeSize().forward(straight), data.labels[:10_000], flat, "normalize_size.png")


for draw in (parabola, shapes, cross_entropy, network222, step_size, digits, rates, four_curves, gap, window, upright):
    draw()
