"""Checks of `batches`."""

import numpy as np

from plainnet.course.exercise import Exercise, Fault

EXERCISE = Exercise(
    title="an epoch in batches",
    place="Batches",
    needs=("batches",),
    hints=(
        "rng.permutation(N) is an array of the numbers 0 to N - 1 in random order.",
        "Cut it into pieces of batch_size; a slice that goes beyond the end is simply shorter.",
        "for start in range(0, N, batch_size): yield order[start : start + batch_size]",
    ),
    faults=(
        Fault("last-dropped", "range(0, N, batch_size)", "range(0, N - batch_size + 1, batch_size)", "The last batch, which is smaller, is left out; yield it too."),
        Fault("not-shuffled", "rng.permutation(N)", "np.arange(N)", "The rows come in their own order; shuffle them."),
        Fault("same-order", "rng.permutation(N)", "np.random.default_rng(0).permutation(N)", "The order is the same in every epoch: draw it from the rng that is given."),
        Fault("drawn-with-replacement", "rng.permutation(N)", "rng.integers(N, size=N)", "Some rows come several times and others never; every row comes once."),
        Fault("batches-shuffled", "order = rng.permutation(N)\n    for start in range(0, N, batch_size):\n        yield order[start", "order = np.arange(N)\n    for start in rng.permutation(np.arange(0, N, batch_size)):\n        yield order[start", "Only the batches are shuffled, not the rows in them: the same rows always stay together."),
        Fault("overlapping", "range(0, N, batch_size)", "range(0, N)", "The batches overlap: go on by batch_size."),
        Fault("one-batch", "    for start in range(0, N, batch_size):\n", "    for start in [0]:\n", "There is only one batch; go through all of them."),
        Fault('another-generator', 'rng.permutation(N)', 'np.random.default_rng().permutation(N)', 'The order is not drawn from the rng that is given.'),
        Fault('new-order-for-each-batch', '    order = rng.permutation(N)\n    for start in range(0, N, batch_size):\n        yield order[start', '    for start in range(0, N, batch_size):\n        order = rng.permutation(N)\n        yield order[start', 'The order is drawn again for each batch, so some rows come twice and others never. Draw it once for an epoch.'),
    ),
)


def observe(answer, rng):
    def seen(N=10, size=4, seed=1):
        return [np.asarray(rows) for rows in answer.batches(N, size, np.random.default_rng(seed))]

    yield "sizes of the batches, N = 10, batch_size = 4", lambda: [len(rows) for rows in seen()]
    yield "sizes, N = 8, batch_size = 4", lambda: [len(rows) for rows in seen(8)]
    yield "every row once", lambda: np.sort(np.concatenate(seen(100, 7)))
    yield "the order is drawn at random", lambda: bool((np.concatenate(seen(100, 7)) != np.arange(100)).any())
    yield "the same order with the same rng", lambda: bool((np.concatenate(seen(100, 7, 1)) == np.concatenate(seen(100, 7, 1))).all())
    yield "another order with another rng", lambda: bool((np.concatenate(seen(100, 7, 1)) != np.concatenate(seen(100, 7, 2))).any())

    def twice():
        generator = np.random.default_rng(4)
        first, second = (np.sort(next(iter(answer.batches(100, 10, generator)))) for _ in range(2))
        return bool((first != second).any())

    yield "other rows together in the next epoch", twice
    yield "rows are mixed within a batch", lambda: bool(any((np.diff(rows) != 1).any() for rows in seen(100, 10)))
