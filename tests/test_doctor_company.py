"""Passes that need company: an optimizer, a model above, data from the constructor, a caller, or a file beside them."""

import time

import pytest

from plainnet.checks.code.episode import TookTooLongError, within
from verdicts import HEAD, findings_in, verdicts_in

WITH_AN_OPTIMIZER = """
class Dense:
    def __init__(self, n_in, n_out):
        self.weights = np.random.rand(n_in, n_out)
        self._optimizer = None

    @property
    def optimizer(self):
        return self._optimizer

    @optimizer.setter
    def optimizer(self, optimizer):
        self._optimizer = optimizer

    def forward(self, x):
        self.x = x
        return x @ self.weights

    def backward(self, error):
        self.gradient = self.x.T @ error
        {first}
        if self._optimizer is not None:
            self.weights = self._optimizer.calculate_update(self.weights, self.gradient)
        return {below}
"""
LOSS_OF_A_MODEL = """
class Loss:
    def __init__(self, model):
        self.model = model

    def forward(self, z, t):
        e = np.exp(z - z.max(axis=1, keepdims=True))
        self.p, self.t = e / e.sum(axis=1, keepdims=True), t
        return -np.mean(np.sum(t * np.log(self.p), axis=1))

    def backward(self):
        self.model.backward((self.p {sign} self.t) / len(self.t))
"""
WITH_ITS_DATA = """
def sigmoid(z):
    return 1 / (1 + np.exp(-z))

def sigmoid_derivative(a):
    return a * (1 - a)

class NeuralNetwork:
    def __init__(self, x, y):
        self.input, self.y = x, y
        self.weights1 = np.random.rand(x.shape[1], 4)
        self.weights2 = np.random.rand(4, 1)

    def feedforward(self):
        self.layer1 = sigmoid(self.input @ self.weights1)
        self.output = sigmoid(self.layer1 @ self.weights2)

    def backprop(self):
        delta = 2 * (self.y - self.output) * sigmoid_derivative(self.output)
        below = delta @ self.weights2.T * sigmoid_derivative({of})
        self.weights2 += self.layer1.T @ delta
        self.weights1 += self.input.T @ below
"""
PER_EXAMPLE = """
class Layer:
    def __init__(self, n_in, n_out):
        self.weights = np.random.randn(n_in, n_out)

    def forward(self, x):
        self.x = x
        return x @ self.weights

    def backward(self, dy):
        dw = np.einsum("ni,no->nio", self.x, dy){factor}
        return dw, dy @ self.weights.T
"""
HELPERS = """
def linear_grad(w, dz, x):
    return dz @ w.T, x.T @ dz{factor}

class Net:
    def __init__(self, n_in, n_out):
        self.w1, self.w2 = np.random.randn(n_in, 4), np.random.randn(4, n_out)

    def forward(self, x):
        self.x = x
        self.h = np.maximum(x @ self.w1, 0)
        return self.h @ self.w2

    def relu_grad(self, dh):
        return dh * (self.h > 0)

    def backward(self, dy):
        dh, self.dw2 = linear_grad(self.w2, dy, self.h)
        dx, self.dw1 = linear_grad(self.w1, self.relu_grad(dh), self.x)
        return dx
"""
SEQUENCE = """
class Net:
    def __init__(self, vocabulary, hidden=6):
        self.vocabulary = vocabulary
        self.wx, self.wh = np.random.randn(hidden, vocabulary), np.random.randn(hidden, hidden)
        self.wy = np.random.randn(vocabulary, hidden)

    def loss(self, inputs, targets, h_prev):
        xs, hs, ps, loss = {{}}, {{-1: h_prev}}, {{}}, 0.0
        for t in range(len(inputs)):
            xs[t] = np.zeros((self.vocabulary, 1))
            xs[t][inputs[t]] = 1
            hs[t] = np.tanh(self.wx @ xs[t] + self.wh @ hs[t - 1])
            y = self.wy @ hs[t]
            ps[t] = np.exp(y) / np.exp(y).sum()
            loss -= np.log(ps[t][targets[t], 0])
        dwx, dwh, dwy = np.zeros_like(self.wx), np.zeros_like(self.wh), np.zeros_like(self.wy)
        dh_next = np.zeros_like(hs[0])
        for t in reversed(range(len(inputs))):
            dy = ps[t].copy()
            dy[targets[t]] -= 1
            dwy += dy @ hs[t].T
            dh = (self.wy.T @ dy + dh_next) * (1 - hs[t] ** 2)
            dwx += dh @ xs[t].T
            dwh += dh @ hs[t - 1].T
            dh_next = {carried}
        return loss, {{"wx": dwx, "wh": dwh, "wy": dwy}}
"""
ONE_ELEMENT = """
class Softmax:
    def forward(self, z):
        self.z = z
        e = np.exp(z - z.max())
        return e / e.sum()

    def backward(self, dp):
        for i, gradient in enumerate(dp):
            if gradient == 0:
                continue
            e = np.exp(self.z)
            total = e.sum()
            dz = -e[i] * e / total**2
            dz[i] = e[i] * (total - e[i]) / total**{power}
            return gradient * dz
"""
PRINTS_ANOTHER_LOSS = """
x = np.random.rand(8, 3)
y = (x.sum(axis=1, keepdims=True) > 1.5) * 1.0
w = np.random.randn(3, 1)

def cost(output, target):
    return output - target, np.abs(output - target).sum()

for step in range(100):
    output = 1 / (1 + np.exp(-x @ w))
    slope, error = cost(output, y)
    w = w - 0.1 * x.T @ (slope * output * (1 - output){factor})
"""
RAGGED = """
class Net:
    def __init__(self, n_in, n_hidden, n_out):
        self.weights = np.array([np.random.randn(n_in, n_hidden), np.random.randn(n_hidden, n_out)])

    def forward(self, x):
        self.h = np.tanh(x @ self.weights[0])
        return self.h @ self.weights[1]

    def backward(self, x, t):
        delta = self.forward(x) - t
        below = delta @ self.weights[1].T * (1 - self.h{power})
        return np.array([x.T @ below, self.h.T @ delta])
"""
ASKS_FOR_ITS_INPUT = """
class Scale:
    def forward(self, input=None):
        if input is None:
            raise ValueError("no input")
        self.input = input
        return 3 * input

    def backward(self, dy):
        return {slope} * dy
"""
DECLARES_ITS_INPUT = """
class Convolution:
    def __init__(self, input_shape, kernel_size, depth):
        channels, height, width = input_shape
        self.input_shape = input_shape
        self.kernels = np.random.randn(depth, channels, kernel_size, kernel_size)
        self.output_shape = (depth, height - kernel_size + 1, width - kernel_size + 1)

    def _windows(self, x, i, j):
        return x[:, i : i + self.output_shape[1], j : j + self.output_shape[2]]

    def forward(self, x):
        self.x, y = x, np.zeros(self.output_shape)
        for (d, c, i, j), k in np.ndenumerate(self.kernels):
            y[d] += k * self._windows(x, i, j)[c]
        return y

    def backward(self, dy):
        dx, self.dk = np.zeros(self.input_shape), np.zeros(self.kernels.shape)
        for (d, c, i, j), k in np.ndenumerate(self.kernels):
            self.dk[d, c, i, j] = np.sum(self._windows(self.x, i, j)[c] * dy[d])
            self._windows(dx, i, j)[c] += k * dy[d]{factor}
        return dx
"""
MEANS_BY_COLUMNS = """
class Dense:
    def __init__(self, n_in, n_out):
        self.W = np.random.randn(n_out, n_in)

    def forward(self, x):
        self.x = x
        return self.W @ x

    def backward(self, dZ):
        self.dW = dZ @ self.x.T
        return self.W.T @ dZ{factor}
"""
CASES = {
    "an input that must be given": (ASKS_FOR_ITS_INPUT.format(slope=3), {"Scale": "right"}),
    "an input that must be given, with a fault": (ASKS_FOR_ITS_INPUT.format(slope=2), {"Scale": "wrong"}),
    "images of a declared shape": (DECLARES_ITS_INPUT.format(factor=""), {"Convolution": "right"}),
    "images of a declared shape, with a fault": (DECLARES_ITS_INPUT.format(factor=" * 2"), {"Convolution": "wrong"}),
    "examples in columns": (MEANS_BY_COLUMNS.format(factor=""), {"Dense": "right"}),
    "examples in columns, with a mean below": (
        MEANS_BY_COLUMNS.format(factor=" / dZ.shape[1]"),
        {"Dense": "wrong"},
    ),
    "an optimizer that is set later": (
        WITH_AN_OPTIMIZER.format(first="below = error @ self.weights.T", below="below"),
        {"Dense": "right"},
    ),
    "weights that the optimizer has changed": (
        WITH_AN_OPTIMIZER.format(first="", below="error @ self.weights.T"),
        {"Dense": "wrong"},
    ),
    "a loss that calls its model": (LOSS_OF_A_MODEL.format(sign="-"), {"Loss": "right"}),
    "data from the constructor": (WITH_ITS_DATA.format(of="self.layer1"), {"NeuralNetwork": "right"}),
    "one gradient for each example": (PER_EXAMPLE.format(factor=""), {"Layer": "right"}),
    "one gradient for each example, doubled": (PER_EXAMPLE.format(factor=" * 2"), {"Layer": "wrong"}),
    "helpers of a right pass": (
        HELPERS.format(factor=""),
        {"Net": "right", "linear_grad": "right", "Net.relu_grad": "right"},
    ),
    "a sequence in a class": (SEQUENCE.format(carried="self.wh.T @ dh"), {"Net": "right"}),
    "a sequence with a fault": (SEQUENCE.format(carried="self.wh @ dh"), {"Net": "wrong"}),
    "an upstream gradient with one element": (ONE_ELEMENT.format(power=2), {"Softmax": "right"}),
    "a loop that prints another loss": (
        PRINTS_ANOTHER_LOSS.format(factor=""),
        {"cost": "right", "loop in line 11": "right"},
    ),
    "layers of different sizes in one array": (RAGGED.format(power="**2"), {"Net": "right"}),
}


