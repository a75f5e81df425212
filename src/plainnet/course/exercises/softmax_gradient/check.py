"""Checks of `softmax-gradient`."""

import numpy as np

from plainnet.course.exercise import Exercise, Fault

EXERCISE = Exercise(
    title="p minus t, over N",
    place="Why p - t",
    needs=("gradient",),
    hints=(
        "The lesson has the formula in one line. The target t is 1 at the label of each row and 0 elsewhere.",
        "np.eye(K)[labels] is the one-hot matrix; or subtract 1 at dz[np.arange(N), labels].",
        "t = np.eye(p.shape[1])[labels]; return (p - t) / len(p)",
    ),
    faults=(
        Fault("gradient-not-divided-by-the-batch", "dz / len(p)", "dz", "The loss is a mean over the batch, the gradient a sum: divide by N."),
        Fault("divided-by-classes", "/ len(p)", "/ p.shape[1]", "It is divided by the number of classes; divide by the number of examples."),
        Fault("divided-by-both", "/ len(p)", "/ p.size", "It is divided by N and by K; divide by the number of examples only."),
        Fault("sign-flipped", "dz / len(p)", "-dz / len(p)", "The sign is wrong: p - t, not t - p."),
        Fault("one-hot-missing", "dz[np.arange(len(p)), labels] -= 1", "pass", "The gradient lacks the target: subtract 1 at the label."),
        Fault("rows-and-columns", "dz[np.arange(len(p)), labels] -= 1", "dz[:, labels] -= 1", "dz[:, labels] subtracts in every row; subtract one number in each row: dz[np.arange(N), labels]."),
        Fault("labels-off-by-one", "labels] -= 1", "labels - 1] -= 1", "The label is shifted by one class; classes count from 0."),
        Fault("input-changed", "dz = p.copy()", "dz = p", "The function changes the p of its caller; work on a copy."),
        Fault("label-only", "dz = p.copy()\n    dz[np.arange(len(p)), labels] -= 1", "dz = np.zeros_like(p)\n    dz[np.arange(len(p)), labels] = p[np.arange(len(p)), labels] - 1", "Only the right class has a slope; the others have p."),
        Fault("minus-one-over-p", "dz = p.copy()\n    dz[np.arange(len(p)), labels] -= 1", "dz = np.zeros_like(p)\n    dz[np.arange(len(p)), labels] = -1 / p[np.arange(len(p)), labels]", "This is the slope by p. By z, through softmax, it is p - t."),
    ),
)


def observe(answer, rng):
    for N, K in ((5, 3), (4, 4), (1, 6)):
        p = rng.dirichlet(np.ones(K), size=N)
        labels = rng.integers(K, size=N)
        kept = p.copy()
        yield f"dz for N = {N}, K = {K}", lambda: answer.gradient(p, labels)
        yield f"p unchanged, for N = {N}", lambda: bool((p == kept).all())
        p[:] = kept
