"""Checks of `split`."""

import numpy as np

from plainnet.course.exercise import Exercise, Fault

EXERCISE = Exercise(
    title="training, validation, test",
    place="Three parts",
    needs=("split",),
    hints=(
        "Shuffle all the row numbers once, then cut the list into three pieces.",
        "int(N * test) is a share rounded down.",
        "order = rng.permutation(N); the first int(N * test) are the test part, the next int(N * validation) validate, the rest trains.",
    ),
    faults=(
        Fault("not-shuffled", "rng.permutation(N)", "np.arange(N)", "The rows are not shuffled. Data often comes sorted, and then a part has only some of the classes."),
        Fault("parts-exchanged", "return order[n_test + n_validation :], order[n_test : n_test + n_validation], order[:n_test]", "return order[n_test + n_validation :], order[:n_test], order[n_test : n_test + n_validation]", "Validation and test are exchanged; the order is training, validation, test."),
        Fault("test-trains", "order[n_test + n_validation :], order[n", "order[n_test:], order[n", "The validation rows are among the training rows too. The parts must not overlap."),
        Fault("overlapping", "order[n_test : n_test + n_validation]", "order[:n_validation]", "Validation and test overlap: the same rows choose and judge."),
        Fault("rounded-up", "int(N * test), int(N * validation)", "int(np.ceil(N * test)), int(np.ceil(N * validation))", "The parts are rounded up; round down."),
        Fault("drawn-with-replacement", "rng.permutation(N)", "rng.integers(N, size=N)", "Some rows come several times, others never: every row belongs to exactly one part."),
        Fault("same-order", "rng.permutation(N)", "np.random.default_rng(0).permutation(N)", "The order does not depend on the rng that is given."),
        Fault('rounded', 'int(N * test), int(N * validation)', 'round(N * test), round(N * validation)', 'The parts are rounded to the nearest number; round down with int.'),
        Fault('of-the-rest', 'int(N * validation)\n', 'int((N - int(N * test)) * validation)\n', 'The validation part is a share of the rest; it is a share of all N.'),
        Fault('training-and-test-exchanged', 'return order[n_test + n_validation :], order[n_test : n_test + n_validation], order[:n_test]', 'return order[:n_test], order[n_test : n_test + n_validation], order[n_test + n_validation :]', 'Training and test are exchanged; the order is training, validation, test.'),
    ),
)


def observe(answer, rng):
    def parts(N=103, validation=0.2, test=0.1, seed=1):
        return [np.asarray(part) for part in answer.split(N, validation, test, np.random.default_rng(seed))]

    yield "sizes, N = 103, validation 0.2, test 0.1", lambda: [len(part) for part in parts()]
    yield "every row once", lambda: np.sort(np.concatenate(parts()))
    yield "training and validation do not overlap", lambda: len(np.intersect1d(parts()[0], parts()[1]))
    yield "validation and test do not overlap", lambda: len(np.intersect1d(parts()[1], parts()[2]))
    yield "the test part is drawn at random", lambda: bool((np.diff(np.sort(parts(1000)[2])) > 1).any())
    yield "another rng gives another split", lambda: bool((np.sort(parts(1000)[2]) != np.sort(parts(1000, seed=2)[2])).any())
    yield "sizes without a test part", lambda: [len(part) for part in parts(10, 0.25, 0.0)]