@pytest.mark.parametrize(("text", "verdicts"), CASES.values(), ids=CASES)
def test_passes_that_need_company(tmp_path, text, verdicts):
    found = verdicts_in(tmp_path, text)
    assert {name: found.get(name) for name in verdicts} == verdicts


@pytest.mark.parametrize(
    "text",
    [
        WITH_ITS_DATA.format(of="self.input @ self.weights1"),
        LOSS_OF_A_MODEL.format(sign="+"),
        HELPERS.format(factor=" * 2"),
        ONE_ELEMENT.format(power=3),
        PRINTS_ANOTHER_LOSS.format(factor=" + slope"),
        RAGGED.format(power=""),
    ],
)
def test_none_of_them_is_right_with_a_fault(tmp_path, text):
    passes = [f for f in findings_in(tmp_path, text) if f.form not in ("derivative", "update")]
    assert passes
    assert all(finding.verdict != "right" for finding in passes)


def test_weights_that_an_optimizer_has_changed_have_a_name(tmp_path):
    text = WITH_AN_OPTIMIZER.format(first="", below="error @ self.weights.T")
    assert [f.diagnosis for f in findings_in(tmp_path, text) if f.verdict == "wrong"] == ["weights-already-updated"]


SIGMOID = """
def sigmoid(x):
    return 1 / (1 + np.exp(-x))

def sigmoid_prime(x):
    return sigmoid(x) * (1 - sigmoid(x))

"""
GIVES_THE_OUTPUT = """
def step(x, w):
    a = sigmoid(x @ w)
    return sigmoid_prime({given})
"""
GIVES_TWO_OUTPUTS = """
class Cell:
    def forward(self, x, h):
        i = sigmoid(x @ self.wi)
        o = sigmoid(x @ self.wo)
        return o * (i + h)

    def backward(self, dy, x, h, {i}, {o}, unknown):
        return dy * unknown * sigmoid_prime({i}) * sigmoid_prime({o})
"""


