"""Checks of `conv-backward`."""

from plainnet.course.exercise import Exercise, Fault

EXERCISE = Exercise(
    title="a convolution, backward",
    place="Backward",
    needs=("backward",),
    points=3,
    hints=(
        "Go through the same places as in forward. Each place adds something to dW and to a window of dx.",
        "dW gets, from each place, the sum over the batch of window times dy[:, i, j]; the window of dx gets dy[:, i, j] times W, summed over the filters.",
        "dW += np.tensordot(window, dy[:, i, j], axes=(0, 0)); dx[:, i : i + K, j : j + K] += np.tensordot(dy[:, i, j], W, axes=(1, 3)); db = dy.sum(axis=(0, 1, 2))",
    ),
    faults=(
        Fault("dx-overwritten", "dx[:, i : i + K, j : j + K] += ", "dx[:, i : i + K, j : j + K] = ", "dx is overwritten: windows overlap, so add with +=."),
        Fault("dW-overwritten", "dW += ", "dW = ", "dW holds the last place only: add over all places."),
        Fault("bias-summed-over-batch-only", "dy.sum(axis=(0, 1, 2))", "dy.sum(axis=0)", "One bias serves all places: sum over them too."),
        Fault("bias-gradient-averaged", "dy.sum(axis=(0, 1, 2))", "dy.mean(axis=(0, 1, 2))", "db is a mean; it is the sum over batch and places."),
        Fault("bias-mean-over-batch", "dy.sum(axis=(0, 1, 2))", "dy.sum(axis=(1, 2)).mean(axis=0)", "db is averaged over the batch; it is the sum."),
        Fault("filter-turned", "np.tensordot(dy[:, i, j], W, axes=(1, 3))", "np.tensordot(dy[:, i, j], W[::-1, ::-1], axes=(1, 3))", "The filter is turned the wrong way. If you add to the windows of forward, use it as it is; if you slide it over a padded dy, turn it by 180 degrees."),
        Fault("dW-averaged", "    db = dy", "    dW = dW / len(x)\n    db = dy", "dW is divided by N; the loss has done that in dy."),
        Fault("results-exchanged", "return dx, dW, db", "return dW, db, dx", "The results come in another order: dx, dW, db."),
    ),
)


def observe(answer, rng):
    for N, H, V, C, K, F in ((2, 5, 6, 1, 3, 1), (3, 5, 4, 3, 2, 4)):
        x, W, dy = rng.normal(size=(N, H, V, C)), rng.normal(size=(K, K, C, F)), rng.normal(size=(N, H - K + 1, V - K + 1, F))
        for k, name in enumerate(("dx", "dW", "db")):
            yield f"{name} for x {x.shape}, W {W.shape}", lambda: answer.backward(x, W, dy)[k]
