"""The doctor on code as people write it: a right and a wrong file of every form, and what it says of the rest of a file."""

import json
from pathlib import Path

import numpy as np
import pytest

from plainnet import InputError
from plainnet.checks.code.worker import examined
from plainnet.cli.app import main
from plainnet.doctor import examination, examine, weighed

CASES = Path(__file__).parent / "doctor_cases"
FAULTS = {  # of the wrong file: the array it is in, and its name in the catalogue
    "aliased_params": ("W1", "gradient-not-divided-by-the-batch"),
    "column_dict_network": ("dW1", "tanh-derivative-of-the-input"),
    "column_layer_mean": ("db", None),
    "dict_row_bias": ("W", "sign-flipped"),
    "fixed_dense": ("db", "bias-gradient-averaged"),
    "fixed_dense_element": ("dW", None),
    "fixed_float32": ("dx", None),
    "list_params": ("grads[1]", "bias-gradient-averaged"),
    "loss_class": ("d", None),
    "notebook": ("db", "bias-gradient-averaged"),
    "output_attribute": ("dinputs", "relu-mask-missing"),
    "per_example_lists": ("[0]", "sigmoid-derivative-applied-twice"),
    "propagate": ("db", "gradient-not-divided-by-the-batch"),
    "script_loop": ("W1", "sigmoid-derivative-of-the-input"),
    "step_in_backward": ("dx", "weights-already-updated"),
    "tuple_network": ("db1", "bias-gradient-summed-over-units"),
    "weights_loss": ("dW", "l2-factor-wrong"),
    "zero_grad": ("db", None),
}


def findings_in(tmp_path, text, name="file.py"):
    (tmp_path / name).write_text(text)
    with np.errstate(all="ignore"):
        return examined(tmp_path / name).findings


@pytest.mark.parametrize("form", FAULTS)
def test_a_right_and_a_wrong_file_of_a_form_are_told_apart(form):
    ending = "ipynb" if form == "notebook" else "py"
    with np.errstate(all="ignore"):
        right = examined(CASES / f"right_{form}.{ending}")
        wrong = examined(CASES / f"wrong_{form}.{ending}")
    assert {finding.verdict for finding in right.findings} == {"right"}
    assert right.left_out == wrong.left_out == []
    bad = [finding for finding in wrong.findings if finding.verdict == "wrong"]
    array, name = FAULTS[form]
    assert array in bad[0].array
    assert bad[0].diagnosis == name


def test_the_two_conventions_are_said_to_be_such():
    with np.errstate(all="ignore"):
        (means,) = examined(CASES / "right_column_layer_mean.py").findings
        (adds,) = examined(CASES / "right_zero_grad.py").findings
    assert "right if the upstream gradient is not divided by the batch size" in means.evidence
    assert "call zero_grad() before each batch" in adds.evidence


DENSE = """
import numpy as np

class Dense:
    def __init__(self, n_in, n_out):
        self.W = np.random.randn(n_in, n_out)
        self.b = np.zeros(n_out)

    def forward(self, x):
        self.x = x
        return x @ self.W + self.b

    def backward(self, dy):
        self.dW = self.x.T @ dy
        self.db = dy.sum(axis=0)
        return dy @ self.W.T
"""
WILD = {
    "input-gradient-missing": (DENSE, "        return dy @ self.W.T\n", ""),
    "parameter-gradient-missing": (DENSE, "        self.db = dy.sum(axis=0)\n", ""),
    "bias-gradient-summed-over-units": (DENSE, "dy.sum(axis=0)", "np.sum(dy)"),
    "relu-mask-precedence": (
        "import numpy as np\n\nclass ReLU:\n    def forward(self, x):\n        self.x = x\n        return np.maximum(x, 0)\n\n"
        "    def backward(self, dy):\n        return dy * (self.x > 0)\n",
        "dy * (self.x > 0)",
        "dy * self.x > 0",
    ),
    "softmax-jacobian-diagonal-only": (
        "import numpy as np\n\ndef softmax(z):\n    e = np.exp(z - z.max())\n    return e / e.sum()\n\n"
        "def softmax_derivative(z):\n    p = softmax(z)\n    return np.diag(p) - np.outer(p, p)\n\n"
        "use = softmax_derivative\n",
        "np.diag(p) - np.outer(p, p)",
        "p * (1 - p)",
    ),
}


