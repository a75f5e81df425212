"""Decay.

Return the learning rate for an epoch, counted from 0: `rate` at the start, multiplied by `factor`
once for every number in `at` that the epoch has reached.
"""


def decayed(rate, factor, at, epoch):
    ### BEGIN SOLUTION
    for when in at:
        if epoch >= when:
            rate = rate * factor
    return rate
    ### END SOLUTION