@pytest.mark.parametrize(
    ("text", "name", "verdict"),
    [
        (GIVES_THE_OUTPUT.format(given="a"), "step", "wrong"),
        (GIVES_THE_OUTPUT.format(given="x @ w"), "step", None),
        (GIVES_TWO_OUTPUTS.format(i="i", o="o"), "Cell", "wrong"),
        (GIVES_TWO_OUTPUTS.format(i="i", o="z"), "Cell", "undecidable"),
    ],
)
def test_a_derivative_is_right_and_a_pass_that_gives_it_the_output_is_wrong(tmp_path, text, name, verdict):
    found = {f.name: f for f in findings_in(tmp_path, SIGMOID + text)}
    assert found["sigmoid_prime"].verdict == "right"
    assert (found[name].verdict if name in found else None) == verdict
    if verdict == "wrong":
        assert "the output of the activation" in found[name].evidence


OF_NO_KNOWN_LOSS = """
class NeuralNetwork:
    def __init__(self, x, y):
        self.input = x
        self.weights1 = np.random.rand(self.input.shape[1], 4)
        self.weights2 = np.random.rand(4, 1)
        self.y = y
        self.output = np.zeros(y.shape)

    def feedforward(self):
        self.layer1 = sigmoid(self.input @ self.weights1)
        self.output = sigmoid(self.layer1 @ self.weights2)

    def backprop(self):
        error = 2 * (self.y - self.output) * {slope}(self.output){more}
        self.weights1 += self.input.T @ (error @ self.weights2.T * {slope}(self.layer1))
        self.weights2 += self.layer1.T @ error
"""
NUMBERS = "slope_at = lambda x: sigmoid(x) * (1 - sigmoid(x))\nslope_of = lambda y: y * (1 - y)\n"


@pytest.mark.parametrize(
    ("slope", "more", "verdict"),
    [("slope_of", "", "right"), ("slope_at", "", "wrong"), ("slope_at", " ** 3", "undecidable")],
)
def test_a_fault_that_explains_every_gradient_also_proves_the_loss(tmp_path, slope, more, verdict):
    text = SIGMOID + NUMBERS + OF_NO_KNOWN_LOSS.format(slope=slope, more=more)
    found = next(f for f in findings_in(tmp_path, text) if f.name == "NeuralNetwork")
    assert found.verdict == verdict
    if verdict == "wrong":
        assert found.diagnosis == "sigmoid-derivative-applied-twice"
        assert "half the squared error as the loss" in found.evidence