@pytest.mark.parametrize("slug", WILD)
def test_faults_from_the_wild_have_names(tmp_path, slug):
    right, before, after = WILD[slug]
    assert {finding.verdict for finding in findings_in(tmp_path, right)} == {"right"}
    wrong = findings_in(tmp_path, right.replace(before, after))
    assert {finding.diagnosis for finding in wrong if finding.verdict == "wrong"} == {slug}


def test_a_layer_of_ours_that_binds_its_gradient_anew(tmp_path):
    text = """
from plainnet.initializers import he_normal
from plainnet.layers.layer import Layer

class Scale(Layer):
    def build(self, in_shape):
        self.w = self.declare("w", in_shape, he_normal, fan_in=in_shape[0])
        return in_shape

    def forward(self, x, *, training=False):
        self.remember(x)
        return x * self.w.value

    def backward(self, dy, *, need_dx=True):
        (x,) = self.recall()
        self.w.grad[...] = (dy * x).sum(axis=0)
        return dy * self.w.value
"""
    assert [finding.verdict for finding in findings_in(tmp_path, text)] == ["right"]
    (finding,) = findings_in(tmp_path, text.replace("self.w.grad[...] =", "self.w.grad ="))
    assert (finding.verdict, finding.diagnosis) == ("wrong", "gradient-rebound")


def test_a_loss_whose_gradient_is_by_the_logits_is_left_open(tmp_path):
    """What lies below decides: a softmax that passes it on, or one that multiplies by its derivative again."""
    text = """
import numpy as np

class CrossEntropy:
    def loss(self, y_pred, y_true):
        return -np.sum(y_true * np.log(y_pred)) / len(y_pred)

    def gradient(self, y_pred, y_true):
        return (y_pred - y_true) / len(y_pred)
"""
    (finding,) = findings_in(tmp_path, text)
    assert finding.verdict == "undecidable"
    assert "right if softmax over axis 1 lies below" in finding.evidence


def test_both_a_loss_that_is_reported_and_one_that_is_descended(tmp_path):
    """The loss is a mean over all numbers, its gradient a sum: a remark, since only the size of the steps differs."""
    text = """
import numpy as np

class MeanSquared:
    def loss(self, y_pred, y_true):
        return np.mean((y_pred - y_true) ** 2)

    def gradient(self, y_pred, y_true):
        return 2 * (y_pred - y_true)
"""
    (finding,) = findings_in(tmp_path, text)
    assert (finding.verdict, [remark.name for remark in finding.remarks]) == ("right", ["reported-loss-not-descended"])


def test_derivatives_of_activations(tmp_path):
    text = """
import numpy as np

def sigmoid(x, deriv=False):
    return x * (1 - x) if deriv else 1 / (1 + np.exp(-x))

def elu(x):
    return np.where(x > 0, x, np.exp(x) - 1)

def elu_prime(x):
    return np.where(x > 0, 1, {slope})

class Cube:
    def function(self, x):
        return x ** 3

    def derivative(self, x):
        return 3 * x ** 2
"""
    found = {finding.name: finding for finding in findings_in(tmp_path, text.format(slope="np.exp(x)"))}
    assert {name: finding.verdict for name, finding in found.items()} == dict.fromkeys(
        ("sigmoid", "elu_prime", "Cube.derivative"), "right"
    )
    assert "as a function of the output" in found["sigmoid"].evidence
    found = {finding.name: finding for finding in findings_in(tmp_path, text.format(slope="np.exp(x) - 1"))}
    assert found["elu_prime"].verdict == "wrong"


