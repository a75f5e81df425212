"""Backpropagation through two layers.

h = ReLU(x W1 + b1), z = h W2 + b2, and dz is given, of shape (N, K). x is (N, D), W1 (D, M), W2 (M,
K). Return dW1, db1, dW2, db2.
"""

import numpy as np


def backward(x, W1, b1, W2, b2, dz):
    h_z = x @ W1 + b1
    h = np.maximum(h_z, 0)
    ### BEGIN SOLUTION
    dW2 = h.T @ dz
    db2 = dz.sum(axis=0)
    dh = dz @ W2.T
    dh_z = dh * (h_z > 0)
    dW1 = x.T @ dh_z
    db1 = dh_z.sum(axis=0)
    return dW1, db1, dW2, db2
    ### END SOLUTION
