"""The gradient of a neuron.

z = w . x + b, y = sigmoid(z), L = (y - t)^2. Here w and x are arrays of D numbers, and b and t are
numbers. Return dw, an array of D numbers, and db, a number.
"""

import numpy as np


def gradient(w, b, x, t):
    y = 1 / (1 + np.exp(-(w @ x + b)))
    ### BEGIN SOLUTION
    dy = 2 * (y - t)
    dz = dy * y * (1 - y)
    dw = dz * x
    db = dz
    return dw, db
    ### END SOLUTION
