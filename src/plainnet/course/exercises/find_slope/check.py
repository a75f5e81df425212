"""Checks of `find-slope`."""

import numpy as np

from plainnet.course.exercise import Exercise, Fault

EXERCISE = Exercise(
    title="find the fault: a network that learns, but badly",
    place="What usually goes wrong",
    needs=("LINE", "Network"),
    tells=False,
    hints=(
        "dW2 is right. So the fault lies between dh and dW1.",
        "The slope of the sigmoid is s(z) (1 - s(z)), where z is its input. What is self.h?",
        "self.h is the output already: the slope is self.h * (1 - self.h).",
    ),
    faults=(
        Fault("sigmoid-derivative-missing", "dh * self.h * (1 - self.h)", "dh", "The slope of the sigmoid is left out."),
        Fault("sigmoid-derivative-of-the-input", "dh * self.h * (1 - self.h)", "dh * self.z1 * (1 - self.z1)", "z (1 - z) takes the input of the sigmoid; h (1 - h) takes its output."),
        Fault("relu-mask", "dh * self.h * (1 - self.h)", "dh * (self.z1 > 0)", "This is the slope of a ReLU; the hidden layer has a sigmoid."),
        Fault("tanh-slope", "dh * self.h * (1 - self.h)", "dh * (1 - self.h**2)", "This is the slope of tanh; the hidden layer has a sigmoid."),
        Fault("wrong-line", "LINE = 37", "LINE = 36", "Line 36 is right: dh = dz2 W2^T."),
        Fault("loss-line", "LINE = 37", "LINE = 34", "Line 34 is right: dz = (p - t) / N."),
    ),
)


def observe(answer, rng):
    x, t = rng.normal(size=(6, 3)), np.eye(4)[rng.integers(4, size=6)]
    W1, W2 = rng.normal(size=(3, 5)), rng.normal(size=(5, 4))

    def used():
        network = answer.Network(W1, W2)
        network.forward(x)
        network.backward(t)
        return network

    yield "the repaired dW1", lambda: used().dW1
    yield "dW2", lambda: used().dW2
    yield "the number of the line", lambda: answer.LINE
