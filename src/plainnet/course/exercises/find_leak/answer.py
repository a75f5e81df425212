"""Find the fault.

This function prepares data for training. The accuracy on the test set comes out better than it is
on new data. Repair the line that is wrong, and set LINE to its number, counted from the first line
of this file (or cell) as you were given it.
"""

import numpy as np

### BEGIN SOLUTION
LINE = 18
### BEGIN STARTER
# LINE = None
### END SOLUTION


def prepared(x, labels, rng):
    """Return x and labels for training, and for the test, with each column of x at mean 0 and standard deviation 1."""
    order = rng.permutation(len(x))
    train, test = order[len(x) // 5 :], order[: len(x) // 5]
    ### BEGIN SOLUTION
    mean, spread = x[train].mean(axis=0), x[train].std(axis=0)
    ### BEGIN STARTER
    # mean, spread = x.mean(axis=0), x.std(axis=0)
    ### END SOLUTION
    x = (x - mean) / spread
    return x[train], labels[train], x[test], labels[test]
