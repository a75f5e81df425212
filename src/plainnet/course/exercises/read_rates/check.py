"""Checks of `read-rates`."""

from plainnet.course.exercise import Exercise, Fault

EXERCISE = Exercise(
    title="read the curve: which learning rate?",
    place="The learning rate",
    needs=("A", "B", "C", "D"),
    tells=False,
    hints=(
        "Which loss falls fastest? Which hardly moves? Which does not fall at all?",
        "A rate that is far too large gives a loss that jumps or stays high; a tiny one gives a loss that falls slowly and evenly.",
        "C is the best one. B starts high and then stays at log(10). D falls more slowly than A.",
    ),
    faults=(
        Fault("jump-as-slow", "B = 3\nC = 0.3\nD = 0.003", "B = 0.003\nC = 0.3\nD = 3", "B starts above log(10) and then stays at log(10): its first steps were far too large. With a tiny rate the loss falls slowly, as in D."),
        Fault("order-turned", "A = 0.03\nB = 3\nC = 0.3\nD = 0.003", "A = 0.3\nB = 3\nC = 0.03\nD = 0.003", "C falls faster than A, so its rate is the larger one."),
        Fault("slow-two", "A = 0.03\nB = 3\nC = 0.3\nD = 0.003", "A = 0.003\nB = 3\nC = 0.3\nD = 0.03", "D falls more slowly than A, so its rate is the smaller one."),
        Fault("fast-is-largest", "B = 3\nC = 0.3", "B = 0.3\nC = 3", "With a rate of 3 the network does not learn: B stays at log(10). C learns best."),
        Fault("all-turned", "A = 0.03\nB = 3\nC = 0.3\nD = 0.003", "A = 0.3\nB = 0.003\nC = 3\nD = 0.03", "B stays at log(10), as with steps that are far too large; C learns best, which the largest rate does not."),
    ),
)


def observe(answer, rng):
    for name in EXERCISE.needs:
        yield f"the rate of {name}", lambda: getattr(answer, name)