def test_the_forward_pass_may_be_in_the_file_beside(tmp_path):
    (tmp_path / "onward.py").write_text(
        HEAD + "def dense_forward(x, W, b):\n    return x @ W + b, (x, W, b)\n\ndef loss(p, t):\n    return p - t\n"
    )
    text = """
    def dense_backward(dZ, cache):
        x, W, b = cache
        return dZ @ W.T, x.T @ dZ, dZ.sum(axis=0)
    """
    assert verdicts_in(tmp_path, text) == {"dense_backward": "right"}


def test_imports_under_the_main_guard_and_beside_it_run(tmp_path):
    (tmp_path / "base.py").write_text("class Base:\n    trainable = True\n")
    text = """
    if __name__ == "__main__":
        import unknown
    else:
        from base import Base

    class Scale(Base):
        def __init__(self):
            self.w = np.array([0.7])

        def forward(self, x):
            self.x = x
            return self.w * x

        def backward(self, dy):
            self.dw = np.sum(dy * self.x)
            return dy * self.w
    """
    assert verdicts_in(tmp_path, text) == {"Scale": "right"}


ACTIVATION_ONLY = """
class Layer:
    def __init__(self, n_in, n_out):
        self.w = np.random.randn(n_in, n_out)

    def forward(self, x):
        return 1 / (1 + np.exp(-x @ self.w))

    def backward(self, a):
        return a * (1 - a)
"""
ROW_BY_ROW = """
def SquareError(input, target):
    return (input - target) ** 2

def grad_SquareError(error, target):
    grad = np.zeros_like(error)
    for i in range(len(error)):
        grad[i] = 2 * (error[i] - target[i])
    return grad
"""


@pytest.mark.parametrize("text", [ACTIVATION_ONLY, ROW_BY_ROW])
def test_what_may_be_meant_otherwise_is_not_accused(tmp_path, text):
    assert "wrong" not in verdicts_in(tmp_path, text).values()


ENGINE = """
class Tensor:
    def __init__(self, data, autograd=False, parents=()):
        self.data, self.autograd, self.parents = np.array(data), autograd, parents
        self.grad, self._backward = None, lambda: None

    def _add(self, gradient):
        self.grad = gradient if self.grad is None else self.grad + gradient

    def __add__(self, other):
        out = Tensor(self.data + other.data, self.autograd, (self, other))
        if self.autograd:
            out._backward = lambda: (self._add(out.grad), other._add(out.grad))
        return out

    def __mul__(self, other):
        out = Tensor(self.data * other.data, self.autograd, (self, other))
        if self.autograd:
            out._backward = lambda: (self._add(other.data * out.grad), other._add(self.data * out.grad))
        return out

    def backward(self):
        nodes, seen = [], set()

        def visit(node):
            if {unseen}:
                seen.add(node)
                for parent in node.parents:
                    visit(parent)
                nodes.append(node)

        visit(self)
        self.grad = np.ones_like(self.data)
        for node in reversed(nodes):
            node._backward()
"""


def test_an_engine_that_records_on_request_and_runs_shared_nodes_once(tmp_path):
    found = verdicts_in(tmp_path, ENGINE.format(unseen="node not in seen"))
    assert found == {"Tensor.__add__": "right", "Tensor.__mul__": "right", "Tensor.backward": "right"}


def test_an_engine_that_runs_shared_nodes_twice_is_wrong(tmp_path):
    found = verdicts_in(tmp_path, ENGINE.format(unseen="node is not seen"))
    assert found["Tensor.backward"] == "wrong"


def test_an_engine_in_which_no_gradient_arrives_is_not_accused(tmp_path):
    text = ENGINE.format(unseen="node not in seen").replace("autograd", "recording")
    assert "wrong" not in verdicts_in(tmp_path, text).values()


def test_a_time_limit_inside_another_does_not_end_it():
    def work(started):
        with within(0.3):
            while time.monotonic() - started < 5:
                with within(5):
                    pass

    with pytest.raises(TookTooLongError):
        work(time.monotonic())


def test_an_operation_that_replaces_the_gradient_of_another_use_is_wrong(tmp_path):
    text = ENGINE.format(unseen="node not in seen")
    replaced = text.replace("self._add(other.data * out.grad)", "setattr(self, 'grad', other.data * out.grad)")
    assert replaced != text
    assert verdicts_in(tmp_path, replaced) == {
        "Tensor.__add__": "right",
        "Tensor.__mul__": "wrong",
        "Tensor.backward": "right",
    }
