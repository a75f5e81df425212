"""Checks of `momentum`."""

import numpy as np

from plainnet.course.exercise import Exercise, Fault

EXERCISE = Exercise(
    title="a ball that rolls",
    place="Momentum",
    needs=("descend",),
    hints=(
        "Keep v from step to step; it starts as an array of zeros.",
        "In each step: first the new v from the old v and the gradient at w, then w + v.",
        "v = momentum * v - learning_rate * gradient(w); w = w + v",
    ),
    faults=(
        Fault("no-memory", "v = momentum * v - learning_rate * gradient(w)", "v = -learning_rate * gradient(w)", "v forgets what it was: momentum * v is missing."),
        Fault("uphill", "- learning_rate", "+ learning_rate", "The step goes uphill: v takes minus the gradient, and w moves by plus v."),
        Fault("averaged", "- learning_rate * gradient(w)", "- (1 - momentum) * learning_rate * gradient(w)", "The gradient is multiplied by 1 - momentum. That is a moving average, another convention; here it is not."),
        Fault("momentum-on-all", "momentum * v - learning_rate * gradient(w)", "momentum * (v - learning_rate * gradient(w))", "The gradient is multiplied by the momentum too; only v is."),
        Fault("nesterov", "w = w + v", "w = w + momentum * v - learning_rate * gradient(w)", "This is Nesterov's form; here w moves by v."),
        Fault("one-step-too-many", "range(steps)", "range(steps + 1)", "There is one step too many."),
        Fault("array-changed", "        w = w + v", "        w += v", "The array of the caller is changed: w += v writes into it. Use w = w + v."),
        Fault("gradient-of-the-start", "    v = np.zeros_like(w)", "    v, dw = np.zeros_like(w), gradient(w)\n    gradient = lambda w: dw", "The gradient is that of the start; compute it again in each step."),
        Fault('returns-v', 'return w', 'return v', 'This is the velocity; return w.'),
        Fault('one-step-short', 'range(steps)', 'range(steps - 1)', 'There is one step too few; or w moves by the old v, before v is updated.'),
    ),
)


def observe(answer, rng):
    slopes = np.array([1.0, 10.0])
    w = rng.normal(size=2)
    kept = w.copy()
    for momentum, steps in ((0.0, 3), (0.9, 1), (0.9, 2), (0.9, 20)):
        yield f"momentum {momentum}, {steps} steps", lambda: answer.descend(kept.copy(), lambda w: slopes * w, 0.05, momentum, steps)

    def unchanged():
        answer.descend(w, lambda w: slopes * w, 0.05, 0.9, 2)
        return bool((w == kept).all())

    yield "the given array is unchanged", unchanged
