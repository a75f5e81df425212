"""Find the fault.

This layer is wrong in one line. Repair it, and set LINE to the number of the line that was wrong,
counted from the first line of this file (or cell) as you were given it.
"""

import numpy as np

### BEGIN SOLUTION
LINE = 27
### BEGIN STARTER
# LINE = None
### END SOLUTION


class Dense:
    """y = x W + b for a batch x of N rows."""

    def __init__(self, inputs, units, rng):
        self.W = rng.normal(size=(inputs, units)) / np.sqrt(inputs)
        self.b = np.zeros(units)

    def forward(self, x):
        self.x = x
        return np.dot(x, self.W) + self.b

    def backward(self, dy):
        self.dW = np.dot(self.x.T, dy)
        self.db = np.sum(dy, axis=0)
        ### BEGIN SOLUTION
        return np.dot(dy, self.W.T)
        ### BEGIN STARTER
        # return np.dot(dy, self.W.reshape(self.W.shape[1], -1))
        ### END SOLUTION
