"""Checks of `neuron-gradient`."""

from plainnet.course.exercise import Exercise, Fault

EXERCISE = Exercise(
    title="the gradient of a neuron",
    place="A neuron",
    needs=("gradient",),
    hints=(
        "Go back step by step: dy, then dz, then dw and db. Each step multiplies by one factor.",
        "dy = 2 (y - t), and the slope of the sigmoid is y (1 - y), with the output y.",
        "dz = dy * y * (1 - y); dw = dz * x; db = dz.",
    ),
    faults=(
        Fault("sigmoid-derivative-missing", "dy * y * (1 - y)", "dy", "The slope of the sigmoid, y (1 - y), is missing."),
        Fault("sigmoid-derivative-of-the-input", "y * (1 - y)", "(w @ x + b) * (1 - (w @ x + b))", "z (1 - z) uses the input of the sigmoid; y (1 - y) takes its output."),
        Fault("sigmoid-derivative-applied-twice", "y * (1 - y)", "(1 / (1 + np.exp(-y))) * (1 - 1 / (1 + np.exp(-y)))", "The sigmoid is applied to y, which is its output already. The slope is y (1 - y)."),
        Fault("factor-2", "2 * (y - t)", "(y - t)", "The slope of (y - t)^2 is 2 (y - t); the 2 is missing."),
        Fault("sign-flipped", "(y - t)", "(t - y)", "The sign is wrong: the slope of (y - t)^2 by y is 2 (y - t)."),
        Fault("bias-times-x", "db = dz", "db = (dz * x).sum()", "The bias is added as it is, without x: db = dz."),
        Fault("times-w", "dw = dz * x", "dw = dz * w", "z grows x_d times as fast as w_d: dw = dz x."),
    ),
)


def observe(answer, rng):
    for case in range(3):
        w, x = rng.normal(size=(2, 2 + case))
        b, t = rng.normal(), float(case % 2)
        yield f"dw, case {case + 1}", lambda: answer.gradient(w, b, x, t)[0]
        yield f"db, case {case + 1}", lambda: answer.gradient(w, b, x, t)[1]
