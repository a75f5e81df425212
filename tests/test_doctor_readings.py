"""What a file on the wild side of the forms means: each text with the verdict on it, and why."""

import textwrap

import numpy as np
import pytest

from plainnet.checks.code.worker import examined

HEAD = "import numpy as np\n\n"
CASES = {
    "sizes that only an error tells": (
        """
        def gradient_step(x, y, w, b):
            error = w * x + b - y
            loss = np.mean(error ** 2)
            return loss, {"dw": 2 * np.mean(error * x), "db": 2 * np.mean(error)}
        """,
        {"gradient_step": "right"},
    ),
    "a loop whose output has no name": (
        """
        def gradient_descent(x, y, w, b, alpha=0.01, iterations=100):
            for i in range(iterations):
                dw = np.mean((w * x + b - y) * x)
                db = np.mean(w * x + b - y)
                w -= alpha * dw
                b -= alpha * db
            return w, b
        """,
        {"gradient_descent": "right"},
    ),
    "a derivative of the input that is given the output": (
        """
        def tanh(x):
            return np.tanh(x)

        def tanh_prime(x):
            return 1 - np.tanh(x) ** 2

        def hidden(x, W):
            a = tanh(x @ W)
            return tanh_prime(a)
        """,
        {"tanh_prime": "right"},
    ),
    "a loss class that points the other way": (
        """
        class MeanAbsoluteError:
            def forward(self, y_pred, y_true):
                return np.mean(np.abs(y_true - y_pred), axis=-1)

            def backward(self, dvalues, y_true):
                self.dinputs = np.sign(y_true - dvalues) / len(dvalues[0]) / len(dvalues)
        """,
        {"MeanAbsoluteError": "wrong"},
    ),
    "an activation that works in place": (
        """
        class ReLU:
            def forward(self, x):
                self.mask = x <= 0
                x[self.mask] = 0
                return x

            def backward(self, dout):
                dx = dout.copy()
                dx[self.mask] = 0
                return dx
        """,
        {"ReLU": "right"},
    ),
    "a view that is only another shape": (
        """
        class Flatten:
            def forward(self, x):
                self.shape = x.shape
                return x.reshape(len(x), -1)

            def backward(self, dout):
                return dout.reshape(self.shape)
        """,
        {"Flatten": "right"},
    ),
    "a call that hands everything on": (
        """
        class Sigmoid:
            def __call__(self, *args, **kwargs):
                self.y = self.forward(*args, **kwargs)
                return self.y

            def forward(self, X):
                return 1 / (1 + np.exp(-X))

            def backward(self, dY):
                return dY * self.y * (1 - self.y)
        """,
        {"Sigmoid": "right"},
    ),
    "numbers whose type is asserted": (
        """
        def propagate(w, b, X, Y):
            m = X.shape[1]
            A = 1 / (1 + np.exp(-(np.dot(w.T, X) + b)))
            cost = -(1 / m) * np.sum(Y * np.log(A) + (1 - Y) * np.log(1 - A))
            dw, db = (1 / m) * np.dot(X, (A - Y).T), (1 / m) * np.sum(A - Y)
            assert db.dtype == float
            return {"dw": dw, "db": db}, cost
        """,
        {"propagate": "right"},
    ),
    "a softmax over one example": (
        """
        class Softmax:
            def loss(self, x, y):
                e = np.exp(x)
                return -np.log((e / np.sum(e))[y])

            def diff(self, x, y):
                e = np.exp(x)
                probs = e / np.sum(e)
                probs[y] -= 1.0
                return probs
        """,
        {"Softmax": "undecidable"},
    ),
    "a first layer that says so": (
        """
        class First:
            def __init__(self, n_in, n_out):
                self.W = np.random.randn(n_in, n_out)

            def forward(self, x):
                self.x = x
                return x @ self.W

            def backward(self, dout, learning_rate):
                # nothing is returned: this is the first layer
                self.W -= learning_rate * self.x.T @ dout
        """,
        {"First": "right"},
    ),
    "a size that is only computed by": (
        """
        class Memory:
            def __init__(self, n_in, n_out):
                self.W = np.random.randn(n_in + 1, n_out)
                self.inputs = np.ones(n_in + 1)

            def forward(self, x):
                self.inputs[:-1] = x
                return self.inputs @ self.W

            def backward(self, dout):
                self.dW = np.outer(self.inputs, dout)
                return self.W[:-1] @ dout
        """,
        {"Memory": "right"},
    ),
}

