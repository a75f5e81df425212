"""Checks of `effective-rate`."""

from plainnet.course.exercise import Exercise, Fault

EXERCISE = Exercise(
    title="predict what a missing 1/N does",
    place="A report",
    needs=("rate", "step", "largest", "clipped"),
    tells=False,
    tolerance=0.005,
    hints=(
        "Summed instead of averaged: by what factor is every number of the gradient too large?",
        "Momentum 0.9 makes steps 1 / (1 - 0.9) times as long, if the gradient stays the same.",
        "0.03 * 64 = 1.92; ten times that is the largest step; 0.04 * 64 = 2.56, which is below 5.",
    ),
    faults=(
        Fault("divided", "rate = 0.03 * 64\n", "rate = 0.03 / 64\n", "The summed gradient is 64 times too large; the steps are those of a rate 64 times as large."),
        Fault("batch-of-the-text", "0.03 * 64", "0.03 * 128", "The batch has 64 examples here, not 128."),
        Fault("without-momentum", "step = 0.03 * 64 / (1 - 0.9)", "step = 0.03 * 64", "With momentum the velocity builds up, to 1 / (1 - 0.9) = 10 times the single step."),
        Fault("times-0.9", "step = 0.03 * 64 / (1 - 0.9)", "step = 0.03 * 64 * 0.9", "Momentum makes steps longer: divide by 1 - 0.9."),
        Fault("right-gradient", "step = 0.03 * 64 / (1 - 0.9)", "step = 0.03 / (1 - 0.9)", "This is the step with the right gradient; the summed one is 64 times as long."),
        Fault("largest-not-scaled", "largest = 0.04 * 64", "largest = 0.04", "This is the right gradient; summed, every number is 64 times as large."),
        Fault("clipped-anyway", "clipped = False", "clipped = True", "2.56 lies within [-5, 5]: nothing is clipped. A fault can hide below the limit."),
    ),
)


def observe(answer, rng):
    for name in EXERCISE.needs:
        yield name, lambda: getattr(answer, name)
