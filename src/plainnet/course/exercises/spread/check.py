"""Checks of `spread`."""

from plainnet.course.exercise import Exercise, Fault

EXERCISE = Exercise(
    title="predict the standard deviation of an accuracy",
    place="How certain is a measured accuracy?",
    needs=("points", "examples", "clear"),
    tells=False,
    tolerance=0.005,
    hints=(
        "The lesson has the formula: the square root of a (1 - a) / n.",
        "The standard deviation shrinks with the square root of the number of examples.",
        "sqrt(0.9 * 0.1 / 400) = 0.015, which is 1.5 points; 100 times as many examples; 1 point is less than twice that.",
    ),
    faults=(
        Fault("as-share", "100 * (0.9", "(0.9", "This is the standard deviation as a fraction; in percentage points it is 100 times that."),
        Fault("no-root", "(0.9 * 0.1 / 400) ** 0.5", "(0.9 * 0.1 / 400)", "The square root is missing."),
        Fault("n-outside", "(0.9 * 0.1 / 400) ** 0.5", "(0.9 * 0.1) ** 0.5 / 400", "n belongs under the root."),
        Fault("without-a", "(0.9 * 0.1 / 400) ** 0.5", "(1 / 400) ** 0.5", "a (1 - a) is missing under the root."),
        Fault("ten-times", "400 * 100", "400 * 10", "Ten times as many make it only 3.2 times smaller: it goes with the square root."),
        Fault("more-needed", "400 * 100", "100", "This is the factor; how many examples in all?"),
        Fault("clear-difference", "clear = False", "clear = True", "The difference is 1 point, twice the standard deviation is about 3: it may well be chance."),
        Fault('how-many-more', '400 * 100', '400 * 99', 'These are the additional examples; how many are there in all?'),
    ),
)


def observe(answer, rng):
    for name in EXERCISE.needs:
        yield name, lambda: getattr(answer, name)