ENGINE = """
class Tensor:
    def __init__(self, data, parents=()):
        self.data, self.parents, self.grad = np.array(data, float), parents, 0.0
        self._backward = lambda: None

    def __add__(self, other):
        out = Tensor(self.data + other.data, (self, other))
        def _backward():
            self.grad = self.grad + _unbroadcast(out.grad, self.data.shape)
            other.grad = other.grad + _unbroadcast(out.grad, other.data.shape)
        out._backward = _backward
        return out

    def __mul__(self, other):
        out = Tensor(self.data * other.data, (self, other))
        def _backward():
            self.grad = self.grad + _unbroadcast(out.grad * other.data, self.data.shape)
            other.grad = other.grad + _unbroadcast(out.grad * self.data, other.data.shape)
        out._backward = _backward
        return out

    def mean(self, axis=None):
        out = Tensor(self.data.mean(axis), (self,))
        def _backward():
            n = self.data.size if axis is None else self.data.shape[axis]
            grad = out.grad if axis is None else np.expand_dims(out.grad, axis)
            self.grad = self.grad + np.ones_like(self.data) * grad / n
        out._backward = _backward
        return out

    def backward(self):
        order, seen = [], set()
        def visit(node):
            if id(node) not in seen:
                seen.add(id(node))
                for parent in node.parents:
                    visit(parent)
                order.append(node)
        visit(self)
        self.grad = np.ones_like(self.data)
        for node in reversed(order):
            node._backward()


def _unbroadcast(grad, shape):
    while grad.ndim > len(shape):
        grad = grad.sum(axis=0)
    return grad


def where(mask, x, y):
    out = Tensor(np.where(mask, x.data, y.data), (x, y))
    def _backward():
        x.grad = x.grad + np.where(mask, out.grad, 0)
        y.grad = y.grad + np.where(mask, 0, out.grad)
    out._backward = _backward
    return out


def log(x):
    out = Tensor(np.log(np.maximum(x.data, 1e-15)), (x,))
    def _backward():
        x.grad = x.grad + out.grad / np.maximum(x.data, 1e-15)
    out._backward = _backward
    return out
"""


def verdicts(folder, text):
    (folder / "file.py").write_text(HEAD + textwrap.dedent(text))
    with np.errstate(all="ignore"):
        found = examined(folder / "file.py").findings
    return {finding.name: finding.verdict for finding in found}


@pytest.mark.parametrize("case", CASES)
def test_the_verdict(tmp_path, case):
    text, wanted = CASES[case]
    found = verdicts(tmp_path, text)
    assert {name: found.get(name) for name in wanted} == wanted


def test_an_engine_with_arrays(tmp_path):
    names = ("Tensor.__add__", "Tensor.__mul__", "Tensor.mean", "Tensor.backward", "log", "where")
    assert verdicts(tmp_path, ENGINE) == dict.fromkeys(names, "right")


@pytest.mark.parametrize(
    ("right", "wrong", "name", "verdict"),
    [
        (
            "if axis is None else self.data.shape[axis]",
            "if not axis else self.data.shape[axis]",
            "Tensor.mean",
            "wrong",
        ),
        ("grad.sum(axis=0)", "grad.mean(axis=0)", "Tensor.__add__", "undecidable"),
        ("x.grad + out.grad /", "out.grad * 2 /", "log", "wrong"),
    ],
)
def test_an_operation_that_is_wrong(tmp_path, right, wrong, name, verdict):
    assert right in ENGINE
    assert verdicts(tmp_path, ENGINE.replace(right, wrong))[name] == verdict
