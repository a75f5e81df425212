"""Three parts.

Return three arrays of row numbers, for training, validation and test, that together hold every
number from 0 to N - 1 once, in an order drawn from `rng`. The test part has the share `test` of the
rows, and the validation part the share `validation`, rounded down; the rest trains.
"""

import numpy as np


def split(N, validation, test, rng):
    ### BEGIN SOLUTION
    order = rng.permutation(N)
    n_test, n_validation = int(N * test), int(N * validation)
    return order[n_test + n_validation :], order[n_test : n_test + n_validation], order[:n_test]
    ### END SOLUTION
