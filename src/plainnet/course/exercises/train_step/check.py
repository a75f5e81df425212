"""Checks of `train-step`."""

from plainnet.course.exercise import Exercise, Fault

EXERCISE = Exercise(
    title="a whole step of training",
    place="Forward, backward, update",
    needs=("step",),
    points=3,
    forbids=("torch", "plainnet"),
    hints=(
        "Forward: h, z, log_p, loss. Backward: dz, then the slopes of layer 2, dh, the slopes of layer 1. Then the four updates.",
        "dz = (p - t) / N; dW2 = h.T @ dz; db2 = dz.sum(axis=0); dh = dz @ W2.T * (h > 0); layer 1 is like layer 2.",
        "Every new array is value - learning_rate * slope. Compute all slopes before the first update.",
    ),
    faults=(
        Fault("gradient-not-divided-by-the-batch", "dz = dz / N", "pass", "The gradient is not divided by N, but the loss is a mean."),
        Fault("updated-too-soon", "dh = dz @ W2.T * (h > 0)", "W2 = W2 - learning_rate * h.T @ dz\n    dh = dz @ W2.T * (h > 0)", "W2 is updated before dh uses it. First all slopes, then all updates."),
        Fault("relu-mask-missing", " * (h > 0)", "", "The gradient passes where the ReLU was closed."),
        Fault("uphill", "value - learning_rate", "value + learning_rate", "The step goes uphill: subtract the gradient."),
        Fault("one-hot-missing", "dz[np.arange(N), labels] -= 1", "pass", "The gradient lacks the target: subtract 1 at the label."),
        Fault("bias-gradient-averaged", "dh.sum(axis=0), h.T @ dz, dz.sum(axis=0)", "dh.mean(axis=0), h.T @ dz, dz.mean(axis=0)", "The bias gradients are means; dz is divided by N already, so they are sums."),
        Fault("biases-fixed", "slopes = x.T @ dh, dh.sum(axis=0), h.T @ dz, dz.sum(axis=0)", "slopes = x.T @ dh, 0 * b1, h.T @ dz, 0 * b2", "The biases do not learn."),
        Fault("first-layer-fixed", "slopes = x.T @ dh, dh.sum(axis=0)", "slopes = 0 * W1, 0 * b1", "The first layer does not learn."),
        Fault("relu-missing", "np.maximum(x @ W1 + b1, 0)", "x @ W1 + b1", "The hidden layer has no ReLU."),
        Fault("arrays-changed", "return loss, [value - learning_rate * slope for value, slope in zip(parameters, slopes)]", "for value, slope in zip(parameters, slopes):\n        value -= learning_rate * slope\n    return loss, parameters", "The arrays of the caller are changed: value -= ... writes into them. Use value = value - ..."),
        Fault("loss-sum", "labels].mean()", "labels].sum()", "The loss is the sum over the batch; it is the mean."),
        Fault('softmax-without-max-shift', 'z = z - z.max(axis=1, keepdims=True)', 'pass', 'exp overflows for large logits; subtract the maximum of each row first.'),
    ),
)


def observe(answer, rng):
    for case, (N, D, M, K) in enumerate(((6, 4, 5, 3), (3, 3, 3, 3)), 1):
        parameters = [rng.normal(size=(D, M)), rng.normal(size=M), rng.normal(size=(M, K)), rng.normal(size=K)]
        kept = [value.copy() for value in parameters]
        x, labels = rng.normal(size=(N, D)), rng.integers(K, size=N)
        yield f"loss, case {case}", lambda: answer.step([value.copy() for value in kept], x, labels, 0.1)[0]
        for k, name in enumerate(("W1", "b1", "W2", "b2")):
            yield f"{name} after the step, case {case}", lambda: answer.step([value.copy() for value in kept], x, labels, 0.1)[1][k]

        def unchanged():
            answer.step(parameters, x, labels, 0.1)
            return all(bool((value == old).all()) for value, old in zip(parameters, kept, strict=True))

        yield f"loss with large logits, case {case}", lambda: answer.step([1000 * value for value in kept], x, labels, 0.1)[0]
        yield f"the given arrays are unchanged, case {case}", unchanged