ENGINE = """
import math

class Value:
    def __init__(self, data, _children=()):
        self.data, self.grad, self._prev, self._backward = data, 0.0, set(_children), lambda: None

    def __add__(self, other):
        out = Value(self.data + other.data, (self, other))
        def _backward():
            self.grad += out.grad
            other.grad += out.grad
        out._backward = _backward
        return out

    def __mul__(self, other):
        out = Value(self.data * other.data, (self, other))
        def _backward():
            self.grad += other.data * out.grad
            other.grad += self.data * out.grad
        out._backward = _backward
        return out

    def tanh(self):
        t = math.tanh(self.data)
        out = Value(t, (self,))
        def _backward():
            self.grad += (1 - t ** 2) * out.grad
        out._backward = _backward
        return out

    def backward(self):
        order, seen = [], set()
        def visit(v):
            if v not in seen:
                seen.add(v)
                for child in v._prev:
                    visit(child)
                order.append(v)
        visit(self)
        self.grad = 1.0
        for v in reversed(order):
            v._backward()
"""


def test_engines_are_judged_operation_by_operation(tmp_path):
    found = {finding.name: finding.verdict for finding in findings_in(tmp_path, ENGINE)}
    assert found == dict.fromkeys(("Value.backward", "Value.__add__", "Value.__mul__", "Value.tanh"), "right")
    set_instead_of_added = ENGINE.replace("self.grad += other.data * out.grad", "self.grad = other.data * out.grad")
    found = {finding.name: finding.verdict for finding in findings_in(tmp_path, set_instead_of_added)}
    assert found["Value.__mul__"] == "wrong"  # a node that is used twice
    wrong = ENGINE.replace("(1 - t ** 2)", "(1 - t)")
    assert {f.name for f in findings_in(tmp_path, wrong) if f.verdict == "wrong"} == {"Value.tanh"}


def test_what_does_not_run_as_it_stands_is_said(tmp_path):
    text = (
        "import nothing_of_this_name\nfrom nothing_of_this_name import jit\nimport numpy as np\n"
        "data = np.loadtxt('absent.csv')\nx = undefined\n\n@jit\ndef helper(x):\n    return x\n" + DENSE
    )
    (tmp_path / "homework.py").write_text(text)
    found = examination(tmp_path / "homework.py")
    assert found.names("right") == ["Dense"]
    assert "replaced by stand-ins: nothing_of_this_name" in found.notes[0]
    assert "made-up data in line 4" in found.notes[1]
    assert "line 5: NameError" in found.notes[2]


def test_python_2_and_markdown(tmp_path):
    old = DENSE + "\nfor i in xrange(3):\n    print 'step', i\n"
    (finding,) = findings_in(tmp_path, old)
    assert finding.verdict == "right"
    page = f"# Homework\n\n```python\n{DENSE}```\n\n```\n$ a shell line\n```\n"
    (finding,) = findings_in(tmp_path, page, "page.md")
    assert finding.verdict == "right"


def test_what_was_not_examined_is_listed_and_has_not_passed(tmp_path, capsys):
    text = DENSE + "\n\ndef backprop_through_time(cell, steps):\n    return [cell(step) for step in steps]\n"
    (tmp_path / "homework.py").write_text(text)
    assert main(["doctor", str(tmp_path / "homework.py")]) == 2
    printed = capsys.readouterr().out
    assert "backprop_through_time" in printed
    assert "1 examined of 2 seen, 0 wrong" in printed


