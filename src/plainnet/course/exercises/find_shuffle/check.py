"""Checks of `find-shuffle`."""

import numpy as np

from plainnet.course.exercise import Exercise, Fault

EXERCISE = Exercise(
    title="find the fault: a loss that stays at 2.3",
    place="What usually goes wrong",
    needs=("LINE", "epoch"),
    tells=False,
    hints=(
        "A loss of log(10) means that the network cannot do better than guessing. When do pictures tell nothing about labels?",
        "Compare which rows of x and which of labels a batch gets.",
        "The pictures are shuffled and the labels are not: use labels[rows].",
    ),
    faults=(
        Fault("nothing-shuffled", "step(x[rows], labels[rows])", "step(x[start : start + batch_size], labels[start : start + batch_size])", "Pictures and labels fit now, but nothing is shuffled any more."),
        Fault("shuffled-twice", "step(x[rows], labels[rows])", "step(x[rows], labels[rng.permutation(len(x))[start : start + batch_size]])", "The labels are shuffled in an order of their own."),
        Fault("whole", "step(x[rows], labels[rows])", "step(x, labels)", "Every step gets all examples; it should get one batch."),
        Fault("wrong-line", "LINE = 19", "LINE = 18", "Line 18 is right: rows are the next row numbers in the shuffled order."),
        Fault("permutation-line", "LINE = 19", "LINE = 16", "Line 16 is right: it draws an order of the examples."),
        Fault("range-line", "LINE = 19", "LINE = 17", "Line 17 is right: it goes through the data in steps of batch_size."),
        Fault('pictures-not-shuffled', 'step(x[rows], labels[rows])', 'step(x[start : start + batch_size], labels[rows])', 'Now the labels are shuffled and the pictures are not.'),
    ),
)


def observe(answer, rng):
    x = np.arange(10.0)

    def used():
        seen = []
        answer.epoch(x, x * 2, 4, np.random.default_rng(3), lambda rows, labels: seen.append((rows.copy(), labels.copy())))
        return seen

    yield "each batch gets the labels of its pictures", lambda: bool(all((labels == 2 * rows).all() for rows, labels in used()))
    yield "the pictures of all batches", lambda: np.concatenate([rows for rows, _ in used()])
    yield "the labels of all batches", lambda: np.concatenate([labels for _, labels in used()])
    yield "the number of the line", lambda: answer.LINE
