import numpy as np


class Affine:
    def __init__(self, W, b):
        self.W, self.b = W, b

    def forward(self, x):
        self.x = x
        return x @ self.W + self.b

    def backward(self, dy):
        self.dW, self.db = self.x.T @ dy, dy.sum(axis=0)
        return dy @ self.W.T


class SmallNet:
    def __init__(self, input_size, hidden_size, output_size):
        self.params = {
            "W1": 0.3 * np.random.randn(input_size, hidden_size),
            "b1": np.zeros(hidden_size),
            "W2": 0.3 * np.random.randn(hidden_size, output_size),
            "b2": np.zeros(output_size),
        }
        self.first = Affine(self.params["W1"], self.params["b1"])
        self.second = Affine(self.params["W2"], self.params["b2"])

    def loss(self, x, t):
        z = self.second.forward(np.tanh(self.first.forward(x)))
        e = np.exp(z - z.max(axis=1, keepdims=True))
        self.p = e / e.sum(axis=1, keepdims=True)
        return -np.sum(t * np.log(self.p)) / len(x)

    def gradient(self, x, t):
        self.loss(x, t)
        dh = self.second.backward((self.p - t) / len(x))
        self.first.backward(dh * (1 - self.second.x**2))
        return {"W1": self.first.dW, "b1": self.first.db, "W2": self.second.dW, "b2": self.second.db}
