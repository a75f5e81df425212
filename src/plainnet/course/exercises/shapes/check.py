"""Checks of `shapes`."""

from plainnet.course.exercise import Exercise, Fault

EXERCISE = Exercise(
    title="predict the shapes",
    place="A gradient has the shape of its array",
    needs=("W", "b", "y", "dW", "db", "dx"),
    tells=False,
    hints=(
        "x is (N, D) with N = 32 and D = 784, and there are M = 100 neurons.",
        "x (N, D) times W (D, M) gives y (N, M). A gradient has the shape of what it belongs to.",
        "W (784, 100), b (100,), y (32, 100). Now the gradients.",
    ),
    faults=(
        Fault("W-transposed", "W = (784, 100)\nb", "W = (100, 784)\nb", "W has a row for each input and a column for each neuron, so that x @ W fits."),
        Fault("dW-transposed", "dW = (784, 100)", "dW = (100, 784)", "dW has the shape of W."),
        Fault("bias-gradient-not-summed", "db = (100,)", "db = (32, 100)", "There is one bias for a neuron, not for an example: db has the shape of b. Sum over the batch."),
        Fault("b-of-examples", "\nb = (100,)", "\nb = (32,)", "There is one bias for each neuron, not for each example."),
        Fault("b-a-row", "\nb = (100,)", "\nb = (32, 100)", "b is one number for each neuron; broadcasting adds it to every row."),
        Fault("dx-of-y", "dx = (32, 784)", "dx = (32, 100)", "dx has the shape of x; dy has that of y."),
        Fault("y-transposed", "y = (32, 100)", "y = (100, 32)", "y has a row for each example."),
        Fault('not-a-tuple', '\nb = (100,)', '\nb = 100', '(100) is a number; a tuple of one number is written (100,).'),
        Fault('b-a-matrix', '\nb = (100,)', '\nb = (1, 100)', 'b has one axis only: M numbers, (100,).'),
        Fault('db-not-a-tuple', 'db = (100,)', 'db = 100', '(100) is a number; a tuple of one number is written (100,).'),
    ),
)


def observe(answer, rng):
    for name in EXERCISE.needs:
        value = getattr(answer, name)
        yield f"the shape of {name}", lambda: value if value is None else repr(tuple(value) if isinstance(value, list) else value)
