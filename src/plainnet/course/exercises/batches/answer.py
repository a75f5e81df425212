"""Batches.

Write a generator that yields, for each batch of one epoch, an array of row numbers. Every number
from 0 to N - 1 comes exactly once, in a new order drawn from `rng` with each call. All batches
have `batch_size` rows but the last, which may have fewer.
"""

import numpy as np


def batches(N, batch_size, rng):
    ### BEGIN SOLUTION
    order = rng.permutation(N)
    for start in range(0, N, batch_size):
        yield order[start : start + batch_size]
    ### END SOLUTION
