"""Checks of `one-step`."""

from plainnet.course.exercise import Exercise, Fault

EXERCISE = Exercise(
    title="one step downhill",
    place="Downhill",
    needs=("step",),
    hints=(
        "The weight moves against the slope of the loss. Compute the answer y first, then the slope dw.",
        "By the chain rule dw = dy x, with dy = 2 (y - t).",
        "The whole step is w - learning_rate * 2 * (w * x - t) * x.",
    ),
    faults=(
        Fault("uphill", "w - learning_rate", "w + learning_rate", "The step goes uphill: subtract the gradient, and take y - t, not t - y, in it."),
        Fault("inner-derivative", "(y - t) * x", "(y - t)", "This is dy. The chain rule multiplies it by x to get dw."),
        Fault("factor-2", "2 * (y - t)", "(y - t)", "The slope of (y - t)^2 is 2 (y - t); the 2 is missing."),
        Fault("times-w", "(y - t) * x", "(y - t) * w", "y = w x grows x times as fast as w, not w times as fast."),
        Fault("no-rate", "learning_rate * ", "", "The learning rate is not used."),
        Fault("gradient-only", "w - learning_rate * dw", "dw", "This is the gradient; return the new weight."),
        Fault("change-only", "w - learning_rate", "-learning_rate", "This is the change of w; return the new weight."),
        Fault('loss-not-gradient', 'w - learning_rate * dw', 'w - learning_rate * (y - t) ** 2', 'This subtracts the loss; subtract its slope.'),
    ),
)


def observe(answer, rng):
    yield "w = 2, x = 3, t = 4, rate 0.1", lambda: answer.step(2.0, 3.0, 4.0, 0.1)
    for _ in range(3):
        w, x, t, rate = rng.normal(size=4).round(2)
        yield f"w = {w}, x = {x}, t = {t}, rate {abs(rate)}", lambda: answer.step(w, x, t, abs(rate))
