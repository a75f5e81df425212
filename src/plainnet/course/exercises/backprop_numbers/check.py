"""Checks of `backprop-numbers`."""

import numpy as np

from plainnet.course.exercise import Exercise, Fault

EXERCISE = Exercise(
    title="predict every gradient of a network of 2-2-2",
    place="Backward, with numbers",
    needs=("h_z", "dW2", "dh", "dW1"),
    points=2,
    tells=False,
    tolerance=0.002,
    hints=(
        "Go forward first and write everything down: h_z, h, z, p. Then go back in the reverse order.",
        "dz = p - t; dW2[i, j] = h[i] dz[j]; dh[i] = sum over j of W2[i, j] dz[j]; where h_z is negative, nothing passes.",
        "np.outer(h, dz) is dW2, W2 @ dz is dh, and np.outer(x, dh * (h_z > 0)) is dW1.",
    ),
    faults=(
        Fault("relu-mask-missing", "dh * (h_z > 0)", "dh", "The gradient passes where the ReLU was closed: multiply dh by (h_z > 0)."),
        Fault("weight-not-transposed-in-dx", "dh = W2 @ dz", "dh = dz @ W2", "Going back, W2 is used the other way round: dh[i] sums W2[i, j] dz[j] over j."),
        Fault("transposed-gradient", "np.outer(h, dz)", "np.outer(dz, h)", "dW2 is transposed: W2[i, j] leads from hidden neuron i to output j."),
        Fault("one-hot-missing", "dz = p - t", "dz = p", "The target is missing in dz = p - t."),
        Fault("sign-flipped", "dz = p - t", "dz = t - p", "The sign is wrong: dz = p - t."),
        Fault("before-relu", "np.outer(h, dz)", "np.outer(h_z, dz)", "The second layer sees h, after the ReLU, not h_z."),
        Fault("relu-of-input", "np.outer(x, dh", "np.outer(h, dh", "The first layer sees x: dW1[i, j] = x[i] times the slope of hidden neuron j."),
        Fault("of-the-text", "h_z = x @ W1 + b1", "x = np.array([1.0, 2.0])\nh_z = x @ W1 + b1", "These are the numbers of the lesson's input (1, 2). Here x is (2, 1)."),
    ),
)


def observe(answer, rng):
    for name in EXERCISE.needs:
        value = getattr(answer, name)
        yield name, lambda: value if value is None else np.array(value, dtype=float)
