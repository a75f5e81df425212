"""A convolution, forward.

x is (N, H, V, C): N pictures of H by V pixels with C channels. W is (K, K, C, F): F filters of K by
K. b is (F,). Return y, (N, H - K + 1, V - K + 1, F), without padding and with stride 1. Loops over
places are fine.
"""

import numpy as np


def forward(x, W, b):
    ### BEGIN SOLUTION
    K, F = W.shape[0], W.shape[3]
    N, H, V = x.shape[:3]
    y = np.empty((N, H - K + 1, V - K + 1, F))
    for i in range(H - K + 1):
        for j in range(V - K + 1):
            window = x[:, i : i + K, j : j + K]
            y[:, i, j] = np.tensordot(window, W, axes=3) + b
    return y
    ### END SOLUTION
