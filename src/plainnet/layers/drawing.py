"""Random numbers for layers: new ones in every training pass, always the same ones while gradients are checked."""

from __future__ import annotations

import numpy as np

from plainnet.layers.layer import Layer, Shape


def drawn(layer: Layer, distribution: str, shape: Shape) -> np.ndarray:
    """Return float32 numbers, in a buffer, from the layer's generator: "random" (uniform) or "standard_normal".

    During a gradient check there is no generator; the numbers are then fixed, and the same for all examples.
    """
    numbers = layer.buffer(distribution, shape, np.float32)
    if layer.context.rng is None:
        numbers[:] = getattr(np.random.default_rng(0), distribution)(shape[1:], np.float32)
    else:
        getattr(layer.rng, distribution)(out=numbers, dtype=np.float32)
    return numbers
