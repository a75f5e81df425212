"""Find the fault.

With this loop the loss stays near log(10), whatever the network. Repair the line that is wrong, and
set LINE to its number, counted from the first line of this file (or cell) as you were given it.
`step(x, labels)` takes one step on a batch.
"""

import numpy as np

### BEGIN SOLUTION
LINE = 19
### BEGIN STARTER
# LINE = None
### END SOLUTION


def epoch(x, labels, batch_size, rng, step):
    """Take a step on every batch of the shuffled examples."""
    order = rng.permutation(len(x))
    for start in range(0, len(x), batch_size):
        rows = order[start : start + batch_size]
        ### BEGIN SOLUTION
        step(x[rows], labels[rows])
        ### BEGIN STARTER
        # step(x[rows], labels[start : start + batch_size])
        ### END SOLUTION
