"""How the cost of an epoch grows with the network, the batch, the images and the threads.

Writes records/growth.json and docs/pictures/growth.png.
"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.ticker import LogLocator, NullFormatter, StrMethodFormatter
from threadpoolctl import threadpool_limits

from plainnet.bench.run import conditions
from plainnet.data import mnist
from plainnet.data.dataset import DataSet
from plainnet.data.idx import read_idx
from plainnet.layers import Dense, Flatten, ReLU
from plainnet.losses import SoftmaxCrossEntropy
from plainnet.network import Network
from plainnet.pictures.style import BLUE, GRAY, ORANGE, png
from plainnet.recipes import read
from plainnet.shortcuts import epochs
from plainnet.writing import to_json, write_atomically

ROOT = Path(__file__).parent.parent
UNITS = [64, 128, 256, 512, 1024, 2048, 4096, 8192]
BATCHES = [16, 32, 64, 128, 256, 512, 1024, 2048, 4096]
IMAGES = [6_000, 60_000, 600_000, 6_000_000]
_ROUNDS = 5


def measure(images: list[int]) -> dict[str, Any]:
    """Return microseconds an image by hidden units, batch size and threads, and seconds and memory by images."""
    data = mnist.load().train
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    by_thread: dict[str, Any] = {}
    for count in sorted({1, cores}):
        with threadpool_limits(count, user_api="blas"):
            by_thread[str(count)] = {
                "units": [[units, _microseconds(data, units, 128)] for units in UNITS],
                "batch": [[batch, _microseconds(data, 1024, batch)] for batch in BATCHES],
            }
    with tempfile.TemporaryDirectory() as folder:
        by_images = [[count, *_from_a_file(Path(folder) / "images", count)] for count in images]
    return {"microseconds_an_image": by_thread, "images_seconds_megabytes": by_images}


def _microseconds(data: DataSet, units: int, batch: int) -> float:
    """Return the median time an image takes in training, over several runs of at least twelve batches each."""
    part = data[: max(12 * batch, 3000)]
    found = [_epoch(part, units, batch) / len(part) for _ in range(_ROUNDS)]
    return float(np.median(found) * 1e6)


def _epoch(data: DataSet, units: int, batch: int) -> float:
    network = Network(Flatten(), Dense(units), ReLU(), Dense(10)).build((28, 28))
    optimizer = read("classic").make_optimizer()
    loop = epochs(network, SoftmaxCrossEntropy(), optimizer, data, batch_size=batch, epochs=2, learning_rate=1e-4)
    next(loop)  # memory is allocated in the first
    return next(loop).seconds


def _from_a_file(path: Path, count: int) -> tuple[float, float]:
    """Return the seconds of an epoch on a file of repeated digits, each moved by up to 2 pixels, and memory in MB.

    The memory is what belongs to the process alone, without the pages of the file that the system keeps for it.
    """
    digits = mnist.load().train
    rng = np.random.default_rng(0)
    with path.open("wb") as file:
        file.write(bytes([0, 0, 8, 3]) + np.array([count, 28, 28], ">u4").tobytes())
        for start in range(0, count, 10_000):
            rows = np.arange(start, min(start + 10_000, count)) % len(digits)
            file.write(np.roll(digits.images[rows], rng.integers(-2, 3, 2), axis=(1, 2)).tobytes())
    labels = digits.labels[np.arange(count) % len(digits)]
    data = DataSet(read_idx(path, dimensions=3), labels, digits.class_names)
    network = Network(Flatten(), Dense(1024), ReLU(), Dense(10)).build((28, 28))
    loop = epochs(
        network, SoftmaxCrossEntropy(), read("classic").make_optimizer(), data, batch_size=128, epochs=1,
        learning_rate=0.01,
    )  # fmt: skip
    return next(loop).seconds, _own_memory_mb()


def _own_memory_mb() -> float:
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("RssAnon"):
            return int(line.split()[1]) * 1024 / 1e6
    return float("nan")


def slope(points: list[list[float]]) -> float:
    """Return the exponent b of the power law y = a x^b fitted to points (x, y)."""
    x, y = np.log(np.array(points)[:, :2]).T
    return float(np.polyfit(x, y, 1)[0])


def picture(record: dict[str, Any]) -> bytes:
    """Draw the four growth curves on logarithmic axes, with the slope of the last four points."""
    figure = Figure(figsize=(11, 8), layout=ConstrainedLayoutEngine(h_pad=0.15))
    figure.suptitle("How the cost of training 784-M-10 grows")
    (units, batch), (images, memory) = figure.subplots(2, 2)
    colors = dict(zip(record["microseconds_an_image"], (ORANGE, BLUE), strict=False))
    for count, curves in record["microseconds_an_image"].items():
        said = f"{count} thread" + "s" * (count != "1") + ", "
        _draw(units, curves["units"], colors[count], said)
        _draw(batch, curves["batch"], colors[count], said)
    by_images = record["images_seconds_megabytes"]
    _draw(images, [row[:2] for row in by_images], BLUE, "")
    _draw(memory, [[row[0], row[2]] for row in by_images], BLUE, "")
    units.set(xlabel="hidden units M (batch 128)", ylabel="microseconds an image", title="wider networks")
    batch.set(xlabel="batch size (M = 1024)", ylabel="microseconds an image", title="larger batches")
    images.set(xlabel="images in the file", ylabel="seconds an epoch", title="more images")
    memory.set(xlabel="images in the file", ylabel="MB of the process", title="memory", ylim=(10, 1000))
    for axes in (units, batch, images, memory):
        axes.legend(frameon=False)
        axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        axes.yaxis.set_minor_formatter(NullFormatter())
        for axis in (axes.xaxis, axes.yaxis):
            axis.set_major_formatter(StrMethodFormatter("{x:,.12g}"))
    return png(figure)


def _draw(axes: Axes, points: list[list[float]], color: str, label: str) -> None:
    x, y = np.array(points).T
    axes.loglog(x, y, "o-", color=color, markersize=4, label=f"{label}slope at the end {slope(points[-4:]):.2f}")
    axes.grid(color=GRAY, alpha=0.2)
    axes.spines[["top", "right"]].set_visible(False)


if __name__ == "__main__":
    record = conditions() | measure(IMAGES)
    write_atomically(ROOT / "records" / "growth.json", to_json(record))
    write_atomically(ROOT / "docs" / "pictures" / "growth.png", picture(record))
