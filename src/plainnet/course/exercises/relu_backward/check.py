"""Checks of `relu-backward`."""

from plainnet.course.exercise import Exercise, Fault

EXERCISE = Exercise(
    title="ReLU, backward",
    place="Backward, with numbers",
    needs=("ReLU",),
    hints=(
        "Where x is positive the output grows as fast as x; where it is negative the output does not move.",
        "Keep dy where x > 0 and put 0 elsewhere.",
        "return dy * (self.x > 0)",
    ),
    faults=(
        Fault("relu-mask-missing", "dy * (self.x > 0)", "dy", "The gradient passes where the ReLU was closed. (If you wrote y >= 0: that is true for every output of a ReLU.)"),
        Fault("relu-mask-from-wrong-array", "(self.x > 0)", "(dy > 0)", "The mask is taken from dy; what counts is whether x was positive in forward."),
        Fault("relu-of-dy", "dy * (self.x > 0)", "np.maximum(dy, 0) * (self.x > 0)", "dy may well be negative; keep it as it is where x > 0."),
        Fault("mask-only", "dy * (self.x > 0)", "(self.x > 0) * 1.0", "This is the slope of the ReLU; multiply it by dy."),
        Fault("mask-turned", "self.x > 0", "self.x < 0", "The mask is turned: the gradient passes where x is positive."),
        Fault("times-x", "dy * (self.x > 0)", "dy * np.maximum(self.x, 0)", "The slope is 1 where x is positive, not x."),
        Fault("input-changed", "return dy * (self.x > 0)", "dy[self.x <= 0] = 0\n        return dy", "The function changes the dy of its caller; compute a new array."),
        Fault('x-changed', 'return dy * (self.x > 0)', 'self.x[self.x <= 0] = 0\n        self.x[self.x > 0] = 1\n        return dy * self.x', 'backward writes into the x that forward was given; compute a new array.'),
    ),
)


def observe(answer, rng):
    x, dy = rng.normal(size=(2, 4, 5))
    kept = dy.copy()

    def used(dy=dy):
        layer = answer.ReLU()
        layer.forward(x.copy())
        return layer.backward(dy)

    yield "dx", lambda: used()
    yield "dy unchanged", lambda: bool((dy == kept).all())
    kept_x = x.copy()

    def unchanged():
        layer = answer.ReLU()
        layer.forward(x)
        layer.backward(kept.copy())
        same = bool((x == kept_x).all())
        x[:] = kept_x
        return same

    yield "x unchanged", unchanged
    yield "dx for another dy", lambda: used(-2 * kept)
