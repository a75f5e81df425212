"""Adversarial attacks: change every pixel of an image by at most a limit, so that the network misclassifies it.

They know the network, and follow the gradient of its loss with respect to the image. No recipe of plainnet is
made to withstand them.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from plainnet.losses import SoftmaxCrossEntropy
from plainnet.network import Network
from plainnet.shortcuts import input_gradient

Attack = Callable[[Network, np.ndarray, np.ndarray, float, int], np.ndarray]
STEPS, _STRIDE = 20, 2.5  # of projected gradient descent; the total length of its steps, as a multiple of the limit


def fast_gradient_sign(
    network: Network, images: np.ndarray, labels: np.ndarray, limit: float, seed: int = 0
) -> np.ndarray:
    """Return images + limit sign(dL/dx), clipped to [0, 1]: one step of the largest size allowed.

    Shapes: images (N, ...) from 0 to 1, labels (N,).
    Source: Goodfellow, Shlens, Szegedy 2015, "Explaining and harnessing adversarial examples".
    """
    return np.clip(images + np.float32(limit) * _direction(network, images, labels), 0, 1)


def projected_gradient(
    network: Network, images: np.ndarray, labels: np.ndarray, limit: float, seed: int = 0
) -> np.ndarray:
    """Return images after 20 smaller steps from a random start, clipped to the limit after each step.

    Shapes: images (N, ...) from 0 to 1, labels (N,).
    Source: Madry et al. 2018, "Towards deep learning models resistant to adversarial attacks".
    """
    rng = np.random.default_rng(seed)
    low, high = np.maximum(images - np.float32(limit), 0), np.minimum(images + np.float32(limit), 1)
    changed = np.clip(images + rng.uniform(-limit, limit, images.shape).astype(np.float32), low, high)
    step = np.float32(_STRIDE * limit / STEPS)
    for _ in range(STEPS):
        changed = np.clip(changed + step * _direction(network, changed, labels), low, high)
    return changed


def _direction(network: Network, images: np.ndarray, labels: np.ndarray) -> np.ndarray:
    return np.sign(input_gradient(network, SoftmaxCrossEntropy(), images, labels)).reshape(images.shape)


ATTACKS: dict[str, Attack] = {"fast gradient sign": fast_gradient_sign, "projected gradient": projected_gradient}
