"""Momentum.

`gradient` is a function that returns dw for a given w, an array. Take `steps` steps: v = momentum v
- learning_rate dw, w = w + v, with v = 0 at the start. Return w after the last step. Do not change
the array you are given.
"""

import numpy as np


def descend(w, gradient, learning_rate, momentum, steps):
    ### BEGIN SOLUTION
    v = np.zeros_like(w)
    for _ in range(steps):
        v = momentum * v - learning_rate * gradient(w)
        w = w + v
    return w
    ### END SOLUTION
