"""What counts as evidence: a number fits every factor, one unit hides a sum over units, a wrong product all others."""

import pytest

from plainnet.checks.code.worker import examine_path
from verdicts import HEAD, findings_in, verdicts_in

COLUMNS = """
def linear_forward(A, W, b):
    return np.dot(W, A) + b, (A, W, b)

def linear_backward(dZ, cache):
    A, W, b = cache
    m = A.shape[1]
    return np.dot(W.T, dZ), np.dot(dZ, A.T) / m, np.sum(dZ{axis}) / m
"""


@pytest.mark.parametrize(("axis", "verdict"), [(", axis=1, keepdims=True", "right"), ("", "wrong")])
def test_a_bias_for_all_units_does_not_hide_a_sum_over_the_units(tmp_path, axis, verdict):
    (found,) = findings_in(tmp_path, COLUMNS.format(axis=axis))
    assert found.verdict == verdict
    assert found.diagnosis == (None if verdict == "right" else "bias-gradient-summed-over-units")


ONE_UNIT = """
def softmax(z):
    e = np.exp(z - z.max(axis=0, keepdims=True))
    return e / e.sum(axis=0, keepdims=True)

def forward(x, y, cache, l):
    a = x
    for i in range(l):
        if "w" + str(i) not in cache:
            cache["w" + str(i)] = np.random.randn(1, a.shape[0])
            cache["b" + str(i)] = np.random.randn(1, 1)
        a = softmax(cache["w" + str(i)] @ a + cache["b" + str(i)])
        cache["a" + str(i)] = a
    return cache, a

def backward(x, y, cache, a, l, lr):
    dz = a - y
    for i in reversed(range(l)):
        before = x if i == 0 else cache["a" + str(i - 1)]
        cache["w" + str(i)] -= lr * (dz @ before.T){more}
        cache["b" + str(i)] -= lr * dz.sum(axis=1, keepdims=True)
    return cache

x, y, table = np.random.randn(4, 120), np.random.randint(0, 3, 120), {{}}
for step in range(20):
    table, out = forward(x, y, table, 1)
    table = backward(x, y, table, out, 1, 0.01)
"""


@pytest.mark.parametrize("more", ["", " + 0.01 * cache['w' + str(i)]"])
def test_a_loss_is_not_proven_by_one_number_or_by_its_penalty(tmp_path, more):
    found = verdicts_in(tmp_path, ONE_UNIT.format(more=more))
    assert found["backward"] == "undecidable"


ENGINE = """
import math

class Value:
    def __init__(self, data, children=()):
        self.data = data
        self.grad = 0.0
        self._backward = lambda: None
        self._prev = set(children)

    def __add__(self, other):
        other = other if isinstance(other, Value) else Value(other)
        out = Value(self.data + other.data, (self, other))
        def _backward():
            self.grad += out.grad
            other.grad += out.grad
        out._backward = _backward
        return out

    def __mul__(self, other):
        other = other if isinstance(other, Value) else Value(other)
        out = Value(self.data * other.data, (self, other))
        def _backward():
            self.grad += other.{of} * out.grad
            other.grad += self.{of} * out.grad
        out._backward = _backward
        return out

    def __neg__(self):
        return self * -1

    def tanh(self):
        t = math.tanh(self.data)
        out = Value(t, (self,))
        def _backward():
            self.grad += (1 - t ** 2) * {upstream}
        out._backward = _backward
        return out

    def backward(self):
        order, seen = [], set()
        def visit(node):
            if node not in seen:
                seen.add(node)
                for child in node._prev:
                    visit(child)
                order.append(node)
        visit(self)
        self.grad = 1.0
        for node in reversed(order):
            node._backward()
"""


@pytest.mark.parametrize("of", ["data", "grad"])
@pytest.mark.parametrize("upstream", ["out.grad", "1.0"])
def test_a_product_that_is_wrong_does_not_hide_the_other_operations(tmp_path, of, upstream):
    found = verdicts_in(tmp_path, ENGINE.format(of=of, upstream=upstream))
    assert found["Value.__add__"] == found["Value.backward"] == "right"
    assert found["Value.__mul__"] == ("right" if of == "data" else "wrong")
    assert found["Value.tanh"] == ("right" if upstream == "out.grad" else "wrong")
    assert found.get("Value.__neg__") != "wrong"


