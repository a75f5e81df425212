"""Checks of `two-layers`."""

from plainnet.course.exercise import Exercise, Fault

EXERCISE = Exercise(
    title="backpropagation through two layers",
    place="The pattern",
    needs=("backward",),
    points=2,
    hints=(
        "Start at the end: dz is known. What are dW2 and db2, and what reaches h?",
        "dh = dz W2^T; then the ReLU: dh_z = dh where h_z > 0, else 0; then the first layer like the second.",
        "dW2 = h.T @ dz; db2 = dz.sum(axis=0); dh_z = (dz @ W2.T) * (h_z > 0); dW1 = x.T @ dh_z; db1 = dh_z.sum(axis=0)",
    ),
    faults=(
        Fault("relu-mask-missing", "dh * (h_z > 0)", "dh", "The gradient passes where the ReLU was closed: multiply by (h_z > 0)."),
        Fault("mask-too-late", "db1 = dh_z.sum(axis=0)", "db1 = dh.sum(axis=0)", "db1 is taken before the ReLU's mask; use dh_z."),
        Fault("before-relu", "dW2 = h.T @ dz", "dW2 = h_z.T @ dz", "The second layer sees h, after the ReLU."),
        Fault("bias-gradient-averaged", "db2 = dz.sum(axis=0)\n    dh", "db2 = dz.mean(axis=0)\n    dh", "db2 is a mean over the batch; it is the sum."),
        Fault("both-biases-averaged", "sum(axis=0)", "mean(axis=0)", "The bias gradients are means over the batch; they are sums."),
        Fault("relu-mask-from-wrong-array", "(h_z > 0)", "(dh > 0)", "The mask is taken from the gradient; what counts is whether h_z was positive."),
        Fault("divided-again", "dW2 = h.T @ dz\n    db2 = dz.sum(axis=0)", "dz = dz / len(x)\n    dW2 = h.T @ dz\n    db2 = dz.sum(axis=0)", "dz is divided by N once more; the loss has done that."),
        Fault("order-of-results", "return dW1, db1, dW2, db2", "return dW2, db2, dW1, db1", "The results are right, but in another order: dW1, db1, dW2, db2."),
    ),
)


def observe(answer, rng):
    for case, (N, D, M, K) in enumerate(((6, 3, 4, 2), (4, 3, 3, 3)), 1):
        x, W1, b1 = rng.normal(size=(N, D)), rng.normal(size=(D, M)), rng.normal(size=M)
        W2, b2, dz = rng.normal(size=(M, K)), rng.normal(size=K), rng.normal(size=(N, K))
        for k, name in enumerate(("dW1", "db1", "dW2", "db2")):
            yield f"{name}, case {case}", lambda: answer.backward(x, W1, b1, W2, b2, dz.copy())[k]
