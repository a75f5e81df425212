"""Checks of `dense-forward`."""

from plainnet.course.exercise import Exercise, Fault

EXERCISE = Exercise(
    title="a dense layer, forward",
    place="A layer is a matrix",
    needs=("forward",),
    forbids=("a loop",),
    hints=(
        "One product of matrices, and a sum that broadcasts.",
        "The operator @ multiplies matrices; * multiplies number by number.",
        "x @ W + b",
    ),
    faults=(
        Fault("bias-missing", "x @ W + b", "x @ W", "The bias is missing."),
        Fault("bias-subtracted", "x @ W + b", "x @ W - b", "The bias is subtracted; add it."),
        Fault("bias-first", "x @ W + b", "(x + b.mean()) @ W", "The bias is added before the product; add it after."),
        Fault("product-transposed", "x @ W + b", "(x @ W + b).T", "The result is transposed: it should have a row for each example."),
        Fault("input-changed", "return x @ W + b", "y = x @ W + b\n    x *= 0\n    return y", "The function changes the x of its caller; compute into a new array."),
        Fault("bias-summed", "x @ W + b", "x @ W + b.sum()", "Every neuron has a bias of its own: add the vector b, not its sum."),
    ),
)


def observe(answer, rng):
    for N, D, M in ((4, 3, 2), (1, 5, 7), (3, 3, 3)):
        x, W, b = rng.normal(size=(N, D)), rng.normal(size=(D, M)), rng.normal(size=M)
        kept = x.copy(), W.copy(), b.copy()
        yield f"y for x {x.shape} and W {W.shape}", lambda: answer.forward(x, W, b)
        same = bool((x == kept[0]).all() and (kept[1] == W).all() and (b == kept[2]).all())
        yield f"x, W and b unchanged, for x {x.shape}", lambda: same
