"""Checks of `find-missing-n`."""


from plainnet.course.exercise import Exercise, Fault

EXERCISE = Exercise(
    title="find the fault: the report's",
    place="A report",
    needs=("LINE", "loss_and_gradients", "step"),
    tells=False,
    hints=(
        "It gets worse with larger batches. What in the code depends on the size of the batch?",
        "The loss is a mean over the batch. Is its gradient one?",
        "dz = (p - t) / len(x)",
    ),
    faults=(
        Fault("divided-by-classes", "/ len(x)", "/ p.shape[1]", "It is divided by the number of classes; divide by the number of examples."),
        Fault("loss-summed", "labels] + 1e-300).mean()\n    t = np.eye(p.shape[1])[labels]\n    dz = (p - t) / len(x)", "labels] + 1e-300).sum()\n    t = np.eye(p.shape[1])[labels]\n    dz = p - t", "Now loss and gradient are both sums. They fit each other, but steps still grow with the batch; make both a mean."),
        Fault("biases-averaged", "/ len(x)\n    dh = dz @ W2.T * (h > 0)\n    dW1, db1 = x.T @ dh, dh.sum(axis=0)\n    dW2, db2 = h.T @ dz, dz.sum(axis=0)", "/ 1\n    dh = dz @ W2.T * (h > 0)\n    dW1, db1 = x.T @ dh, dh.mean(axis=0)\n    dW2, db2 = h.T @ dz, dz.mean(axis=0)", "Now only the biases are divided by N; divide dz, and everything below follows."),
        Fault("divided-twice", "dW1, db1 = x.T @ dh, dh.sum(axis=0)\n    dW2, db2 = h.T @ dz, dz.sum(axis=0)", "dW1, db1 = x.T @ dh / len(x), dh.mean(axis=0)\n    dW2, db2 = h.T @ dz / len(x), dz.mean(axis=0)", "It is divided by N twice: in dz and again below."),
        Fault("fixed-128", "/ len(x)", "/ 128", "It is divided by 128, whatever the size of the batch; the last one may be smaller. Use len(x)."),
        Fault("loss-line", "LINE = 28", "LINE = 26", "Line 26 is right: the loss is a mean."),
        Fault("mask-line", "LINE = 28", "LINE = 29", "Line 29 is right: h > 0 is the mask of the ReLU."),
        Fault("clip-line", "LINE = 28", "LINE = 37", "Line 37 only hides the fault: with the right gradient nothing is clipped."),
        Fault('target-line', 'LINE = 28', 'LINE = 27', 'Line 27 is right: t is the one-hot target.'),
        Fault('sign-turned', '(p - t) / len(x)', '(t - p) / len(x)', 'The sign is turned: p - t.'),
        Fault('first-layer-only', 'dz = (p - t) / len(x)\n    dh = dz @ W2.T * (h > 0)', 'dz = p - t\n    dh = dz @ W2.T * (h > 0) / len(x)', 'Only the first layer is divided by N; divide dz, and everything below follows.'),
    ),
)


def observe(answer, rng):
    x, labels = rng.normal(size=(6, 4)), rng.integers(3, size=6)
    parameters = [rng.normal(size=(4, 5)), rng.normal(size=5), rng.normal(size=(5, 3)), rng.normal(size=3)]
    for k, name in enumerate(("dW1", "db1", "dW2", "db2")):
        yield f"the repaired {name}", lambda: answer.loss_and_gradients(parameters, x, labels)[1][k]
    yield "the loss", lambda: answer.loss_and_gradients(parameters, x, labels)[0]
    yield "W1 after a step", lambda: answer.step(parameters, x, labels)[1][0]
    yield "the number of the line", lambda: answer.LINE
