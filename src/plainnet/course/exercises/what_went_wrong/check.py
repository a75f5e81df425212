"""Checks of `what-went-wrong`."""

from plainnet.course.exercise import Exercise, Fault

EXERCISE = Exercise(
    title="read five checks",
    place="Kinks",
    needs=("answers",),
    tells=False,
    hints=(
        "Which of them become small when h changes, and which when the numbers have more digits?",
        "An error by a kink disappears with a smaller h. An error by rounding disappears in 64 bits. A fault stays.",
        "The first is right, the second a fault. In the third, h decides; in the fourth, the digits. In the fifth nothing helps.",
    ),
    faults=(
        Fault("kink-as-fault", '"kink", "32', '"fault", "32', "In 3 the error disappears with a smaller h: the two points lay on different sides of a kink."),
        Fault("fault-as-kink", '"32 bits", "fault"', '"32 bits", "kink"', "In 5 the error stays with a smaller h. A kink would disappear."),
        Fault("rounding-as-fault", '"32 bits"', '"fault"', "In 4 the same code is right in 64 bits: it is rounding."),
        Fault("bias-as-right", '"right", "fault"', '"right", "right"', "In 2 the error is 0.75; a right gradient in 64 bits is below 1e-7."),
        Fault("right-as-fault", '["right"', '["fault"', "In 1 the error is 3e-10, far below 1e-7."),
        Fault("kink-as-rounding", '"kink", "32', '"32 bits", "32', "In 3 the numbers have 64 bits already; only h was changed."),
    ),
)


def observe(answer, rng):
    for k in range(5):
        yield f"answer {k + 1}", lambda: answer.answers[k]
