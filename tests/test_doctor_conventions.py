"""Code that looks wrong but is right as the rest of the program uses it, and layers as small libraries write them."""

import pytest

from verdicts import findings_in, verdicts_in

DENSE = """
class Dense:
    def __init__(self, n_in, n_out):
        self.weights = np.random.rand(n_in, n_out) - 0.5
        self.bias = np.random.rand(1, n_out) - 0.5

    def forward(self, x):
        self.x = x
        return x @ self.weights + self.bias

    def backward(self, error, learning_rate):
        below = error @ self.weights.T
        {steps}
        return below
"""
SOFTMAX = """
class Softmax:
    def forward(self, z):
        e = np.exp(z - z.max(axis=1, keepdims=True))
        self.p = e / e.sum(axis=1, keepdims=True)
        return self.p

    def backward(self, dp):
        return dp * self.p * (1 - self.p)
"""
NEURONS = """
from random import random

def create_network(inputs, hidden, outputs):
    sizes = [(inputs + 1, hidden), (hidden + 1, outputs)]
    return [[{{"weights": [random() for _ in range(n)]}} for _ in range(units)] for n, units in sizes]

def forward(network, row):
    values = row
    for layer in network:
        for neuron in layer:
            *weights, bias = neuron["weights"]
            neuron["output"] = 1 / (1 + np.exp(-bias - sum(w * v for w, v in zip(weights, values))))
        values = [neuron["output"] for neuron in layer]
    return values

def backward(network, expected):
    for i in reversed(range(len(network))):
        for j, neuron in enumerate(network[i]):
            if i == len(network) - 1:
                error = expected[j] - neuron["output"]
            else:
                error = sum(above["weights"][j] * above["delta"] for above in network[i + 1])
            neuron["delta"] = error{slope}

def update(network, row, rate):
    values = row[:-1]
    for layer in network:
        for neuron in layer:
            for j, value in enumerate(values):
                neuron["weights"][j] += rate * neuron["delta"] * value
            neuron["weights"][-1] += rate * neuron["delta"]
        values = [neuron["output"] for neuron in layer]
"""
CASES = {
    "neurons as tables": (
        NEURONS.format(slope=' * neuron["output"] * (1 - neuron["output"])'),
        {"backward": "right", "update": "right"},
    ),
    "neurons as tables, without the derivative": (NEURONS.format(slope=""), {"backward": "undecidable"}),
    "a layer for one example at a time": (
        DENSE.format(steps="self.weights -= learning_rate * self.x.T @ error; self.bias -= learning_rate * error"),
        {"Dense": "right"},
    ),
    "a layer whose step adds": (
        DENSE.format(
            steps="self.weights += learning_rate * self.x.T @ error; self.bias += learning_rate * error.sum(axis=0)"
        ),
        {"Dense": "undecidable"},
    ),
    "a base class that cannot run alone": (
        """
        class Elementwise:
            def forward(self, x):
                self.x = x
                return self.f(x)

            def backward(self, dy):
                return dy * self.slope(self.x)

        class Tanh(Elementwise):
            def f(self, x):
                return np.tanh(x)

            def slope(self, x):
                return 1 - np.tanh(x) ** 2
        """,
        {"Elementwise": "right", "Tanh": "right"},
    ),
    "a softmax and a loss that are right together": (
        SOFTMAX
        + """
class CrossEntropy:
    def loss(self, p, target):
        return -np.sum(target * np.log(p))

    def gradient(self, p, target):
        return (p - target) / (p * (1 - p))
""",
        {"Softmax": "right"},
    ),
    "a softmax with the diagonal alone": (
        SOFTMAX,
        {"Softmax": "wrong"},
    ),
    "one of several activations is left to the loss": (
        """
        class Activation:
            def __init__(self, kind="tanh"):
                if kind not in ["tanh", "relu", "softmax"]:
                    raise ValueError(kind)
                self.kind = kind

            def forward(self, z):
                if self.kind == "tanh":
                    return np.tanh(z)
                elif self.kind == "relu":
                    return np.maximum(z, 0)
                elif self.kind == "softmax":
                    return np.exp(z) / np.exp(z).sum(axis=1, keepdims=True)

            def backward(self, z):
                if self.kind == "tanh":
                    return 1 - np.tanh(z) ** 2
                elif self.kind == "relu":
                    return np.where(z > 0, 1, 0)
                elif self.kind == "softmax":
                    return 1
        """,
        {"Activation.backward": "right"},
    ),
    "a loss with softmax inside, without a forward pass": (
        """
        class SoftmaxCrossEntropy:
            def backward(self, probabilities, y_true):
                if len(y_true.shape) == 2:
                    y_true = np.argmax(y_true, axis=1)
                self.dinputs = probabilities.copy()
                self.dinputs[range(len(probabilities)), y_true] -= 1
                self.dinputs = self.dinputs / len(probabilities)
        """,
        {"SoftmaxCrossEntropy.backward": "right"},
    ),
    "a loss that has its forward pass is judged by it": (
        """
        class BinaryCrossEntropy:
            def __call__(self, z, y):
                p = 1 / (1 + np.exp(-z))
                return np.sum((1 - y) * np.log(1 - p) - y * np.log(p)) / len(y)

            def backward(self, z, y):
                return (z - y) / len(y)
        """,
        {"BinaryCrossEntropy": "wrong"},
    ),
    "the identity": (
        """
        class Linear:
            def forward(self, inputs, training):
                self.output = inputs

            def backward(self, dvalues):
                self.dinputs = dvalues.copy()
        """,
        {"Linear": "right"},
    ),
    "a forward pass that returns a table": (
        """
        def init(n, m, k):
            return np.random.randn(m, n), np.zeros((m, 1)), np.random.randn(k, m), np.zeros((k, 1))

        def forward(x, w1, b1, w2, b2):
            z1 = x @ w1.T + b1.T
            a1 = np.maximum(z1, 0)
            z2 = a1 @ w2.T + b2.T
            e = np.exp(z2 - z2.max(axis=1, keepdims=True))
            return {"a1": a1, "z1": z1, "a2": e / e.sum(axis=1, keepdims=True), "z2": z2}

        def backward(y, w2, x, cache):
            d2 = cache["a2"] - y
            d1 = d2 @ w2 * (cache["z1"] > 0)
            dw2, db2 = d2.T @ cache["a1"] / len(y), d2.mean(axis=0, keepdims=True)
            dw1, db1 = d1.T @ x / len(y), d1.mean(axis=0, keepdims=True)
            return dw2, db2, dw1, db1
        """,
        {"backward": "right"},
    ),
    "a convolution of one image, channels last": (
        """
        class Conv:
            def __init__(self, channels, num_filters):
                self.filters = np.random.rand(channels, num_filters, 3, 3) / 9

            def forward(self, image):
                height, width, channels = image.shape
                self.image = image
                out = np.zeros((height - 2, width - 2, self.filters.shape[1]))
                for h in range(height - 2):
                    for w in range(width - 2):
                        for c in range(channels):
                            out[h, w] += np.sum(image[h:h + 3, w:w + 3, c] * self.filters[c], axis=(1, 2))
                return out

            def backward(self, dout, step):
                change, below = np.zeros(self.filters.shape), np.zeros(self.image.shape)
                for h in range(dout.shape[0]):
                    for w in range(dout.shape[1]):
                        for c in range(self.image.shape[2]):
                            for f in range(dout.shape[2]):
                                change[c, f] += dout[h, w, f] * self.image[h:h + 3, w:w + 3, c]
                                below[h:h + 3, w:w + 3, c] += dout[h, w, f] * self.filters[c, f]
                self.filters -= step * change
                return below
        """,
        {"Conv": "right"},
    ),
    "numbers in lists are not exchanged": (
        """
        import math

        def forward_pass(x, bias, target):
            e = [math.exp(x[j] + bias[j]) for j in range(2)]
            p = [e[j] / sum(e) for j in range(2)]
            return -math.log(p[target]), p

        def backward_pass(x, target, p):
            bias_derivative = [p[j] - (j != target) for j in range(2)]
            return bias_derivative

        if __name__ == "__main__":
            loss, p = forward_pass([0.5, 0.5], [0.0, 0.0], 1)
            backward_pass([0.5, 0.5], 1, p)
        """,
        {"backward_pass": "undecidable"},
    ),
    "batch normalization with rows as parameters": (
        """
        class BatchNorm:
            def __init__(self, input_dim):
                self.params = {"gamma": np.ones((1, input_dim)), "beta": np.zeros((1, input_dim))}
                self.grads = {}

            def forward(self, x):
                self.centered = x - x.mean(axis=0, keepdims=True)
                self.inverse = 1 / np.sqrt(x.var(axis=0, keepdims=True) + 1e-5)
                self.normal = self.centered * self.inverse
                return self.params["gamma"] * self.normal + self.params["beta"]

            def backward(self, grad):
                self.grads["gamma"] = np.sum(grad * self.normal, axis=0, keepdims=True)
                self.grads["beta"] = np.sum(grad, axis=0, keepdims=True)
                d = grad * self.params["gamma"]
                return self.inverse * (d - d.mean(axis=0) - self.normal * (d * self.normal).mean(axis=0))
        """,
        {"BatchNorm": "right"},
    ),
    "a network of layers that take their outputs first": (
        """
        class Linear:
            def __init__(self, output_size, input_size, weight_init):
                self.W = weight_init((output_size, input_size))
                self.b = np.zeros(output_size)

            def forward(self, x):
                self.x = x
                return self.W @ x + self.b

            def backward(self, grad):
                self.b_grad, self.W_grad = grad, np.outer(grad, self.x)
                return self.W.T @ grad

        def normal(shape):
            return np.random.randn(*shape)

        class Net:
            def __init__(self, layers):
                self.layers = layers

            def predict(self, x):
                for layer in self.layers:
                    x = layer.forward(x)
                return x

            def backward(self, grad):
                for layer in reversed(self.layers):
                    grad = layer.backward(grad)
                return grad
        """,
        {"Linear": "right", "Net": "right"},
    ),
    "sizes with one letter before nodes": (
        """
        class Network:
            def __init__(self, inodes, onodes, hnodes, lr):
                self.inodes, self.onodes, self.hnodes, self.lr = inodes, onodes, hnodes, lr
                self.wih = np.random.normal(0.0, pow(self.hnodes, -0.5), (self.hnodes, self.inodes))
                self.who = np.random.normal(0.0, pow(self.onodes, -0.5), (self.onodes, self.hnodes))

            def query(self, inputs_list):
                hidden = 1 / (1 + np.exp(-self.wih @ np.array(inputs_list, ndmin=2).T))
                return 1 / (1 + np.exp(-self.who @ hidden))

            def train(self, inputs_list, targets_list):
                inputs = np.array(inputs_list, ndmin=2).T
                targets = np.array(targets_list, ndmin=2).T
                hidden = 1 / (1 + np.exp(-self.wih @ inputs))
                final = 1 / (1 + np.exp(-self.who @ hidden))
                delta = (targets - final) * final * (1 - final)
                below = self.who.T @ delta * hidden * (1 - hidden)
                self.who += self.lr * delta @ hidden.T
                self.wih += self.lr * below @ inputs.T
        """,
        {"Network": "right"},
    ),
    "a recurrent cell that is made from its weights": (
        """
        class RNN:
            def __init__(self, Wx, Wh, b):
                self.params = [Wx, Wh, b]
                self.grads = [np.zeros_like(Wx), np.zeros_like(Wh), np.zeros_like(b)]

            def forward(self, x, h_prev):
                Wx, Wh, b = self.params
                h_next = np.tanh(h_prev @ Wh + x @ Wx + b)
                self.cache = (x, h_prev, h_next)
                return h_next

            def backward(self, dh_next):
                Wx, Wh, b = self.params
                x, h_prev, h_next = self.cache
                dt = dh_next * (1 - h_next**2)
                self.grads[0][...] = x.T @ dt
                self.grads[1][...] = h_prev.T @ dt
                self.grads[2][...] = dt.sum(axis=0)
                return dt @ Wx.T, dt @ Wh.T
        """,
        {"RNN": "right"},
    ),
    "a recurrent cell of one step, whose gradients add up over a sequence": (
        """
        class Cell:
            def __init__(self, input_size, hidden_size):
                self.W = np.random.randn(hidden_size, input_size)
                self.U, self.b = np.random.randn(hidden_size, hidden_size), np.random.randn(hidden_size)
                self.dW, self.dU, self.db = np.zeros_like(self.W), np.zeros_like(self.U), np.zeros_like(self.b)

            def forward(self, x, h_prev):
                self.x, self.before = x, h_prev
                self.h = np.tanh(self.W @ x + self.U @ h_prev + self.b)
                return self.h

            def backward(self, delta):
                d = delta * (1 - self.h**2)
                self.dW += np.outer(d, self.x)
                self.dU += np.outer(d, self.before)
                self.db += d
                return d @ self.W, d @ self.U
        """,
        {"Cell": "right"},
    ),
    "a recurrent cell that exchanges its matrices": (
        """
        class RNN:
            def __init__(self, Wx, Wh):
                self.Wx, self.Wh = Wx, Wh

            def forward(self, x, h_prev):
                self.x, self.h_prev = x, h_prev
                self.h = np.tanh(h_prev @ self.Wh + x @ self.Wx)
                return self.h

            def backward(self, dh):
                dt = dh * (1 - self.h**2)
                self.dWx, self.dWh = self.x.T @ dt, self.h_prev.T @ dt
                return dt @ self.Wh.T
        """,
        {"RNN": "wrong"},
    ),
    "functions of a class without self": (
        """
        class Transfer:
            def linear(x, Derivative=False):
                return x if not Derivative else 1.0

            def gaussian(x, Derivative=False):
                return np.exp(-(x**2)) if not Derivative else -2 * x * np.exp(-(x**2))
        """,
        {"Transfer.linear": "right", "Transfer.gaussian": "right"},
    ),
    "the identity, which keeps its input": (
        """
        class Identity:
            def forward(self, Z):
                self.A = Z
                return self.A

            def backward(self, dLdA):
                return dLdA * np.ones(self.A.shape)
        """,
        {"Identity": "right"},
    ),
    "a network needs no gradient with respect to its input": (
        DENSE.format(
            steps="self.weights -= learning_rate * self.x.T @ error; self.bias -= learning_rate * error.sum(0)"
        )
        + """
class Net:
    def __init__(self, layers):
        self.layers = layers

    def forward(self, x):
        for layer in self.layers:
            x = layer.forward(x)
        return x

    def backward(self, error, learning_rate):
        for layer in self.layers[::-1]:
            error = layer.backward(error, learning_rate)
""",
        {"Dense": "right", "Net": "right"},
    ),
    "steps that take pairs": (
        """
        class Network:
            def __init__(self, sizes):
                self.biases = [np.random.randn(y, 1) for y in sizes[1:]]
                self.weights = [np.random.randn(y, x) for x, y in zip(sizes[:-1], sizes[1:])]

            def feedforward(self, a):
                for b, w in zip(self.biases, self.weights):
                    a = np.tanh(w @ a + b)
                return a

            def SGD(self, training_data, epochs, mini_batch_size, eta):
                for _ in range(epochs):
                    np.random.shuffle(training_data)
                    for k in range(0, len(training_data), mini_batch_size):
                        self.update_mini_batch(training_data[k : k + mini_batch_size], eta)

            def update_mini_batch(self, mini_batch, eta):
                sums = [[np.zeros(w.shape) for w in self.weights], [np.zeros(b.shape) for b in self.biases]]
                for x, y in mini_batch:
                    sums = [[s + g for s, g in zip(*pair)] for pair in zip(sums, self.backprop(x, y))]
                self.weights = [w - eta / len(mini_batch) * s for w, s in zip(self.weights, sums[0])]
                self.biases = [b - eta / len(mini_batch) * s for b, s in zip(self.biases, sums[1])]

            def backprop(self, x, y):
                outputs = [x]
                for b, w in zip(self.biases, self.weights):
                    outputs.append(np.tanh(w @ outputs[-1] + b))
                delta, grad_w, grad_b = (outputs[-1] - y) * (1 - outputs[-1] ** 2), [], []
                for i in range(len(self.weights) - 1, -1, -1):
                    grad_w.insert(0, delta @ outputs[i].T)
                    grad_b.insert(0, delta)
                    delta = self.weights[i].T @ delta * (1 - outputs[i] ** 2)
                return grad_w, grad_b
        """,
        {"Network": "right", "Network.update_mini_batch": "right", "Network.SGD": None},
    ),
    "a network that is put together by calls": (
        DENSE.format(steps="self.weights -= learning_rate * self.x.T @ error; self.bias -= learning_rate * error")
        + """
def mse(y_true, y_pred):
    return np.mean((y_true - y_pred) ** 2)

def mse_prime(y_true, y_pred):
    return 2 * (y_pred - y_true) / y_true.size

class Network:
    def __init__(self):
        self.layers, self.loss, self.loss_prime = [], None, None

    def add(self, layer):
        self.layers.append(layer)

    def use(self, loss, loss_prime):
        self.loss, self.loss_prime = loss, loss_prime

    def predict(self, inputs):
        result = []
        for output in inputs:
            for layer in self.layers:
                output = layer.forward(output)
            result.append(output)
        return result

    def fit(self, x_train, y_train, epochs, learning_rate):
        for _ in range(epochs):
            for x, y in zip(x_train, y_train):
                for layer in self.layers:
                    x = layer.forward(x)
                error = self.loss_prime(y, x)
                for layer in reversed(self.layers):
                    error = layer.backward(error, learning_rate)
""",
        {"Dense": "right", "Network": "right"},
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_the_verdict(tmp_path, case):
    text, wanted = CASES[case]
    found = verdicts_in(tmp_path, text)
    assert {name: found.get(name) for name in wanted} == wanted


def test_a_softmax_that_shifts_its_input_gets_a_remark(tmp_path):
    (finding,) = findings_in(
        tmp_path,
        """
            class Softmax:
                def forward(self, z):
                    z -= np.max(z)
                    self.p = np.exp(z) / np.exp(z).sum(axis=1, keepdims=True)
                    return self.p

                def backward(self, dp):
                    return self.p * (dp - (dp * self.p).sum(axis=1, keepdims=True))
            """,
    )
    assert (finding.verdict, [remark.name for remark in finding.remarks]) == ("right", ["input-edited-in-place"])
