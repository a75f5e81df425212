"""Checks of `max-pool`."""

from plainnet.course.exercise import Exercise, Fault

EXERCISE = Exercise(
    title="max pooling, forward and backward",
    place="Pooling",
    needs=("MaxPool",),
    points=2,
    hints=(
        "x.reshape(H // 2, 2, V // 2, 2) has the two rows of a window on axis 1 and its two columns on axis 3.",
        "Backward: where a number was the largest of its window, it gets the window's dy; elsewhere 0.",
        "dx = (windows == y with kept axes) * dy[:, None, :, None], reshaped to the shape of x",
    ),
    faults=(
        Fault("to-all-four", "(self.windows == self.y) * dy[:, None, :, None]", "(self.windows == self.windows) * dy[:, None, :, None]", "All four numbers get the slope; only the largest mattered."),
        Fault("shared", "(self.windows == self.y) * dy[:, None, :, None]", "(self.windows == self.windows) * dy[:, None, :, None] / 4", "The slope is shared among the four. That is average pooling; the largest gets all of it."),
        Fault("average", "self.windows.max(axis=(1, 3), keepdims=True)", "self.windows.mean(axis=(1, 3), keepdims=True)", "This is the mean of each window; take the largest."),
        Fault("smallest", "self.windows.max(", "self.windows.min(", "This is the smallest of each window."),
        Fault("mask-only", " * dy[:, None, :, None]", " * 1.0", "This shows where the largest numbers are; multiply by dy."),
        Fault("windows-cut-wrong", "x.reshape(H // 2, 2, V // 2, 2)", "x.reshape(H // 2, V // 2, 2, 2).swapaxes(1, 2)", "The windows are cut along the rows: four numbers in a row instead of two by two."),
        Fault("times-x", "(self.windows == self.y) * dy", "(self.windows == self.y) * self.windows * dy", "The slope of the largest number is 1, not its value."),
    ),
)


def observe(answer, rng):
    for H, V in ((4, 6), (2, 2), (6, 4)):
        x, dy = rng.normal(size=(H, V)), rng.normal(size=(H // 2, V // 2))

        def used():
            layer = answer.MaxPool()
            return layer.forward(x.copy()), layer.backward(dy.copy())

        yield f"y for x {x.shape}", lambda: answer.MaxPool().forward(x.copy())
        yield f"dx for x {x.shape}", lambda: used()[1]
