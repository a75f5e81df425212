"""How the doctor reads files: missing data, packages, cells, old Python, what it cannot read, and its report."""

import json
import textwrap
from pathlib import Path

import numpy as np

from plainnet.checks.code.sandboxed import examination
from plainnet.checks.code.worker import examined

NOTEBOOK_CODE = """
import numpy as np
data = np.genfromtxt("train.csv", delimiter=",", skip_header=1)
m, n = data.shape
Y_train, X_train = data[1000:].T[0], data[1000:].T[1:n] / 255

def init_params():
    return np.random.rand(20, 784) - 0.5, np.random.rand(20, 1) - 0.5, np.random.rand(10, 20), np.random.rand(10, 1)

def forward_prop(W1, b1, W2, b2, X):
    Z1 = W1.dot(X) + b1
    A1 = np.maximum(0, Z1)
    Z2 = W2.dot(A1) + b2
    A2 = np.exp(Z2 - Z2.max(axis=0)) / np.sum(np.exp(Z2 - Z2.max(axis=0)), axis=0)
    return Z1, A1, Z2, A2

def one_hot(Y):
    Y = Y.astype(int)
    rows = np.zeros((Y.size, Y.max() + 1))
    rows[np.arange(Y.size), Y] = 1
    return rows.T

def back_prop(Z1, A1, Z2, A2, W2, X, Y):
    m = Y.size
    dZ2 = A2 - one_hot(Y)
    dW2 = 1 / m * dZ2.dot(A1.T)
    db2 = 1 / m * np.sum(dZ2, axis=1, keepdims=True)
    dZ1 = W2.T.dot(dZ2) * (Z1 > 0)
    dW1 = 1 / m * dZ1.dot(X.T)
    db1 = 1 / m * np.sum(dZ1, axis=1, keepdims=True)
    return dW1, db1, dW2, db2

def shown(index):
    return X_train[:, index], Y_train[index]
"""


def test_a_network_for_digits_whose_data_is_missing(tmp_path):
    (tmp_path / "notebook.py").write_text(NOTEBOOK_CODE)
    with np.errstate(all="ignore"):
        result = examined(tmp_path / "notebook.py")
    assert {finding.name: finding.verdict for finding in result.findings} == {"back_prop": "right"}
    assert result.loaded.failed == []
    assert result.loaded.substituted == [3]
    assert result.loaded.module.data.shape == (1300, 785)


def test_a_training_script_with_large_weights_whose_data_is_missing(tmp_path):
    (tmp_path / "train.py").write_text(
        textwrap.dedent(
            """
            import numpy as np
            from common.mnist import load_images, load_labels

            x_train = load_images("mnist", "train").reshape(-1, 784).astype(np.float32) / 255.0
            y_train = load_labels("mnist", "train").reshape(-1, 1) / 9.0
            w1, b1 = np.random.randn(784, 256) * 0.05, np.zeros(256)
            w2, b2 = np.random.randn(256, 1) * 0.05, np.zeros(1)

            for epoch in range(10):
                for start in range(0, len(x_train), 32):
                    x, y = x_train[start : start + 32], y_train[start : start + 32]
                    a1 = 1 / (1 + np.exp(-(x @ w1 + b1)))
                    a2 = a1 @ w2 + b2
                    d2 = 2 * (a2 - y) / len(x)
                    d1 = d2 @ w2.T * a1 * (1 - a1)
                    w2 -= 0.01 * a1.T @ d2
                    b2 -= 0.01 * d2.sum(axis=0)
                    w1 -= 0.01 * x.T @ d1
                    b1 -= 0.01 * d1.sum(axis=0)

            total_loss = 0.0
            for start in range(0, len(x_train), 32):
                a1 = 1 / (1 + np.exp(-(x_train[start : start + 32] @ w1 + b1)))
                total_loss += np.mean((a1 @ w2 + b2 - y_train[start : start + 32]) ** 2)
            """
        )
    )
    result = examination(tmp_path / "train.py")
    assert [(finding["name"], finding["verdict"]) for finding in result.findings] == [("loop in line 10", "right")]
    assert result.code == 0


