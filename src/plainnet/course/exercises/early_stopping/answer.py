"""Early stopping.

`losses` are the validation losses after each epoch. Stop as soon as `patience` epochs in a row have
not been better than the best before them. Return how many epochs are trained, and the number of the
epoch whose weights are kept, counted from 1. If it never stops, all epochs are trained.
"""


def stopping(losses, patience):
    ### BEGIN SOLUTION
    best, kept = float("inf"), 0
    for epoch, loss in enumerate(losses, 1):
        if loss < best:
            best, kept = loss, epoch
        elif epoch - kept >= patience:
            return epoch, kept
    return len(losses), kept
    ### END SOLUTION