OWN_ARRAYS = """
class Tensor:
    def __init__(self, value, requires_grad=False):
        self.data = value
        self.grad = np.zeros_like(value) if requires_grad else None

class Linear:
    def __init__(self, n_in, n_out):
        self.weights = Tensor(np.random.randn(n_in, n_out), True)
        self.bias = Tensor(np.zeros(n_out), True)

    def forward(self, x: Tensor) -> Tensor:
        self.x = x.data
        return Tensor(x.data @ self.weights.data + self.bias.data)

    def backward(self, grad):
        self.weights.grad = self.x.T @ grad{power}
        self.bias.grad = grad.sum(axis=0)
        return grad @ self.weights.data.T
"""
LOSS_AND_GRADIENT = """
class SoftmaxLoss:
    def get_loss(self, scores, labels):
        p = np.exp(scores - np.max(scores, axis=1, keepdims=True))
        p = p / np.sum(p, axis=1, keepdims=True)
        loss = np.mean(-np.log(p[np.arange(len(labels)), labels]))
        one_hot = np.zeros(scores.shape)
        one_hot[np.arange(len(labels)), labels] = 1.0
        grad = (p{power} - one_hot) / len(labels)
        return loss, grad
"""
EMBEDDING = """
def embedding_forward(x, W):
    N, T = x.shape
    out = np.zeros((N, T, W.shape[1]))
    for i in range(N):
        for j in range(T):
            out[i, j] = W[x[i, j]]
    return out, (x, W.shape)

def embedding_backward(dout, cache):
    x, shape = cache
    dW = np.zeros(shape)
    np.add.at(dW, x, dout{power})
    return dW
"""


@pytest.mark.parametrize(("power", "verdict"), [("", "right"), (" ** 3", "wrong")])
@pytest.mark.parametrize(
    ("text", "name"), [(OWN_ARRAYS, "Linear"), (LOSS_AND_GRADIENT, "SoftmaxLoss"), (EMBEDDING, "embedding_backward")]
)
def test_own_arrays_a_loss_with_its_gradient_and_an_embedding_in_loops(tmp_path, text, name, power, verdict):
    assert verdicts_in(tmp_path, text.format(power=power))[name] == verdict


