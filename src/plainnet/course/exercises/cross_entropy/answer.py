"""Cross-entropy from logits.

z is (N, K), labels is (N,), whole numbers from 0 to K - 1. Return the mean of -log p[label] over
the batch, a number. It must be right, and finite, for logits such as 1000 and -1000 too.
"""

import numpy as np


def cross_entropy(z, labels):
    ### BEGIN SOLUTION
    z = z - z.max(axis=1, keepdims=True)
    log_p = z - np.log(np.exp(z).sum(axis=1, keepdims=True))
    return -log_p[np.arange(len(z)), labels].mean()
    ### END SOLUTION
