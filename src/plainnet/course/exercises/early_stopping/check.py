"""Checks of `early-stopping`."""

from plainnet.course.exercise import Exercise, Fault

EXERCISE = Exercise(
    title="when to stop",
    place="What helps a network to generalize",
    needs=("stopping",),
    hints=(
        "Keep the best loss so far and the epoch it came from.",
        "If an epoch is not better, look how many epochs ago the best was.",
        "if loss < best: best, kept = loss, epoch; elif epoch - kept >= patience: return epoch, kept",
    ),
    faults=(
        Fault("keeps-the-last", "return epoch, kept\n    return len(losses), kept", "return epoch, epoch\n    return len(losses), len(losses)", "The weights of the last epoch are kept; keep those of the best."),
        Fault("one-too-late", ">= patience", "> patience", "It stops one epoch too late."),
        Fault("counts-from-0", "enumerate(losses, 1)", "enumerate(losses)", "Epochs are counted from 0; count them from 1."),
        Fault("compares-with-previous", "if loss < best:\n            best, kept = loss, epoch", "if loss < best:\n            kept = epoch\n        best = loss\n        if kept == epoch:\n            pass", "Each loss is compared with the one before; compare with the best so far."),
        Fault("stops-at-once", "epoch - kept >= patience", "True", "It stops at the first epoch that is not better; wait for `patience` of them."),
        Fault("equal-is-better", "loss < best", "loss <= best", "An epoch that is only as good as the best is not better."),
        Fault("rises", "loss < best", "loss > best or best == float('inf')", "It waits for the loss to grow; smaller is better."),
        Fault('exchanged', 'return epoch, kept\n    return len(losses), kept', 'return kept, epoch\n    return kept, len(losses)', 'The results are exchanged: first how many epochs are trained, then which is kept.'),
    ),
)


def observe(answer, rng):
    cases = (
        ([1.0, 0.8, 0.7, 0.75, 0.72, 0.9, 0.6], 3),
        ([1.0, 0.8, 0.9, 0.7, 0.75, 0.71, 0.74, 0.5], 2),
        ([3.0, 2.0, 1.0], 1),
        ([1.0, 1.0, 1.0, 1.0], 2),
        ([0.5, 0.9, 0.8, 0.7, 0.6, 0.55], 5),
    )
    for losses, patience in cases:
        yield f"losses {losses}, patience {patience}", lambda: list(answer.stopping(list(losses), patience))