def test_functions_that_read_missing_data_get_some(tmp_path):
    (tmp_path / "net.py").write_text(
        textwrap.dedent(
            """
            import numpy as np

            class Net:
                def __init__(self, n_in=784, n_out=10):
                    self.labels = np.loadtxt("labels.csv")[:, 0].astype(int)[:6]
                    self.W = np.random.randn(n_in, n_out) * 0.01

                def forward(self, x):
                    self.x = x
                    return x @ self.W

                def backward(self, dout):
                    self.dW = self.x.T @ dout
                    return dout @ self.W.T
            """
        )
    )
    result = examination(tmp_path / "net.py")
    assert [finding["verdict"] for finding in result.findings] == ["right"]
    assert "made-up data in line 6" in result.notes[0]


def test_a_package_is_imported_before_its_modules(tmp_path):
    """tensor.py imports ops.py, and ops.py imports the package, which imports tensor.py."""
    package = tmp_path / "engine"
    package.mkdir()
    (package / "__init__.py").write_text("from .tensor import Tensor\n")
    (package / "tensor.py").write_text(
        textwrap.dedent(
            """
            import numpy as np
            from .ops import AddBackward, MulBackward

            class Tensor:
                def __init__(self, data):
                    self.data, self.grad, self.made_by, self.children = np.asarray(data), None, None, ()

                def __add__(self, other):
                    return self._made(self.data + other.data, AddBackward(), other)

                def __mul__(self, other):
                    return self._made(self.data * other.data, MulBackward(), other)

                def _made(self, data, made_by, other):
                    out = Tensor(data)
                    out.made_by, out.children = made_by, (self, other)
                    return out

                def backward(self, grad=None):
                    grad = np.ones_like(self.data) if grad is None else grad
                    self.grad = grad if self.grad is None else self.grad + grad
                    for place, child in enumerate(self.children):
                        child.backward(self.made_by.calculate_grad(grad, self.children, place))
            """
        )
    )
    (package / "ops.py").write_text(
        textwrap.dedent(
            """
            from . import constants

            class AddBackward:
                def calculate_grad(self, grad, children, place):
                    return grad

            class MulBackward:
                def calculate_grad(self, grad, children, place):
                    return grad * children[place].data
            """
        )
    )
    (package / "constants.py").write_text("ONE = 1\n")
    with np.errstate(all="ignore"):
        found = {finding.name: finding.verdict for finding in examined(package / "ops.py").findings}
    assert found == {"AddBackward.calculate_grad": "right", "MulBackward.calculate_grad": "wrong"}


def test_a_class_that_is_not_python_is_not_passed_over_in_silence(tmp_path):
    (tmp_path / "net.py").write_text(
        "import numpy as np\n\nclass Net:\n    def train(self):\n\n"
        "    def backpropagation(self, x):\n        return x\n\n"
        "def tanh(x):\n    return np.tanh(x)\n\ndef tanh_prime(x):\n    return 1 - np.tanh(x) ** 2\n"
    )
    result = examination(tmp_path / "net.py")
    assert [finding["verdict"] for finding in result.findings] == ["right"]
    assert [one["name"] for one in result.left_out] == ["train", "backpropagation"]
    assert result.code == 2


def test_a_file_deep_inside_a_project_imports_from_its_top(tmp_path):
    deep = tmp_path / "course" / "a" / "b" / "c" / "d"
    deep.mkdir(parents=True)
    (deep / "tools.py").write_text("import numpy as np\n")
    (deep / "net.py").write_text(
        "from course.a.b.c.d.tools import *\n\ndef tanh(x):\n    return np.tanh(x)\n\n"
        "def tanh_prime(x):\n    return 1 - np.tanh(x) ** 2\n"
    )
    result = examination(deep / "net.py")
    assert [finding["verdict"] for finding in result.findings] == ["right"]
    assert result.notes == []


