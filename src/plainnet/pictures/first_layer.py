"""The first layer's weights as images: a template of each class, or what its units have learned since the start."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure

from plainnet.layers import Dense
from plainnet.network import Network
from plainnet.pictures.style import SIGNED, shortened, spaced

_MOST_UNITS, _COLUMNS = 16, 8


def first_layer(network: Network, start: Network, class_names: Sequence[str]) -> Figure | None:
    """Draw the first layer's weights as images: red where light pixels raise a unit's output, blue where they lower it.

    A first layer that is also the last one shows a template of each class. The weights of hidden units are mostly their
    random initial values, so the picture shows their change since the `start`, for the 16 units that changed most.
    Returns None unless the first layer is dense and takes whole images of one channel; small filters would show nothing
    readable.
    """
    layers = [layer for _, layer in network.walk() if layer.parameters]
    before = next((layer for _, layer in start.walk() if layer.parameters), None)
    height, width = (*network.in_shape, 0, 0)[:2]
    first = layers[0] if layers else None
    if isinstance(first, Dense) and isinstance(before, Dense) and len(first.W.value) == height * width:
        names: Sequence[str] = ()
        if len(layers) == 1:
            images, names, title = first.W.value, class_names, "weights of each class"
        else:
            images, title = first.W.value - before.W.value, f"what {{}} of {first.units:,} units have learned"
        images = images.T.reshape(-1, height, width)
    else:
        return None
    lengths = np.linalg.norm(images.reshape(len(images), -1), axis=1)
    shown = np.sort(np.argsort(-lengths, kind="stable")[:_MOST_UNITS])
    columns = min(_COLUMNS if len(shown) > 10 else 5, len(shown))
    rows = -(-len(shown) // columns)
    figure = Figure(figsize=(max(7.5, 1.3 * columns), 1.3 * rows * (1.15 if names else 1) + 0.6),
                    layout=spaced())  # fmt: skip
    figure.suptitle(f"{title.format(len(shown))}: red raises the output, blue lowers it")
    for place, axes in enumerate(figure.subplots(rows, columns, squeeze=False).flat):
        axes.axis("off")
        if place < len(shown):
            image = images[shown[place]]
            most = float(np.abs(image).max()) or 1.0
            axes.imshow(image, cmap=SIGNED, vmin=-most, vmax=most)
            if names:
                axes.set_title(shortened(names[shown[place]], 16), fontsize=10)
    return figure
