"""A dense layer, backward.

The layer keeps x in forward. `backward` is given dy, of shape (N, M): how the loss grows with each
number of y. It keeps the gradients as self.dW and self.db, and returns dx.
"""

import numpy as np


class Dense:
    def __init__(self, W, b):
        self.W, self.b = W, b

    def forward(self, x):
        self.x = x
        return x @ self.W + self.b

    def backward(self, dy):
        ### BEGIN SOLUTION
        self.dW = self.x.T @ dy
        self.db = dy.sum(axis=0)
        return dy @ self.W.T
        ### END SOLUTION