def test_a_remark_survives_the_report(tmp_path):
    (tmp_path / "fc.py").write_text(
        "def fc_forward(x, W):\n    return x @ W\n\ndef fc_backward(dy, x, W):\n    return x.T @ dy\n\n"
        "def step(x, W, dy):\n    return W - 0.1 * fc_backward(dy, x, W)\n"
    )
    result = examination(tmp_path / "fc.py")
    (finding,) = result.findings
    assert [remark["name"] for remark in finding["remarks"]] == ["input-gradient-missing"]
    assert result.code == 0


def test_a_method_that_opens_whatever_it_is_given_closes_nothing_of_ours(tmp_path):
    (tmp_path / "net.py").write_text(
        textwrap.dedent(
            """
            import numpy as np

            def sigmoid(x):
                return 1 / (1 + np.exp(-x))

            def sigmoid_prime(x):
                return sigmoid(x) * (1 - sigmoid(x))

            class Net:
                def __init__(self, n_in, n_out):
                    self.W = np.random.randn(n_in, n_out)

                def forward(self, x):
                    return x @ self.W

                def train_from_file(self, rate, path, limit=100):
                    with open(path) as file:
                        self.W -= rate * float(file.readline())
            """
        )
    )
    findings = examination(tmp_path / "net.py").findings
    assert {f["name"]: f["verdict"] for f in findings}["sigmoid_prime"] == "right"


def test_cells_that_write_a_module_and_statements_of_python_2_are_read(tmp_path):
    cell = "%%writefile net.py\nimport numpy as np\n\ndef sigmoid(x):\n    return 1 / (1 + np.exp(-x))\n\n"
    cell += "def sigmoid_prime(x):\n    return sigmoid(x) * (1 - sigmoid(x))\n"
    (tmp_path / "a.ipynb").write_text(json.dumps({"cells": [{"cell_type": "code", "source": cell}]}))
    (tmp_path / "b.py").write_text(
        "import numpy as np\ndef sigmoid(x):\n\treturn 1 / (1 + np.exp(-x))\n\ndef sigmoid_prime(x):\n"
        "    print 'x is {0}, {1}'.format(\n        x, 2)\n    return sigmoid(x) * (1 - sigmoid(x))\n"
    )
    for name in ("a.ipynb", "b.py"):
        with np.errstate(all="ignore"):
            assert [finding.verdict for finding in examined(tmp_path / name).findings] == ["right"]


def test_a_file_whose_name_is_no_regular_expression_is_examined(tmp_path):
    summed = Path(__file__).parent.parent / "examples" / "wrong" / "summed_gradient.py"
    (tmp_path / "copy (1.py").write_text(summed.read_text())
    (tmp_path / "beside.py").write_text("grad = 1 / len('abc')\n")
    (finding,) = examination(tmp_path / "copy (1.py").findings
    assert finding["diagnosis"] == "gradient-not-divided-by-the-batch"


def test_a_package_may_hold_a_module_of_its_own_name(tmp_path):
    package = tmp_path / "layer"
    package.mkdir()
    (package / "__init__.py").write_text("from .layer import Layer\nfrom .relu import ReLU\n")
    (package / "layer.py").write_text("class Layer:\n    def __init__(self):\n        self.x = None\n")
    (package / "relu.py").write_text(
        "import numpy as np\nfrom .layer import Layer\n\nclass ReLU(Layer):\n    def forward(self, x):\n"
        "        self.x = x\n        return np.maximum(x, 0)\n\n    def backward(self, dy):\n"
        "        return dy * (self.x > 0)\n"
    )
    assert [finding["verdict"] for finding in examination(package / "relu.py").findings] == ["right"]


def test_numpy_is_given_to_a_file_that_forgot_to_import_it(tmp_path):
    (tmp_path / "f.py").write_text(
        "def tanh(x):\n    return np.tanh(x)\n\ndef tanh_prime(x):\n    return 1 - np.tanh(x) ** 2\n"
    )
    result = examination(tmp_path / "f.py")
    assert [finding["verdict"] for finding in result.findings] == ["right"]
    assert result.notes == ["not run as written: NumPy is not imported as np; it was"]
