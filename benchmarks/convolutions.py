"""Every way to compute a convolution, for layers as they occur, in one thread: how long, and how exact in float32.

`make convolutions` writes records/convolutions.json; docs/winograd.md shows it.
"""

from __future__ import annotations

import numpy as np
from threadpoolctl import threadpool_limits

from plainnet import Conv2D, InputError, Network
from plainnet.bench.interleave import interleave
from plainnet.bench.run import conditions
from plainnet.layers.convolution import METHODS
from plainnet.writing import to_json, write_atomically
from tables.source import ROOT

ROUNDS, IMAGES = 15, 64
SHAPES = [  # image, channels, filters, size, stride, padding
    (12, 32, 64, 3, 1, "valid"),
    (10, 64, 64, 3, 1, "valid"),
    (4, 64, 128, 3, 1, "valid"),
    (26, 32, 32, 3, 1, "valid"),
    (24, 32, 32, 5, 2, "same"),
    (8, 64, 64, 5, 2, "same"),
    (4, 64, 128, 4, 1, "valid"),
    (28, 16, 32, 3, 1, "same"),
    (14, 32, 64, 3, 1, "same"),
    (7, 64, 64, 3, 1, "same"),
    (12, 32, 64, 5, 1, "valid"),
    (12, 16, 16, 3, 1, "valid"),
    (14, 32, 64, 3, 2, "same"),
    (28, 1, 32, 5, 2, "valid"),
]


def built(shape, method, dtype=np.float32):
    """Return a layer of this shape in a network of its own, with the same weights for every method."""
    image, channels, filters, size, stride, padding = shape
    layer = Conv2D(filters, size, stride=stride, padding=padding, method=method)
    return Network(layer).build((image, image, channels), rng=0).astype(dtype)


def possible(shape):
    """Return the methods that can compute this layer, and the one that it chooses."""
    found = []
    for method in METHODS[1:]:
        try:
            found.append(built(shape, method))
        except InputError:
            continue
    return [network.layers[0].computed_by for network in found], built(shape, "auto").layers[0].computed_by


def measure(shape):
    """Return the seconds of forward and backward, and the largest error of the outputs, by each method."""
    methods, chosen = possible(shape)
    rng, exact = np.random.default_rng(0), built(shape, "direct", np.float64)
    x = rng.standard_normal((IMAGES, *exact.in_shape)).astype(np.float32)
    dy = rng.standard_normal((IMAGES, *exact.out_shapes[0])).astype(np.float32)
    expected = exact.forward(x.astype(float))
    rivals, errors = {}, {}
    for method in methods:
        network = built(shape, method)
        errors[method] = float(np.abs(network.forward(x) - expected).max() / np.abs(expected).max())

        def both(network=network):
            network.forward(x, training=True)
            network.backward(dy, need_dx=network.in_shape[-1] > 1)  # the first layer of a network needs none

        rivals[method] = both
    with threadpool_limits(1, user_api="blas"):
        image, channels, filters, size, stride, padding = shape
        title = f"{image}x{image}x{channels}, {filters} filters {size}x{size}"
        title += f", stride {stride}" * (stride > 1) + ", same" * (padding == "same")
        timed = interleave(title, rivals, rounds=ROUNDS, work=f"{IMAGES} images, forward and backward, one thread")
    return timed, {"chosen": chosen, "errors": errors}


if __name__ == "__main__":
    record = conditions() | {"layers": []}
    for shape in SHAPES:
        timed, more = measure(shape)
        print(timed, more, flush=True)
        record["layers"].append(timed.to_table() | more)
    write_atomically(ROOT / "records" / "convolutions.json", to_json(record))
