"""A whole step of training.

The network is h = ReLU(x W1 + b1), z = h W2 + b2, with softmax and cross-entropy, mean over the
batch. `parameters` is a list of four arrays: W1, b1, W2, b2. Return the loss before the step, and
the list of the four new arrays after one step of gradient descent. Do not change the arrays you are
given.
"""

import numpy as np


def step(parameters, x, labels, learning_rate):
    W1, b1, W2, b2 = parameters
    ### BEGIN SOLUTION
    N = len(x)
    h = np.maximum(x @ W1 + b1, 0)
    z = h @ W2 + b2
    z = z - z.max(axis=1, keepdims=True)
    log_p = z - np.log(np.exp(z).sum(axis=1, keepdims=True))
    loss = -log_p[np.arange(N), labels].mean()
    dz = np.exp(log_p)
    dz[np.arange(N), labels] -= 1
    dz = dz / N
    dh = dz @ W2.T * (h > 0)
    slopes = x.T @ dh, dh.sum(axis=0), h.T @ dz, dz.sum(axis=0)
    return loss, [value - learning_rate * slope for value, slope in zip(parameters, slopes)]
    ### END SOLUTION
