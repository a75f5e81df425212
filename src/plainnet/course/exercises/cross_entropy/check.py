"""Checks of `cross-entropy`."""

from plainnet.course.exercise import Exercise, Fault

EXERCISE = Exercise(
    title="cross-entropy that never becomes infinite",
    place="Cross-entropy",
    needs=("cross_entropy",),
    forbids=("scipy", "torch", "plainnet"),
    hints=(
        "Take the logarithm of the formula for softmax by hand first; it gets simpler.",
        "log p = z - log(sum(exp(z))) for z with the row's maximum subtracted.",
        "log_p = z - np.log(np.exp(z).sum(axis=1, keepdims=True)), then -log_p[np.arange(len(z)), labels].mean()",
    ),
    faults=(
        Fault("log-of-zero", "log_p = z - np.log(np.exp(z).sum(axis=1, keepdims=True))", "log_p = np.log(np.exp(z) / np.exp(z).sum(axis=1, keepdims=True))", "The logarithm is taken of a probability that has become 0. Compute log p from the logits."),
        Fault("softmax-without-max-shift", "z = z - z.max(axis=1, keepdims=True)", "pass", "exp overflows for large logits; subtract the maximum of each row first."),
        Fault("sum-not-mean", ".mean()", ".sum()", "This is the sum over the batch; return the mean."),
        Fault("sign-flipped", "-log_p", "log_p", "The sign is wrong: the loss is -log p, which is never negative."),
        Fault("all-classes", "log_p[np.arange(len(z)), labels]", "log_p", "This is the mean over all classes; take the label's log p only, and the mean over the examples."),
        Fault("labels-off-by-one", "labels]", "labels - 1]", "The label is shifted by one class; classes count from 0."),
        Fault("clipped", "log_p = z - np.log(np.exp(z).sum(axis=1, keepdims=True))", "log_p = np.log(np.exp(z) / np.exp(z).sum(axis=1, keepdims=True) + 1e-12)", "A small number is added to p before the logarithm. That avoids infinity, but the loss is wrong for small p. Compute log p from the logits."),
        Fault("rows-and-columns", "log_p[np.arange(len(z)), labels]", "log_p[:, labels]", "log_p[:, labels] takes these columns of every row; take one number of each row: log_p[np.arange(N), labels]."),
    ),
)


def observe(answer, rng):
    z, labels = rng.normal(size=(5, 4)), rng.integers(4, size=5)
    yield "5 examples, 4 classes", lambda: answer.cross_entropy(z.copy(), labels)
    yield "the same with logits near 1000", lambda: answer.cross_entropy(z + 1000, labels)
    yield "a certain mistake: logits 1000 and -1000", lambda: answer.cross_entropy(z * [1000, -1000, 1000, -1000], labels)
    yield "one example", lambda: answer.cross_entropy(z[:1].copy(), labels[:1])
