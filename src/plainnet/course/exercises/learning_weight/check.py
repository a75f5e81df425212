"""Checks of `learning-weight`."""

import numpy as np

from plainnet.course.exercise import Exercise, Fault

EXERCISE = Exercise(
    title="a loop that learns",
    place="Downhill",
    needs=("learn",),
    hints=(
        "A loop over `steps`; each turn takes one step as in the first exercise and appends w to a list.",
        "The number of the example is step % len(xs).",
        "In the loop: k = step % len(xs); w = w - learning_rate * 2 * (w * xs[k] - ts[k]) * xs[k]; seen.append(w).",
    ),
    faults=(
        Fault("first-example-only", "k = step % len(xs)", "k = 0", "Only the first example is used; take the next one in every step."),
        Fault("before-the-step", "        w = w - learning_rate * dw\n        seen.append(w)", "        seen.append(w)\n        w = w - learning_rate * dw", "The list holds w before each step; append it after the step."),
        Fault("last-only", "return seen", "return seen[-1:]", "Only the last w is returned; return the whole list."),
        Fault("uphill", "w - learning_rate", "w + learning_rate", "The steps go uphill: subtract the gradient."),
        Fault("factor-2", "2 * (w", "(w", "The slope of (y - t)^2 is 2 (y - t); the 2 is missing."),
        Fault("starts-with-w", "seen = []", "seen = [w]", "The list begins with the w of the start; it should hold w after each step only."),
    ),
)


def observe(answer, rng):
    yield "one example, 3 steps", lambda: np.array(answer.learn(1.0, [2.0], [6.0], 0.1, 3))
    xs = rng.normal(size=4)
    yield "4 examples, 11 steps", lambda: np.array(answer.learn(0.5, list(xs), list(3 * xs + 1), 0.05, 11))