MOVING = """
def batch_norm_forward(x, gamma, beta, moving_mean, moving_variance):
    mean, variance = x.mean(axis=0), x.var(axis=0)
    moving_mean *= 0.9
    moving_mean += 0.1 * mean
    moving_variance *= 0.9
    moving_variance += 0.1 * variance
    x_hat = (x - mean) / np.sqrt(variance + 1e-5)
    return gamma * x_hat + beta, (x_hat, gamma, variance)

def batch_norm_backward(dout, cache):
    x_hat, gamma, variance = cache
    dgamma, dbeta = np.sum(dout * x_hat, axis=0), np.sum(dout, axis=0)
    dx_hat = dout * gamma
    dx = dx_hat - dx_hat.mean(axis=0) - x_hat * np.mean(dx_hat * x_hat, axis=0)
    return dx / np.sqrt(variance + 1e-5), dgamma, dbeta
"""
AUTOENCODER = """
class {name}:
    def __init__(self, n_in, n_hidden):
        self.W_enc, self.b_enc = np.random.randn(n_in, n_hidden), np.zeros((1, n_hidden))
        self.W_dec, self.b_dec = np.random.randn(n_hidden, n_in), np.zeros((1, n_in))

    def forward(self, X):
        self.X = X
        self.a = np.tanh(X @ self.W_enc + self.b_enc)
        return self.a @ self.W_dec + self.b_dec

    def backward(self, dout):
        da = dout @ self.W_dec.T * (1 - self.a ** 2)
        return self.a.T @ dout, dout.sum(axis=0, keepdims=True), self.X.T @ da, da.sum(axis=0, keepdims=True)
"""
CHANNELS_LAST = """
class Conv:
    def __init__(self, k1, k2, D1, D2):
        self.weights, self.bias = np.random.randn(k1, k2, D1, D2), np.random.randn(D2)

    def forward(self, input):
        self.last = input
        k1, k2, D1, D2 = self.weights.shape
        B, H, W, _ = input.shape
        output = np.zeros((B, H - k1 + 1, W - k2 + 1, D2)) + self.bias
        for i in range(k1):
            for j in range(k2):
                for d in range(D1):
                    part = input[:, i : i + output.shape[1], j : j + output.shape[2], d, None]
                    output += part * self.weights[i, j, d]
        return output

    def backward(self, dy):
        k1, k2, D1, D2 = self.weights.shape
        B, H, W, _ = self.last.shape
        dx = np.zeros((B, H, W, D1))
        self.dweights, self.dbias = np.zeros(self.weights.shape), dy.sum(axis=(0, 1, 2))
        for i in range(k1):
            for j in range(k2):
                for d in range(D1):
                    rows, columns = slice(i, i + dy.shape[1]), slice(j, j + dy.shape[2])
                    dx[:, rows, columns, d] += dy @ self.weights[i, j, d]
                    part = self.last[:, rows, columns, d, None]
                    self.dweights[i, j, d] = (part * dy).sum(axis=(0, 1, 2))
        return dx
"""
CALLED_WITH_ARGS = """
class BatchNorm:
    def __init__(self, size):
        self.w, self.b = np.random.randn(size), np.zeros(size)

    def __call__(self, args):
        return self.forward(args)

    def forward(self, x):
        self.x, self.mean, self.std = x, x.mean(axis=0), np.sqrt(x.var(axis=0) + 1e-5)
        return (x - self.mean) / self.std * self.w + self.b

    def backward(self, dout):
        x_hat = (self.x - self.mean) / self.std
        dh = dout * self.w
        dx = (dh - dh.mean(axis=0) - x_hat * (dh * x_hat).mean(axis=0)) {divided} self.std
        dw, db = (x_hat * dout).mean(axis=0), dout.mean(axis=0)
        return dx, dw, db
"""


@pytest.mark.parametrize(
    ("text", "name", "verdict"),
    [
        (MOVING, "batch_norm_backward", "right"),
        (AUTOENCODER.format(name="Autoencoder"), "Autoencoder", "right"),
        (AUTOENCODER.format(name="Attention"), "Attention", "wrong"),
        (CHANNELS_LAST, "Conv", "right"),
        (CALLED_WITH_ARGS.format(divided="/"), "BatchNorm", "right"),
        (CALLED_WITH_ARGS.format(divided="*"), "BatchNorm", "wrong"),
    ],
)
def test_running_statistics_networks_channels_and_inputs(tmp_path, text, name, verdict):
    assert verdicts_in(tmp_path, text)[name] == verdict


LEAVES_IT_OUT = """
class Layer:
    def __init__(self, n_in, n_out):
        self.weights = np.random.randn(n_in, n_out)

    def forward(self, x):
        self.x = x
        self.z = x @ self.weights
        self.output = np.maximum(self.z, 0)
        return self.output

    def backward(self, dy):
        self.dweights = self.x.T @ dy
        return dy @ self.weights.T
"""
TRAINS = """
from layers import Layer, relu_derivative
layer = Layer(3, 2)
def step(x, dy):
    out = layer.forward(x)
    dy *= {call}
    return layer.backward(dy)
"""


@pytest.mark.parametrize(("call", "verdict"), [("relu_derivative(out)", "undecidable"), ("0.5", "wrong")])
def test_a_derivative_that_the_caller_applies_is_not_missing(tmp_path, call, verdict):
    (tmp_path / "train.py").write_text(TRAINS.format(call=call))
    (tmp_path / "layers.py").write_text(f"{HEAD}\ndef relu_derivative(y):\n    return 1.0 * (y > 0)\n{LEAVES_IT_OUT}")
    found = {f.name: f.verdict for f in examine_path(tmp_path / "layers.py")}
    assert found["Layer"] == verdict
