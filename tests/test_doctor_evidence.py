"""What counts as evidence: a number fits every factor, one unit hides a sum over units, a wrong product all others."""

import pytest

from verdicts import findings_in, verdicts_in

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
