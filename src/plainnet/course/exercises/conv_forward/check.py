"""Checks of `conv-forward`."""

from plainnet.course.exercise import Exercise, Fault

EXERCISE = Exercise(
    title="a convolution of a batch",
    place="A small window",
    needs=("forward",),
    points=2,
    hints=(
        "Go through all places (i, j). At each place, the window is x[:, i : i + K, j : j + K], of shape (N, K, K, C).",
        "At each place sum over K, K and C for every picture and filter: np.tensordot(window, W, axes=3) gives (N, F).",
        "y[:, i, j] = np.tensordot(x[:, i : i + K, j : j + K], W, axes=3) + b",
    ),
    faults=(
        Fault("bias-missing", "axes=3) + b", "axes=3)", "The bias is missing."),
        Fault("filter-turned", "np.tensordot(window, W, axes=3)", "np.tensordot(window, W[::-1, ::-1], axes=3)", "The filter is turned around. That is the mathematician's convolution; here it is used as it is."),
        Fault("filter-transposed", "np.tensordot(window, W, axes=3)", "np.tensordot(window, W.swapaxes(0, 1), axes=3)", "Rows and columns of the filter are exchanged."),
        Fault("first-channel-only", "np.tensordot(window, W, axes=3)", "np.tensordot(window[..., :1], W[:, :, :1], axes=3)", "Only the first channel is used; sum over all channels."),
        Fault("one-filter", "y[:, i, j] = np.tensordot(window, W, axes=3) + b", "y[:, i, j] = np.tensordot(window, W[..., :1], axes=3) + b", "Every map is computed with the first filter."),
        Fault("mean", "np.tensordot(window, W, axes=3)", "np.tensordot(window, W, axes=3) / W[..., 0].size", "This is a mean over the window; it is a sum."),
        Fault("last-place-missing", "for i in range(H - K + 1):\n        for j in range(V - K + 1):", "y[:] = 0\n    for i in range(H - K):\n        for j in range(V - K):", "The last row and column of places are left out: there are H - K + 1 of them."),
    ),
)


def observe(answer, rng):
    for N, H, V, C, K, F in ((2, 5, 6, 1, 3, 1), (2, 5, 4, 3, 2, 4), (1, 3, 3, 2, 3, 2)):
        x, W, b = rng.normal(size=(N, H, V, C)), rng.normal(size=(K, K, C, F)), rng.normal(size=F)
        yield f"x {x.shape}, W {W.shape}", lambda: answer.forward(x, W, b)
