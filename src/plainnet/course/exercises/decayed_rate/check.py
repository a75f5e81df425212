"""Checks of `decayed-rate`."""

from plainnet.course.exercise import Exercise, Fault

EXERCISE = Exercise(
    title="a learning rate that decays",
    place="Decay",
    needs=("decayed",),
    hints=(
        "Count how many numbers of `at` are not above the epoch.",
        "Each of them multiplies the rate by the factor.",
        "for when in at: if epoch >= when: rate = rate * factor",
    ),
    faults=(
        Fault("one-too-late", "epoch >= when", "epoch > when", "The decay comes one epoch too late: at epoch 30 itself the rate is smaller already."),
        Fault("once", "            rate = rate * factor", "            return rate * factor", "The rate is multiplied once only; multiply once for each number that was reached."),
        Fault("only-at", "epoch >= when", "epoch == when", "The rate is smaller in these epochs only; it stays smaller."),
        Fault("divided", "rate * factor", "rate / factor", "The rate is divided by the factor; multiply."),
        Fault("power-of-epoch", "    for when in at:\n        if epoch >= when:\n            rate = rate * factor\n    return rate", "    return rate * factor**epoch", "The rate decays in every epoch; it should at those in `at` only."),
        Fault("subtracted", "rate = rate * factor", "rate = rate - factor", "The factor is subtracted; multiply."),
    ),
)


def observe(answer, rng):
    for epoch in (0, 29, 30, 31, 50, 64, 65, 79):
        yield f"0.01, factor 0.1, at 30, 50, 65: epoch {epoch}", lambda: answer.decayed(0.01, 0.1, (30, 50, 65), epoch)
    yield "factor 0.5, at 2, 4: epoch 3", lambda: answer.decayed(1.0, 0.5, (2, 4), 3)
    yield "no decay", lambda: answer.decayed(0.1, 0.1, (), 7)
