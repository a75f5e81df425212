"""Checks of `find-leak`."""

import numpy as np

from plainnet.course.exercise import Exercise, Fault

EXERCISE = Exercise(
    title="find the fault: the test examples have spoken",
    place="Three parts",
    needs=("LINE", "prepared"),
    tells=False,
    hints=(
        "What is computed from the examples, and from which?",
        "Everything that is learned from data is learned from the training part only: a mean is learned too.",
        "mean, spread = x[train].mean(axis=0), x[train].std(axis=0)",
    ),
    faults=(
        Fault("learned-from-test", "x[train].mean(axis=0), x[train].std(axis=0)", "x[test].mean(axis=0), x[test].std(axis=0)", "Mean and standard deviation are learned from the test part."),
        Fault("spread-of-all", "x[train].std(axis=0)", "x.std(axis=0)", "The standard deviation is still learned from all examples."),
        Fault("mean-of-all", "x[train].mean(axis=0), ", "x.mean(axis=0), ", "The mean is still learned from all examples."),
        Fault("one-mean-for-all-columns", "x[train].mean(axis=0), x[train].std(axis=0)", "x[train].mean(), x[train].std()", "Each column has its own mean and standard deviation: axis=0."),
        Fault("each-its-own", "    x = (x - mean) / spread\n", "    x = x.copy()\n    x[test] = (x[test] - x[test].mean(axis=0)) / x[test].std(axis=0)\n    x[train] = (x[train] - mean) / spread\n", "The test part is scaled with numbers of its own. Use those of the training part for both."),
        Fault("scale-line", "LINE = 18", "LINE = 19", "Line 19 is right: it uses the mean and the standard deviation. Where do they come from?"),
        Fault("split-line", "LINE = 18", "LINE = 17", "Line 17 is right: a fifth is the test part."),
    ),
)


def observe(answer, rng):
    x, labels = rng.normal(size=(20, 3)) * (1, 10, 100) + (0, 5, -50), rng.integers(2, size=20)
    for k, name in enumerate(("x for training", "labels for training", "x for the test", "labels for the test")):
        yield name, lambda: answer.prepared(x.copy(), labels, np.random.default_rng(1))[k]
    yield "the number of the line", lambda: answer.LINE
