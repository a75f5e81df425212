"""The largest relative error.

a and n are arrays of one shape, a gradient by formula and a numerical one. Return the largest of |a
- n| / max(|a|, |n|), taken number by number; where both are 0 the error is 0.
"""

import numpy as np


def largest_relative_error(a, n):
    ### BEGIN SOLUTION
    size = np.maximum(np.abs(a), np.abs(n))
    error = np.abs(a - n) / np.where(size == 0, 1, size)
    return error.max()
    ### END SOLUTION
