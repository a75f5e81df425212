"""Checks of `largest-rate`."""

from plainnet.course.exercise import Exercise, Fault

EXERCISE = Exercise(
    title="predict where training diverges",
    place="Downhill",
    needs=("largest_rate",),
    tells=False,
    tolerance=0.005,
    hints=(
        "How does the error of w change in one step? The lesson gives the factor.",
        "The factor is 1 - 2 * rate * x^2. The error grows if the factor is below -1.",
        "Solve 1 - 2 * rate * 25 = -1 for the rate.",
    ),
    faults=(
        Fault("factor-zero", "1 / 5**2", "0.5 / 5**2", "At this rate the factor is 0: w is right after one step. It diverges below -1."),
        Fault("x-not-squared", "1 / 5**2", "1 / 5", "x counts twice: once in the answer, once in the slope. The factor has x^2."),
        Fault("factor-2", "1 / 5**2", "2 / 5**2", "The slope of (y - t)^2 has a factor 2: it is 2 (y - t) x."),
        Fault("of-the-text", "1 / 5**2", "0.25", "This is the answer for the lesson's x = 2. Here x is 5."),
        Fault("upside-down", "1 / 5**2", "25", "It is the other way round: the larger x is, the smaller the rate must be."),
    ),
)


def observe(answer, rng):
    yield "the largest rate", lambda: answer.largest_rate
