"""Checks of `softmax`."""

from plainnet.course.exercise import Exercise, Fault

EXERCISE = Exercise(
    title="softmax of a batch",
    place="Logits and probabilities",
    needs=("softmax",),
    forbids=("scipy", "torch", "plainnet"),
    hints=(
        "Exponentiate, then divide each row by its own sum. What does keepdims=True do?",
        "Subtract the maximum of each row before you exponentiate; it cancels in the fraction.",
        "e = np.exp(z - z.max(axis=1, keepdims=True)); return e / e.sum(axis=1, keepdims=True)",
    ),
    faults=(
        Fault("softmax-without-max-shift", "z - z.max(axis=1, keepdims=True)", "z", "exp overflows for large logits; subtract the maximum of each row first."),
        Fault("softmax-over-the-whole-batch", "e.sum(axis=1, keepdims=True)", "e.sum()", "The sum runs over the whole batch; each row needs its own, axis=1."),
        Fault("sum-over-examples", "e.sum(axis=1, keepdims=True)", "e.sum(axis=0, keepdims=True)", "The sum runs over the examples; sum over the classes, axis=1."),
        Fault("keepdims-missing", "e / e.sum(axis=1, keepdims=True)", "e / e.sum(axis=1)", "Without keepdims=True the sum has shape (N,) and divides columns where it should divide rows."),
        Fault("max-over-the-batch", "z.max(axis=1, keepdims=True)", "z.max()", "The maximum is that of the whole batch: a row far below it underflows to 0 / 0. Take the maximum of each row."),
        Fault("not-normalized", "e / e.sum(axis=1, keepdims=True)", "e", "The rows do not sum to 1; divide by the sum of each row."),
        Fault("logarithm", "e / e.sum(axis=1, keepdims=True)", "np.log(e / e.sum(axis=1, keepdims=True))", "These are logarithms of the probabilities; return the probabilities."),
        Fault('softmax-over-the-whole-batch-unshifted', 'e = np.exp(z - z.max(axis=1, keepdims=True))\n    return e / e.sum(axis=1, keepdims=True)', 'e = np.exp(z)\n    return e / e.sum()', 'The sum runs over the whole batch; each row needs its own, axis=1. And exp overflows for large logits.'),
        Fault('softmax-over-the-whole-batch-shifted', 'e = np.exp(z - z.max(axis=1, keepdims=True))\n    return e / e.sum(axis=1, keepdims=True)', 'e = np.exp(z - z.max())\n    return e / e.sum()', 'Maximum and sum run over the whole batch; each row needs its own, axis=1.'),
        Fault('sum-over-examples-unshifted', 'e = np.exp(z - z.max(axis=1, keepdims=True))\n    return e / e.sum(axis=1, keepdims=True)', 'e = np.exp(z)\n    return e / e.sum(axis=0)', 'The sum runs over the examples; sum over the classes, axis=1. And exp overflows for large logits.'),
        Fault('sum-over-examples-shifted', 'e = np.exp(z - z.max(axis=1, keepdims=True))\n    return e / e.sum(axis=1, keepdims=True)', 'e = np.exp(z - z.max(axis=0))\n    return e / e.sum(axis=0)', 'Maximum and sum run over the examples; take them over the classes, axis=1.'),
        Fault('input-changed', 'e = np.exp(z - z.max(axis=1, keepdims=True))', 'z -= z.max(axis=1, keepdims=True)\n    e = np.exp(z)', 'The function changes the z of its caller: z -= ... writes into it. Compute a new array.'),
    ),
)


def observe(answer, rng):
    z = rng.normal(size=(3, 4))
    yield "3 rows of 4 logits", lambda: answer.softmax(z.copy())
    kept = z.copy()

    def unchanged():
        answer.softmax(z)
        same = bool((z == kept).all())
        z[:] = kept
        return same

    yield "z is unchanged", unchanged
    yield "as many rows as classes", lambda: answer.softmax(rng.normal(size=(3, 3)))
    yield "logits near 1000", lambda: answer.softmax(z + 1000)
    yield "one row near 1000, one near -1000", lambda: answer.softmax(z[:2] + [[1000.0], [-1000.0]])
    yield "one example", lambda: answer.softmax(z[:1].copy())
