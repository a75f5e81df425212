"""Checks of `find-transpose`."""

import numpy as np

from plainnet.course.exercise import Exercise, Fault

EXERCISE = Exercise(
    title="find the fault: a layer whose shapes all fit",
    place="What usually goes wrong",
    needs=("LINE", "Dense"),
    tells=False,
    hints=(
        "Every gradient has the right shape. Compare each line with the formulas of the lesson.",
        "dW and db are right. What does reshape do to a matrix, and what does .T do?",
        "reshape keeps the order of the numbers and cuts it into other rows: that is no transpose. dx = dy W^T.",
    ),
    faults=(
        Fault("inverse", "np.dot(dy, self.W.T)", "np.dot(dy, np.linalg.pinv(self.W))", "Going back is no division: dx = dy W^T, with the transpose."),
        Fault("averaged", "np.dot(dy, self.W.T)", "np.dot(dy, self.W.T) / len(dy)", "dx is not divided by N here; the loss has done that."),
        Fault("line-of-dW", "LINE = 27", "LINE = 25", "Line 25 is right: dW = x^T dy."),
        Fault("line-of-db", "LINE = 27", "LINE = 26", "Line 26 is right: db is the sum over the batch."),
        Fault("line-of-forward", "LINE = 27", "LINE = 22", "Line 22 is right: y = x W + b."),
    ),
)


def observe(answer, rng):
    x, dy = rng.normal(size=(5, 3)), rng.normal(size=(5, 4))

    def used():
        layer = answer.Dense(3, 4, np.random.default_rng(1))
        layer.forward(x)
        return layer, layer.backward(dy)

    yield "the repaired dx", lambda: used()[1]
    yield "dW", lambda: used()[0].dW
    yield "db", lambda: used()[0].db
    yield "the number of the line", lambda: answer.LINE
