"""The network's weights under scikit-learn's names, `coefs_` and `intercepts_`."""

from __future__ import annotations

import numpy as np

from plainnet.network import Network
from plainnet.sklearn.networks import dense_layers


class NamedWeights:
    """Lists of the arrays W and b of the dense layers, which can be read, changed in place, and assigned."""

    network_: Network

    @property
    def coefs_(self) -> list[np.ndarray]:
        """The weights W of the dense layers; assigned arrays become the network's (initial) weights."""
        return self._arrays("coefs_", "W")

    @coefs_.setter
    def coefs_(self, arrays: list[np.ndarray]) -> None:
        self._take("coefs_", arrays)

    @property
    def intercepts_(self) -> list[np.ndarray]:
        """The biases b of the dense layers; see `coefs_`."""
        return self._arrays("intercepts_", "b")

    @intercepts_.setter
    def intercepts_(self, arrays: list[np.ndarray]) -> None:
        self._take("intercepts_", arrays)

    def _arrays(self, name: str, own: str) -> list[np.ndarray]:
        if "network_" in vars(self):
            return [getattr(layer, own).value for layer in dense_layers(self.network_)]
        if name in vars(self).get("_given", {}):
            return self._given[name]
        raise AttributeError(f"{type(self).__name__} has no {name} before it is fitted")

    def _take(self, name: str, arrays: list[np.ndarray]) -> None:
        if "network_" in vars(self):
            assign(self.network_, name, arrays)
        else:
            self._given: dict[str, list[np.ndarray]] = {**vars(self).get("_given", {}), name: arrays}


def assign(network: Network, name: str, arrays: list[np.ndarray]) -> None:
    """Write arrays into the weights of a network, coefs_ or intercepts_.

    Raises: `ValueError` if they do not fit.
    """
    for layer, array in zip(dense_layers(network), arrays, strict=True):
        parameter = layer.W if name == "coefs_" else layer.b
        if np.shape(array) != parameter.shape:
            raise ValueError(f"{name} must hold arrays of shape {parameter.shape}, received {np.shape(array)}")
        parameter.value[...] = array
