"""A network of the same kinds of layers, small enough to check every element in a second."""

from __future__ import annotations

from plainnet.layers import layer_from_config
from plainnet.network import Network

_UNITS, _SIDE = 12, 7


def miniature(network: Network, *, seed: int = 0) -> Network:
    """Return a network with the layers of `network`, at most 12 units in the hidden ones and sides of 7.

    The last layer keeps its units, so that the labels stay what they are.
    """
    configs = [layer.config() for layer in network.layers]
    sized = [index for index, config in enumerate(configs) if "units" in config]
    for index in sized[:-1]:
        configs[index]["units"] = min(configs[index]["units"], _UNITS)
    shape = [min(size, _SIDE if len(network.in_shape) > 1 else _SIDE * _SIDE) for size in network.in_shape]
    return Network(*map(layer_from_config, configs)).build(shape, rng=seed)
