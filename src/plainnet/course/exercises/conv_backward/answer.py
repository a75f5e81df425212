"""A convolution, backward.

x is (N, H, V, C), W is (K, K, C, F), and dy has the shape of y, (N, H - K + 1, V - K + 1, F).
Return dx, dW and db.
"""

import numpy as np


def backward(x, W, dy):
    ### BEGIN SOLUTION
    K = W.shape[0]
    dx, dW = np.zeros_like(x), np.zeros_like(W)
    for i in range(dy.shape[1]):
        for j in range(dy.shape[2]):
            window = x[:, i : i + K, j : j + K]
            dW += np.tensordot(window, dy[:, i, j], axes=(0, 0))
            dx[:, i : i + K, j : j + K] += np.tensordot(dy[:, i, j], W, axes=(1, 3))
    db = dy.sum(axis=(0, 1, 2))
    return dx, dW, db
    ### END SOLUTION
