"""Checks of `central-difference`."""

import numpy as np

from plainnet.course.exercise import Exercise, Fault

EXERCISE = Exercise(
    title="central differences",
    place="Central differences",
    needs=("numerical_gradient",),
    points=2,
    hints=(
        "Go through all places of w, one at a time: np.ndindex(w.shape) yields them.",
        "At each place: add h, call f; subtract h, call f; put the number back; divide the difference by 2 h.",
        "The lesson has the function; write it without looking, then compare.",
    ),
    faults=(
        Fault("one-sided", "w[place] = kept - h", "w[place] = kept", "This is a one-sided difference over 2 h: go to both sides."),
        Fault("divided-by-h", "(2 * h)", "h", "The two points are 2 h apart; divide by 2 h."),
        Fault("sign-flipped", "(above - below)", "(below - above)", "The sign is wrong: above minus below."),
        Fault("not-put-back", "        w[place] = kept\n        gradient", "        gradient", "w is not put back: the next places are measured elsewhere, and w has changed."),
        Fault("all-at-once", "    for place in np.ndindex(w.shape):", "    for place in [...]:", "All numbers are moved at once; move one at a time."),
        Fault("one-sided-right", "w[place] = kept - h\n        below = f(w)\n        w[place] = kept\n        gradient[place] = (above - below) / (2 * h)", "w[place] = kept\n        below = f(w)\n        gradient[place] = (above - below) / h", "This is a one-sided difference. Its error is of the order of h; go to both sides."),
        Fault('order-of-division', '/ (2 * h)', '/ 2 * h', '/ 2 * h divides by 2 and multiplies by h; write / (2 * h).'),
        Fault('own-h', '    gradient = np.zeros(w.shape)', '    h = 1e-5\n    gradient = np.zeros(w.shape)', 'The h that is given is not used.'),
    ),
    tolerance=1e-7,
)


def observe(answer, rng):
    w = rng.normal(size=(2, 3))
    kept = w.copy()
    c = rng.normal(size=(2, 3))
    yield "f = sum(c w), h = 1e-4", lambda: answer.numerical_gradient(lambda w: float((c * w).sum()), w, 1e-4)
    w[:] = kept
    yield "f = sum(w^3), h = 0.1", lambda: answer.numerical_gradient(lambda w: float((w**3).sum()), w, 0.1)
    yield "w is as it was", lambda: bool(np.allclose(w, kept, rtol=0, atol=1e-12))
    yield "f = sum of products, w (4,)", lambda: answer.numerical_gradient(lambda w: float(w[0] * w[1] + w[2] * w[3] ** 2), rng.normal(size=4), 1e-3)