def test_folders_pages_and_tables(tmp_path, capsys):
    (tmp_path / "right.py").write_text(DENSE)
    (tmp_path / "wrong.py").write_text(DENSE.replace("dy.sum", "dy.mean"))
    (tmp_path / "plain.py").write_text("x = 3\n")
    out = tmp_path.parent / f"{tmp_path.name}.html"
    table = out.with_suffix(".json")
    assert main(["doctor", str(tmp_path), "--html", str(out), "--json", str(table)]) == 1
    assert "3 files: 2 examined of 2 seen, 1 wrong, in" in capsys.readouterr().out
    page = out.read_text()
    assert '-L15" class="at"' in page
    assert "the bias gradient is a mean over the batch" in page
    files = json.loads(table.read_text())["files"]
    assert [file["score"]["wrong"] for file in files] == [0, 0, 1]
    assert main(["doctor", str(tmp_path / "wrong.py"), "--accept", "bias-gradient-averaged"]) == 0
    assert "remark: the bias gradient is a mean" in capsys.readouterr().out
    assert main(["doctor", str(tmp_path / "wrong.py"), "--accept", "no-such-fault"]) == 2
    assert "the catalogue has no fault named no-such-fault" in capsys.readouterr().err


def test_a_remark_can_be_a_fault():
    remark = {"name": "log-of-zero", "evidence": "it is infinite", "line": 3}
    finding = {"name": "loss", "verdict": "right", "array": None, "diagnosis": None, "evidence": "", "line": None}
    (found,) = weighed([finding | {"remarks": [remark]}], strict=["log-of-zero"])
    assert (found["verdict"], found["diagnosis"], found["line"]) == ("wrong", "log-of-zero", 3)


def forward(W, b, x):
    hidden = np.tanh(x @ W + b)
    return hidden, (x, hidden)


def backward(d_hidden, cache, W):
    x, hidden = cache
    dz = d_hidden * (1 - hidden**2)
    dW = x.T @ dz
    db = dz.sum(axis=0)
    return dW, db


def averaged(d_hidden, cache, W):
    dW, db = backward(d_hidden, cache, W)
    db = db / len(d_hidden)
    return dW, db


def test_the_user_may_say_what_belongs_together(tmp_path):
    rng = np.random.default_rng(0)
    inputs = {"W": rng.normal(size=(4, 3)), "b": rng.normal(size=3), "x": rng.normal(size=(5, 4))}
    (finding,) = examine(forward, backward, inputs, wrt=["W", "b"])
    assert finding.verdict == "right"
    (finding,) = examine(forward, averaged, inputs, wrt=["W", "b"])
    assert (finding.verdict, finding.array) == ("wrong", "db")
    with pytest.raises(InputError, match="wrt names V, but inputs has only"):
        examine(forward, backward, inputs, wrt=["V"])
    text = (
        "import numpy as np\n\ndef ahead(W, b, x):\n    return np.tanh(x @ W + b), (x, W, b)\n\n"
        "def astern(dy, cache):\n    x, W, b = cache\n    dz = dy * (1 - np.tanh(x @ W + b) ** 2)\n    dW = x.T @ dz\n"
        "    db = dz.sum(axis=0)\n    return dW, db\n"
    )
    (tmp_path / "own.py").write_text(text)
    names = ["--forward", "ahead", "--backward", "astern", "--wrt", "W,b"]
    assert main(["doctor", str(tmp_path / "own.py"), *names]) == 0
    (tmp_path / "own.py").write_text(text.replace("dz.sum", "dz.mean"))
    assert main(["doctor", str(tmp_path / "own.py"), *names]) == 1


@pytest.mark.slow
def test_a_hundred_thousand_weights(tmp_path):
    text = (
        DENSE.replace("n_in, n_out):", "n_in=784, n_out=128):")
        .replace("self, n_in=784", "self")
        .replace("np.random.randn(n_in, n_out)", "np.random.randn(784, 128)")
    )
    text = text.replace("def __init__(self, n_out=128):", "def __init__(self):").replace(
        "np.zeros(n_out)", "np.zeros(128)"
    )
    (finding,) = findings_in(tmp_path, text)
    assert finding.verdict == "right"
    (finding,) = findings_in(
        tmp_path, text.replace("self.dW = self.x.T @ dy", "self.dW = self.x.T @ dy; self.dW[5, 7] *= 1.01")
    )
    assert finding.verdict == "wrong"
