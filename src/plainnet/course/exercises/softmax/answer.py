"""Softmax.

z is (N, K), a row of logits for each example. Return the probabilities, (N, K). They must be right
for large logits too, such as 1000.
"""

import numpy as np


def softmax(z):
    ### BEGIN SOLUTION
    e = np.exp(z - z.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)
    ### END SOLUTION
