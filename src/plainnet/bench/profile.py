"""Profile of a training step: the time that each part takes."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable
from typing import Any

import numpy as np

from plainnet.data import mnist
from plainnet.losses import SoftmaxCrossEntropy
from plainnet.recipes import read


def step_profile(steps: int = 300) -> dict[str, float]:
    """Return the median microseconds of every part of a step of the classic recipe."""
    recipe, data = read("classic"), mnist.load().train
    network, optimizer, loss = recipe.network(rng=0), recipe.make_optimizer(), SoftmaxCrossEntropy()
    seconds: dict[str, list[float]] = defaultdict(list)

    def timed(part: str, function: Callable[..., Any], *arguments: Any, **options: Any) -> Any:
        started = time.perf_counter()
        result = function(*arguments, **options)
        seconds[part].append(time.perf_counter() - started)
        return result

    rng = np.random.default_rng(0)
    optimizer.attach(network.parameters)
    with network.context():
        for _ in range(steps):
            rows = rng.integers(0, len(data), recipe.batch_size)
            images, labels = timed(
                "gather the images", lambda rows=rows: (data.images.take(rows, axis=0), data.labels[rows])
            )
            x = timed("scale the bytes", network.as_input, images).reshape(len(rows), -1)
            for number, layer in enumerate(network.layers[1:], start=1):
                x = timed(f"{number} {type(layer).__name__}, forward", layer.forward, x, training=True)
            _, dy = timed("loss", loss, x, labels)
            for number, layer in reversed(list(enumerate(network.layers[1:], start=1))):
                dy = timed(f"{number} {type(layer).__name__}, backward", layer.backward, dy, need_dx=number > 1)
            timed("update", optimizer.step, 0.01)
    return {part: float(np.median(values) * 1e6) for part, values in seconds.items()}
