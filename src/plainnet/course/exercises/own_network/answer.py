"""A network of your own.

Write a network from first principles, in NumPy alone, that reads at least 98 % of MNIST. Its parts:

- `initial(rng)` returns the four arrays W1, b1, W2, b2;
- `forward(W1, b1, W2, b2, x)` returns the probabilities of the 10 classes, (N, 10), for x of shape
  (N, 784);
- `loss_and_gradients(W1, b1, W2, b2, x, labels)` returns the loss, a mean over the batch, and dW1,
  db1, dW2, db2 in a list;
- `train(x, labels, rng)` returns the four arrays after training on all the given pictures.

The check hands `train` 50,000 pictures, x of shape (50000, 784) in float32 from 0 to 1, and labels
from 0 to 9, and waits up to four minutes. Aim a little higher than 98 %: chance moves the figure by
0.14 points. `plainnet doctor` examines your gradients. Leave out code that would start training
when the file is imported.
"""

import numpy as np

### BEGIN SOLUTION


def initial(rng, D=784, M=300, K=10):
    return [
        rng.normal(scale=np.sqrt(2 / D), size=(D, M)),
        np.zeros(M),
        rng.normal(scale=np.sqrt(2 / M), size=(M, K)),
        np.zeros(K),
    ]


def forward(W1, b1, W2, b2, x):
    h = np.maximum(x @ W1 + b1, 0)
    z = h @ W2 + b2
    e = np.exp(z - z.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


def loss_and_gradients(W1, b1, W2, b2, x, labels):
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
    return loss, [x.T @ dh, dh.sum(axis=0), h.T @ dz, dz.sum(axis=0)]


def train(x, labels, rng, epochs=12, batch_size=100, learning_rate=0.1, momentum=0.9):
    x = x.astype(np.float32)
    parameters = [value.astype(np.float32) for value in initial(rng)]
    velocities = [np.zeros_like(value) for value in parameters]
    for epoch in range(epochs):
        rate = learning_rate * (1 - epoch / epochs)
        order = rng.permutation(len(x))
        for start in range(0, len(x), batch_size):
            rows = order[start : start + batch_size]
            _, gradients = loss_and_gradients(*parameters, x[rows], labels[rows])
            velocities = [momentum * v - rate * g for v, g in zip(velocities, gradients)]
            parameters = [value + v for value, v in zip(parameters, velocities)]
    return parameters


### BEGIN STARTER
#
#
# def initial(rng):
#     raise NotImplementedError  # replace this line
#
#
# def forward(W1, b1, W2, b2, x):
#     raise NotImplementedError  # replace this line
#
#
# def loss_and_gradients(W1, b1, W2, b2, x, labels):
#     raise NotImplementedError  # replace this line
#
#
# def train(x, labels, rng):
#     raise NotImplementedError  # replace this line
#
#
### END SOLUTION
