"""Derivatives and losses that are not two plain functions, and layers as courses write them, each with its verdict."""

import textwrap

import numpy as np
import pytest

from plainnet.checks.code.worker import examined
from verdicts import verdicts_in

CASES = {
    "a derivative with other words in its name": (
        """
        def ReLu(Z):
            return np.maximum(0, Z)

        def derive_RelU(Z):
            return Z > 0

        def tanh2deriv(output):
            return 1 - output**2

        def derivative_leaky(x):
            return np.where(x > 0, 1, 0.01)

        def sigmoid_output_to_derivative(output):
            return output * (1 - output)
        """,
        dict.fromkeys(("derive_RelU", "tanh2deriv", "derivative_leaky", "sigmoid_output_to_derivative"), "right"),
    ),
    "activations chosen by a word": (
        """
        class Net:
            def activate(self, z, kind, deriv=False):
                if kind == "relu":
                    return z * (z > 0) if not deriv else z > 0
                elif kind == "tanh":
                    return np.tanh(z) if not deriv else 1 - np.tanh(z) ** 2
        """,
        {"Net.activate": "right"},
    ),
    "one of several activations is wrong": (
        """
        class Net:
            def activate(self, z, kind, deriv=False):
                if kind == "relu":
                    return z * (z > 0) if not deriv else z > 0
                elif kind == "tanh":
                    return np.tanh(z) if not deriv else 1 - np.tanh(z)
        """,
        {"Net.activate": "wrong"},
    ),
    "a layer that gives its derivative at x": (
        """
        class Sigmoid:
            def forward(self, x):
                return 1 / (1 + np.exp(-x))

            def backward(self, x):
                return self.forward(x) * (1 - self.forward(x))
        """,
        {"Sigmoid.backward": "right"},
    ),
    "layers whose derivative takes their output": (
        """
        class Tanh:
            def __call__(self, x):
                return np.tanh(x)

            def backward(self, out):
                return 1 - out**2
        """,
        {"Tanh.backward": "right"},
    ),
    "gradients that are limited on purpose": (
        """
        class Scale:
            def __init__(self, n):
                self.W = np.random.randn(n, n)

            def forward(self, x):
                self.x = x
                return x @ self.W

            def backward(self, dout):
                dout = np.clip(dout, -0.1, 0.1)
                self.dW = self.x.T @ dout
                return dout @ self.W.T
        """,
        {"Scale": "undecidable"},
    ),
    "a convolution whose upstream gradient has a default": (
        """
        class Convolution:
            def __init__(self, W, b, stride=1):
                self.W, self.b, self.stride = W, b, stride

            def forward(self, x):
                FN, C, FH, FW = self.W.shape
                N, C, H, W = x.shape
                out_h, out_w = 1 + (H - FH) // self.stride, 1 + (W - FW) // self.stride
                rows = [
                    x[:, :, i * self.stride : i * self.stride + FH, j * self.stride : j * self.stride + FW]
                    for i in range(out_h)
                    for j in range(out_w)
                ]
                self.x, self.col = x, np.stack(rows, axis=1).reshape(N * out_h * out_w, -1)
                out = self.col @ self.W.reshape(FN, -1).T + self.b
                return out.reshape(N, out_h, out_w, -1).transpose(0, 3, 1, 2)

            def backward(self, dout=1):
                FN, C, FH, FW = self.W.shape
                N, _, out_h, out_w = dout.shape
                dout = dout.transpose(0, 2, 3, 1).reshape(-1, FN)
                self.db = np.sum(dout, axis=0)
                self.dW = np.dot(self.col.T, dout).transpose(1, 0).reshape(FN, C, FH, FW)
                dcol = (dout @ self.W.reshape(FN, -1)).reshape(N, out_h, out_w, C, FH, FW)
                dx = np.zeros_like(self.x)
                s = self.stride
                for i in range(out_h):
                    for j in range(out_w):
                        dx[:, :, i * s : i * s + FH, j * s : j * s + FW] += dcol[:, i, j]
                return dx
        """,
        {"Convolution": "right"},
    ),
    "pairs of sizes by default": (
        """
        class Pool:
            def __init__(self, k_size=(2, 2), stride=(2, 2)):
                self.k, self.stride = k_size, stride

            def forward(self, x):
                (kh, kw), (sh, sw) = self.k, self.stride
                n, h, w, c = x.shape
                self.shape, self.out = x.shape, ((h - kh) // sh + 1, (w - kw) // sw + 1)
                y = np.zeros((n, *self.out, c))
                for i in range(self.out[0]):
                    for j in range(self.out[1]):
                        y[:, i, j] = x[:, i * sh : i * sh + kh, j * sw : j * sw + kw].mean(axis=(1, 2))
                return y

            def backward(self, grad):
                (kh, kw), (sh, sw) = self.k, self.stride
                dx = np.zeros(self.shape)
                for i in range(self.out[0]):
                    for j in range(self.out[1]):
                        dx[:, i * sh : i * sh + kh, j * sw : j * sw + kw] += grad[:, i : i + 1, j : j + 1] / (kh * kw)
                return dx
        """,
        {"Pool": "right"},
    ),
    "one of the activations in a table is wrong": (
        """
        FORWARD = {"tanh": np.tanh, "relu": lambda x: np.maximum(x, 0)}
        BACKWARD = {"tanh": lambda x: 1 - x**2, "relu": lambda x: x > 0}

        class Activation:
            def __init__(self, name):
                assert name in FORWARD.keys()
                self.f, self.df = FORWARD[name], BACKWARD[name]

            def forward(self, x):
                self.input = x
                return self.f(x)

            def backward(self, gradient):
                return gradient * self.df(self.input)
        """,
        {"Activation": "wrong"},
    ),
    "the activations in a table are right": (
        """
        class Activation:
            SUPPORTED = ("tanh", "relu")

            def __init__(self, name):
                if name not in self.SUPPORTED:
                    raise ValueError(name)
                self.name = name

            def forward(self, x):
                self.output = np.tanh(x) if self.name == "tanh" else np.maximum(x, 0)
                return self.output

            def backward(self, gradient):
                return gradient * (1 - self.output**2 if self.name == "tanh" else self.output > 0)
        """,
        {"Activation": "right"},
    ),
    "recurrent cells with examples in rows": (
        """
        def rnn_step_forward(x, prev_h, Wx, Wh, b):
            next_h = np.tanh(x.dot(Wx) + prev_h.dot(Wh) + b)
            return next_h, (x, prev_h, Wx, Wh, next_h)

        def rnn_step_backward(dnext_h, cache):
            x, prev_h, Wx, Wh, next_h = cache
            da = dnext_h * (1 - next_h**2)
            return da.dot(Wx.T), da.dot(Wh.T), x.T.dot(da), prev_h.T.dot(da), da.sum(axis=0)

        def lstm_step_forward(x, prev_h, prev_c, Wx, Wh, b):
            H = prev_h.shape[1]
            a = x.dot(Wx) + prev_h.dot(Wh) + b
            i, f, o = (1 / (1 + np.exp(-a[:, k * H : (k + 1) * H])) for k in range(3))
            g = np.tanh(a[:, 3 * H :])
            next_c = f * prev_c + i * g
            next_h = o * np.tanh(next_c)
            return next_h, next_c, (x, prev_h, prev_c, Wx, Wh, i, f, o, g, next_c)

        def lstm_step_backward(dnext_h, dnext_c, cache):
            x, prev_h, prev_c, Wx, Wh, i, f, o, g, next_c = cache
            dc = dnext_c + dnext_h * o * (1 - np.tanh(next_c) ** 2)
            di, df, do, dg = dc * g, dc * prev_c, dnext_h * np.tanh(next_c), dc * i
            da = np.hstack((di * i * (1 - i), df * f * (1 - f), do * o * (1 - o), dg * (1 - g**2)))
            dprev_c = dc * f
            return da.dot(Wx.T), da.dot(Wh.T), dprev_c, x.T.dot(da), prev_h.T.dot(da), da.sum(axis=0)

        def rnn_all_forward(x, h_prev, Wx, Wh, b):
            h, caches = np.zeros((*x.shape[:2], h_prev.shape[1])), []
            for t in range(x.shape[1]):
                h_prev, cache = rnn_step_forward(x[:, t], h_prev, Wx, Wh, b)
                h[:, t] = h_prev
                caches.append(cache)
            return h, caches

        def rnn_all_backward(dh, caches):
            dx, dprev, dWx, dWh, db = [], 0, 0, 0, 0
            for t in reversed(range(dh.shape[1])):
                one, dprev, *grads = rnn_step_backward(dh[:, t] + dprev, caches[t])
                dx.insert(0, one)
                dWx, dWh, db = dWx + grads[0], dWh + grads[1], db + grads[2]
            return np.stack(dx, axis=1), dWx, dWh, db

        def word_embedding_forward(x, W):
            return W[x, :], (x, W)

        def word_embedding_backward(dout, cache):
            x, W = cache
            dW = np.zeros_like(W)
            np.add.at(dW, x, dout)
            return dW

        def temporal_softmax_loss(x, y, mask):
            N, T, V = x.shape
            scores, classes, kept = x.reshape(N * T, V), y.reshape(N * T), mask.reshape(N * T)
            p = np.exp(scores - scores.max(axis=1, keepdims=True))
            p /= p.sum(axis=1, keepdims=True)
            loss = -np.sum(kept * np.log(p[np.arange(N * T), classes])) / N
            dscores = p.copy()
            dscores[np.arange(N * T), classes] -= 1
            dx = (dscores * kept[:, None] / N).reshape(N, T, V)
            return loss, dx
        """,
        dict.fromkeys(
            (
                "rnn_step_backward",
                "rnn_all_backward",
                "lstm_step_backward",
                "word_embedding_backward",
                "temporal_softmax_loss",
            ),
            "right",
        ),
    ),
    "a recurrent cell that forgets the slope of tanh": (
        """
        def rnn_step_forward(x, prev_h, Wx, Wh, b):
            next_h = np.tanh(x.dot(Wx) + prev_h.dot(Wh) + b)
            return next_h, (x, prev_h, Wx, Wh)

        def rnn_step_backward(dnext_h, cache):
            x, prev_h, Wx, Wh = cache
            return (
                dnext_h.dot(Wx.T), dnext_h.dot(Wh.T), x.T.dot(dnext_h), prev_h.T.dot(dnext_h), dnext_h.sum(axis=0)
            )
        """,
        {"rnn_step_backward": "wrong"},
    ),
    "backward passes of a course without their forward passes": (
        """
        def linear_backward(dZ, cache):
            A_prev, W, b = cache
            m = A_prev.shape[1]
            dW = np.dot(dZ, A_prev.T) / m
            db = np.sum(dZ, axis=1, keepdims=True) / m
            dA_prev = np.dot(W.T, dZ)
            return dA_prev, dW, db

        def rnn_cell_backward(da_next, cache):
            a_next, a_prev, xt, parameters = cache
            dtanh = (1 - a_next**2) * da_next
            return {
                "dxt": np.dot(parameters["Wax"].T, dtanh), "dWax": np.dot(dtanh, xt.T),
                "da_prev": np.dot(parameters["Waa"].T, dtanh), "dWaa": np.dot(dtanh, a_prev.T),
                "dba": np.sum(dtanh, axis=1, keepdims=True),
            }
        """,
        {"linear_backward": "right", "rnn_cell_backward": "right"},
    ),
    "losses with a flag": (
        """
        def squares(p, y, deriv=False):
            if deriv:
                return 2 * (p - y) / p.size
            return np.mean((p - y) ** 2)

        def entropy(p, y, deriv=False):
            if deriv:
                return y / p / len(y)
            return -np.sum(y * np.log(p)) / len(y)
        """,
        {"squares": "right", "entropy": "wrong"},
    ),
    "losses as methods": (
        """
        class Net:
            @staticmethod
            def square_loss(outputs, targets):
                return np.mean((outputs - targets) ** 2)

            @staticmethod
            def square_loss_derivative(outputs, targets):
                return 2 * (outputs - targets) / outputs.size

            @staticmethod
            def log_loss(outputs, targets):
                return -np.mean(targets * np.log(outputs) + (1 - targets) * np.log(1 - outputs))

            @staticmethod
            def log_loss_derivative(outputs, targets):
                return (targets / outputs - (1 - targets) / (1 - outputs)) / outputs.size
        """,
        {"Net.square_loss_derivative": "right", "Net.log_loss_derivative": "wrong"},
    ),
    "a cost with the gradient before the activation": (
        """
        def sigmoid(z):
            return 1 / (1 + np.exp(-z))

        class CrossEntropyCost:
            @staticmethod
            def fn(a, y):
                return np.sum(-y * np.log(a) - (1 - y) * np.log(1 - a))

            @staticmethod
            def delta(z, a, y):
                return a - y
        """,
        {"CrossEntropyCost.delta": "right"},
    ),
    "the gradient of a loss that the file does not define": (
        """
        class Net:
            def cost_derivative(self, output_activations, y):
                return output_activations - y
        """,
        {"Net.cost_derivative": "right"},
    ),
    "a sum as the loss, a mean as its gradient": (
        """
        def entropy_loss(scores, y):
            p = np.exp(scores) / np.sum(np.exp(scores), axis=1, keepdims=True)
            loss = -np.sum(y * np.log(p))
            return loss, (p - y) / len(y)
        """,
        {"entropy_loss": "right"},
    ),
    "a layer given an activation and its derivative": (
        """
        def sigmoid(x):
            return 1 / (1 + np.exp(-x))

        class Activation:
            def __init__(self, activation, activation_prime):
                self.activation, self.activation_prime = activation, activation_prime

            def forward(self, input):
                self.input = input
                return self.activation(input)

            def backward(self, output_gradient, learning_rate):
                return output_gradient * self.activation_prime(self.input)
        """,
        {"Activation": "right"},
    ),
    "training data whose names end in X and Y": (
        """
        class Net:
            def __init__(self, nodes):
                self.W = np.random.randn(nodes[0], nodes[1])

            def forward_pass(self, input):
                self.output = 1 / (1 + np.exp(-(input @ self.W)))
                return self.output

            def backward_pass(self, train_data_X, train_data_Y, iterations, learning_rate):
                for _ in range(iterations):
                    self.forward_pass(train_data_X)
                    delta = (self.output - train_data_Y) * self.output * (1 - self.output)
                    self.W -= learning_rate * train_data_X.T @ delta
        """,
        {"Net": "right"},
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_the_verdict(tmp_path, case):
    text, wanted = CASES[case]
    found = verdicts_in(tmp_path, text)
    assert {name: found.get(name) for name in wanted} == wanted


def test_operators_that_fail_for_a_number_are_not_right(tmp_path):
    (tmp_path / "tensor.py").write_text(
        textwrap.dedent(
            """
            import numpy as np

            class Tensor:
                def __init__(self, data):
                    self.data = np.asarray(data, float)
                    self.grad, self._backward, self._inputs = np.zeros_like(self.data), lambda: None, ()

                def __mul__(self, other):
                    other = other if isinstance(other, Tensor) else Tensor(other)
                    out = Tensor(self.data * other.data)
                    out._inputs = (self, other)

                    def _backward():
                        self.grad += other.data * out.grad
                        other.grad += self.data * out.grad

                    out._backward = _backward
                    return out

                def relu(self):
                    out = Tensor(np.maximum(self.data, 0))
                    out._inputs = (self,)

                    def _backward():
                        self.grad += (self.data > 0) * out.grad

                    out._backward = _backward
                    return out

                def backward(self, grad=None):
                    self.grad = np.ones_like(self.data) if grad is None else grad
                    self._spread()

                def _spread(self):
                    self._backward()
                    for one in self._inputs:
                        one._spread()
            """
        )
    )
    with np.errstate(all="ignore"):
        found = {finding.name: finding for finding in examined(tmp_path / "tensor.py").findings}
    assert found["Tensor.relu"].verdict == "right"
    assert found["Tensor.__mul__"].verdict == "undecidable"
    assert "if one operand is a number" in found["Tensor.__mul__"].evidence
