"""Forms that have to be called in a way of their own: each as a right file, and with one part of it replaced by a wrong one."""

import textwrap

import numpy as np
import pytest

from plainnet.checks.code.uses import use_of
from plainnet.checks.code.worker import examined
from plainnet.doctor import examination

FORMS = {
    "images in four axes": (
        """
        import numpy as np

        def conv_forward(A_prev, W, b, hparameters):
            (m, h, w, c) = A_prev.shape
            (f, f, c, k) = W.shape
            stride, pad = hparameters["stride"], hparameters["pad"]
            A = np.pad(A_prev, ((0, 0), (pad, pad), (pad, pad), (0, 0)))
            H, V = int((h - f + 2 * pad) / stride) + 1, int((w - f + 2 * pad) / stride) + 1
            Z = np.zeros((m, H, V, k))
            for i in range(H):
                for j in range(V):
                    part = A[:, i * stride : i * stride + f, j * stride : j * stride + f, :]
                    Z[:, i, j, :] = np.tensordot(part, W, 3) + b[0, 0, 0]
            return Z, (A_prev, W, b, hparameters)

        def conv_backward(dZ, cache):
            (A_prev, W, b, hparameters) = cache
            (m, h, w, c) = A_prev.shape
            f, stride, pad = W.shape[0], hparameters["stride"], hparameters["pad"]
            A = np.pad(A_prev, ((0, 0), (pad, pad), (pad, pad), (0, 0)))
            dA, dW = np.zeros(A.shape), np.zeros(W.shape)
            for i in range(dZ.shape[1]):
                for j in range(dZ.shape[2]):
                    rows, columns = slice(i * stride, i * stride + f), slice(j * stride, j * stride + f)
                    dA[:, rows, columns, :] += np.tensordot(dZ[:, i, j, :], W, ((1,), (3,)))
                    dW += np.tensordot(A[:, rows, columns, :], dZ[:, i, j, :], ((0,), (0,)))
            db = dZ.sum(axis=(0, 1, 2)).reshape(b.shape)
            return dA[:, pad : pad + h, pad : pad + w, :], dW, db
        """,
        ("((0,), (0,)))", "((0,), (0,))) / m"),
        "dW",
    ),
    "two gradients from above": (
        """
        import numpy as np

        def sigmoid(x):
            return 1 / (1 + np.exp(-x))

        def cell_forward(xt, a_prev, c_prev, parameters):
            W, V = parameters["W"], parameters["V"]
            both = np.concatenate([a_prev, xt])
            gate, new = sigmoid(W @ both), np.tanh(V @ both)
            c_next = (1 - gate) * c_prev + gate * new
            a_next = np.tanh(c_next)
            return a_next, c_next, (xt, a_prev, c_prev, both, gate, new, a_next, parameters)

        def cell_backward(da_next, dc_next, cache):
            xt, a_prev, c_prev, both, gate, new, a_next, parameters = cache
            dc = dc_next + da_next * (1 - a_next**2)
            dgate = dc * (new - c_prev) * gate * (1 - gate)
            dnew = dc * gate * (1 - new**2)
            dboth = parameters["W"].T @ dgate + parameters["V"].T @ dnew
            n = len(a_prev)
            return {"da_prev": dboth[:n], "dxt": dboth[n:], "dc_prev": dc * (1 - gate), "dW": dgate @ both.T, "dV": dnew @ both.T}

        rng = np.random.default_rng(1)
        parameters = {"W": rng.normal(size=(4, 7)), "V": rng.normal(size=(4, 7))}
        a, c, cache = cell_forward(rng.normal(size=(3, 5)), rng.normal(size=(4, 5)), rng.normal(size=(4, 5)), parameters)
        print(cell_backward(rng.normal(size=(4, 5)), rng.normal(size=(4, 5)), cache)["dW"])
        """,
        ("dc = dc_next + da_next", "dc = da_next"),
        "",
    ),
    "names that speak of a forward pass": (
        """
        import numpy as np
        from course_utils import forward_propagation, compute_cost

        def backward_propagation(X, Y, cache):
            m = X.shape[1]
            (Z1, A1, W1, b1, Z2, A2, W2, b2, Z3, A3, W3, b3) = cache
            dZ3 = A3 - Y
            dW3 = 1. / m * np.dot(dZ3, A2.T)
            db3 = 1. / m * np.sum(dZ3, axis=1, keepdims=True)
            dZ2 = np.multiply(np.dot(W3.T, dZ3), np.int64(A2 > 0))
            dW2 = 1. / m * np.dot(dZ2, A1.T)
            db2 = 1. / m * np.sum(dZ2, axis=1, keepdims=True)
            dZ1 = np.multiply(np.dot(W2.T, dZ2), np.int64(A1 > 0))
            dW1 = 1. / m * np.dot(dZ1, X.T)
            db1 = 1. / m * np.sum(dZ1, axis=1, keepdims=True)
            return {"dW3": dW3, "db3": db3, "dW2": dW2, "db2": db2, "dW1": dW1, "db1": db1}
        """,
        ("dW2 = 1. / m * np.dot(dZ2, A1.T)", "dW2 = 2. / m * np.dot(dZ2, A1.T)"),
        "dW2",
    ),
    "functions that were imported": (
        """
        import numpy as np
        from course_utils import *

        def layer_forward(A_prev, W, b, activation):
            Z = W @ A_prev + b
            if activation == "sigmoid":
                A, activation_cache = sigmoid(Z)
            elif activation == "relu":
                A, activation_cache = relu(Z)
            return A, ((A_prev, W, b), activation_cache)

        def layer_backward(dA, cache, activation):
            (A_prev, W, b), activation_cache = cache
            if activation == "relu":
                dZ = relu_backward(dA, activation_cache)
            elif activation == "sigmoid":
                dZ = dA * 1 / (1 + np.exp(-activation_cache)) * (1 - 1 / (1 + np.exp(-activation_cache)))
            m = A_prev.shape[1]
            return W.T @ dZ, dZ @ A_prev.T / m, dZ.sum(axis=1, keepdims=True) / m

        from course_utils import relu_backward
        """,
        ("return W.T @ dZ,", "return W.T @ dA,"),
        "d",
    ),
    "a program that makes its objects": (
        """
        import numpy as np

        class Unit:
            def __init__(self, plan):
                if plan["kind"] != "dense" or plan["ends"][1] < 2:
                    raise ValueError("unknown plan")
                rng = np.random.default_rng(3)
                self.W = rng.normal(size=plan["ends"])

            def forward(self, x):
                self.x = x
                return np.tanh(x @ self.W)

            def backward(self, dy):
                dz = dy * (1 - np.tanh(self.x @ self.W) ** 2)
                self.dW = self.x.T @ dz
                return dz @ self.W.T

        if __name__ == "__main__":
            unit = Unit({"kind": "dense", "ends": (4, 3)})
            x = np.random.default_rng(5).normal(size=(6, 4))
            unit.backward(unit.forward(x) - 1)
        """,
        ("self.dW = self.x.T @ dz", "self.dW = self.x.T @ dy"),
        "dW",
    ),
    "a network of layers that it is given": (
        """
        import numpy as np

        class Dense:
            def __init__(self, n_in, n_out):
                self.W = np.random.randn(n_in, n_out)
                self.b = np.zeros(n_out)

            def forward(self, x):
                self.x = x
                return x @ self.W + self.b

            def backward(self, grad):
                self.dW, self.db = self.x.T @ grad, grad.sum(axis=0)
                return grad @ self.W.T

        class Tanh:
            def forward(self, x):
                self.y = np.tanh(x)
                return self.y

            def backward(self, grad):
                return grad * (1 - self.y**2)

        class Network:
            def __init__(self, layers):
                self.layers = layers

            def forward(self, x):
                for layer in self.layers:
                    x = layer.forward(x)
                return x

            def backward(self, grad):
                for layer in reversed(self.layers):
                    grad = layer.backward(grad)
                return grad
        """,
        ("self.dW, self.db = self.x.T @ grad", "self.dW, self.db = self.x.T @ grad / len(grad)"),
        "dW",
    ),
    "examples that the author turns round": (
        """
        import numpy as np

        class NeuralNetwork:
            def __init__(self, input_nodes, hidden_nodes, output_nodes, learning_rate):
                self.wih = np.random.normal(0.0, input_nodes**-0.5, (hidden_nodes, input_nodes))
                self.who = np.random.normal(0.0, hidden_nodes**-0.5, (output_nodes, hidden_nodes))
                self.lr = learning_rate

            def query(self, inputs_list):
                inputs = np.array(inputs_list, ndmin=2).T
                return 1 / (1 + np.exp(-self.who @ (1 / (1 + np.exp(-self.wih @ inputs)))))

            def train(self, inputs_list, targets_list):
                inputs = np.array(inputs_list, ndmin=2).T
                targets = np.array(targets_list, ndmin=2).T
                hidden = 1 / (1 + np.exp(-self.wih @ inputs))
                final = 1 / (1 + np.exp(-self.who @ hidden))
                errors = (targets - final) * final * (1 - final)
                hidden_errors = self.who.T @ errors
                self.who += self.lr * errors @ hidden.T
                self.wih += self.lr * (hidden_errors * hidden * (1 - hidden)) @ inputs.T
        """,
        ("hidden_errors = self.who.T @ errors", "hidden_errors = self.who.T @ (targets - final)"),
        "wih",
    ),
    "a loss for every example": (
        """
        import numpy as np

        class Loss_CategoricalCrossentropy:
            def forward(self, y_pred, y_true):
                clipped = np.clip(y_pred, 1e-7, 1 - 1e-7)
                if len(y_true.shape) == 1:
                    return -np.log(clipped[range(len(y_pred)), y_true])
                return -np.log(np.sum(clipped * y_true, axis=1))

            def backward(self, dvalues, y_true):
                if len(y_true.shape) == 1:
                    y_true = np.eye(len(dvalues[0]))[y_true]
                self.dinputs = -y_true / dvalues / len(dvalues)
        """,
        None,
        "",
    ),
    "a gradient on demand": (
        """
        import numpy as np

        def cost(theta, X, y, lambda_reg, return_grad=False):
            m = len(y)
            h = 1 / (1 + np.exp(-X.dot(theta)))
            J = -(y * np.log(h) + (1 - y) * np.log(1 - h)).sum() / m + lambda_reg / (2 * m) * (theta[1:] ** 2).sum()
            grad = X.T.dot(h - y) / m
            grad[1:] += lambda_reg / m * theta[1:]
            if return_grad:
                return J, grad
            return J
        """,
        ("grad[1:] += lambda_reg / m * theta[1:]", "grad += lambda_reg / m * theta"),
        "grad",
    ),
    "an activation chosen by a word": (
        """
        import numpy as np

        class Activation:
            def __init__(self, mode="relu"):
                self.mode = mode

            def forward(self, x):
                self.x = x
                if self.mode == "relu":
                    return np.maximum(x, 0)
                elif self.mode == "softplus":
                    return np.log1p(np.exp(x))

            def backward(self, dy):
                if self.mode == "relu":
                    return dy * (self.x > 0)
                elif self.mode == "softplus":
                    return dy / (1 + np.exp(-self.x))
        """,
        ("return dy / (1 + np.exp(-self.x))", "return dy / (1 + np.exp(self.x))"),
        "d",
    ),
    "an embedding": (
        """
        import numpy as np

        class Embedding:
            def __init__(self, vocab_size, dim):
                self.W = np.random.randn(vocab_size, dim)
                self.grad = np.zeros_like(self.W)

            def forward(self, idx):
                self.idx = idx
                return self.W[idx]

            def backward(self, dout):
                self.grad = np.zeros_like(self.W)
                np.add.at(self.grad, self.idx, dout)
        """,
        ("np.add.at(self.grad, self.idx, dout)", "self.grad[self.idx] = dout"),
        "grad",
    ),
    "a sequence in three axes": (
        """
        import numpy as np

        def dense_forward(x, W, b):
            batch, time, features = x.shape
            out = x @ W + b
            return out, (x, W, b)

        def dense_backward(dout, cache):
            x, W, b = cache
            dx = dout @ W.T
            dW = np.einsum("btf,btu->fu", x, dout)
            db = dout.sum(axis=(0, 1))
            return dx, dW, db
        """,
        ("dout.sum(axis=(0, 1))", "dout.sum(axis=0).mean(axis=0)"),
        "db",
    ),
    "an unrolled theta": (
        """
        import numpy as np

        def sigmoid(z):
            return 1 / (1 + np.exp(-z))

        def nnCostFunction(nn_params, input_layer_size, hidden_layer_size, num_labels, X, y, lambda_=0.0):
            cut = hidden_layer_size * (input_layer_size + 1)
            Theta1 = nn_params[:cut].reshape(hidden_layer_size, input_layer_size + 1)
            Theta2 = nn_params[cut:].reshape(num_labels, hidden_layer_size + 1)
            m = X.shape[0]
            a1 = np.hstack([np.ones((m, 1)), X])
            a2 = np.hstack([np.ones((m, 1)), sigmoid(a1 @ Theta1.T)])
            a3 = sigmoid(a2 @ Theta2.T)
            Y = np.eye(num_labels)[y]
            J = np.sum(-Y * np.log(a3) - (1 - Y) * np.log(1 - a3)) / m
            d3 = a3 - Y
            d2 = (d3 @ Theta2)[:, 1:] * a2[:, 1:] * (1 - a2[:, 1:])
            grad = np.concatenate([(d2.T @ a1 / m).ravel(), (d3.T @ a2 / m).ravel()])
            return J, grad
        """,
        ("(d2.T @ a1 / m)", "(d2.T @ a1)"),
        "grad",
    ),
    "one image at a time": (
        """
        import numpy as np

        class Conv3x3:
            def __init__(self, num_filters):
                self.num_filters = num_filters
                self.filters = np.random.randn(num_filters, 3, 3) / 9

            def forward(self, image):
                self.last_input = image
                h, w = image.shape
                out = np.zeros((h - 2, w - 2, self.num_filters))
                for i in range(h - 2):
                    for j in range(w - 2):
                        out[i, j] = np.sum(image[i : i + 3, j : j + 3] * self.filters, axis=(1, 2))
                return out

            def backprop(self, d_L_d_out, learn_rate):
                d_filters, d_image = np.zeros(self.filters.shape), np.zeros(self.last_input.shape)
                h, w = self.last_input.shape
                for i in range(h - 2):
                    for j in range(w - 2):
                        for f in range(self.num_filters):
                            d_filters[f] += d_L_d_out[i, j, f] * self.last_input[i : i + 3, j : j + 3]
                            d_image[i : i + 3, j : j + 3] += d_L_d_out[i, j, f] * self.filters[f]
                self.filters -= learn_rate * d_filters
                return d_image
        """,
        ("f] * self.last_input[i : i + 3, j : j + 3]", "f] * self.last_input[i : i + 3, j : j + 3].T"),
        "filters",
    ),
    "one method for dx and one for the weights": (
        """
        import numpy as np

        class Linear:
            def __init__(self, n_in, n_out):
                self.W = np.random.randn(n_in, n_out)
                self.gradient = np.zeros((n_in, n_out))

            def zero_grad(self):
                self.gradient = np.zeros(self.W.shape)

            def forward(self, X):
                return X @ self.W

            def backward_update_gradient(self, input, delta):
                self.gradient = self.gradient + input.T @ delta

            def backward_delta(self, input, delta):
                return delta @ self.W.T
        """,
        ("input.T @ delta", "input.T @ np.abs(delta)"),
        "gradient",
    ),
    "operations that are objects": (
        """
        import numpy as np

        class Multiply:
            def __init__(self, a, b):
                self.a, self.b = a, b

            def forward(self):
                self.out = Tensor(self.a.data * self.b.data, (self.a, self.b), self)
                return self.out

            def backward(self):
                self.a.grad = self.a.grad + self.out.grad * self.b.data
                self.b.grad = self.b.grad + self.out.grad * self.a.data

        class Exp:
            def __init__(self, x):
                self.x = x

            def forward(self):
                self.out = Tensor(np.exp(self.x.data), (self.x,), self)
                return self.out

            def backward(self):
                self.x.grad = self.x.grad + self.out.grad * self.out.data

        class Tensor:
            def __init__(self, data, parents=(), operation=None):
                self.data, self.parents, self.operation, self.grad = np.array(data), parents, operation, 0.0

            def __add__(self, other):
                out = Tensor(self.data + other.data, (self, other))
                def back():
                    self.grad = self.grad + out.grad
                    other.grad = other.grad + out.grad
                out.back = back
                return out

            def __mul__(self, other):
                return Multiply(self, other).forward()

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
                    if node.operation is not None:
                        node.operation.backward()
                    elif node.parents:
                        node.back()
        """,
        ("self.out.grad * self.out.data", "self.out.grad * self.x.data"),
        "grad",
    ),
}


def verdicts(folder, text, name="file.py"):
    (folder / name).write_text(textwrap.dedent(text))
    with np.errstate(all="ignore"):
        return examined(folder / name)


@pytest.mark.parametrize("form", FORMS)
def test_a_right_file_is_right(tmp_path, form):
    found = verdicts(tmp_path, FORMS[form][0])
    assert {finding.verdict for finding in found.findings} == {"right"}, found.findings


@pytest.mark.parametrize("form", [form for form in FORMS if FORMS[form][1] is not None])
def test_a_wrong_part_is_found(tmp_path, form):
    text, (part, wrong), array = FORMS[form]
    assert part in text
    found = verdicts(tmp_path, text.replace(part, wrong))
    bad = [finding for finding in found.findings if finding.verdict == "wrong"]
    assert bad, found.findings
    assert any(array in finding.array for finding in bad)


POOL = """
import numpy as np

def pool_forward(x, pool_param):
    N, C, H, W = x.shape
    s = pool_param["stride"]
    h, w = 1 + (H - 2) / s, 1 + (W - 2) / s
    out = np.zeros((N, C, h, w))
    for i in range(h):
        for j in range(w):
            out[:, :, i, j] = x[:, :, i * s : i * s + 2, j * s : j * s + 2].mean(axis=(2, 3))
    return out, (x, pool_param)

def pool_backward(dout, cache):
    x, pool_param = cache
    s = pool_param["stride"]
    dx = np.zeros(x.shape)
    for i in range(dout.shape[2]):
        for j in range(dout.shape[3]):
            dx[:, :, i * s : i * s + 2, j * s : j * s + 2] += dout[:, :, i, j][:, :, None, None] / 4
    return dx
"""


def test_quotients_of_whole_numbers_may_count_as_in_python_2(tmp_path):
    (finding,) = verdicts(tmp_path, POOL).findings
    assert finding.verdict == "right"


def test_an_array_of_one_number_may_stand_for_it_as_in_an_older_numpy(tmp_path):
    text = """
    import numpy as np

    def layer_forward(x, W):
        z = np.zeros((x.shape[0], W.shape[1]))
        for i in range(x.shape[0]):
            for j in range(W.shape[1]):
                z[i, j] = x[i : i + 1] @ W[:, j : j + 1]
        return z

    def layer_backward(dz, x, W):
        return dz @ W.T, x.T @ dz
    """
    (finding,) = verdicts(tmp_path, text).findings
    assert finding.verdict == "right"


def test_the_author_s_other_files_are_read_in_the_same_way(tmp_path):
    (tmp_path / "parts").mkdir()
    (tmp_path / "parts" / "__init__.py").write_text("import no_such_package\nraise OSError('no data here')\n")
    (tmp_path / "parts" / "functions.py").write_text("print 'hello'\n\ndef halved(n):\n    return n / 2\n")
    text = """
    import numpy as np
    from parts.functions import halved

    class Half:
        def forward(self, x):
            self.n = halved(x.shape[1])
            return x[:, : self.n] * 3

        def backward(self, dy):
            return np.hstack([dy * 3, np.zeros((len(dy), dy.shape[1] + 1))])
    """
    found = verdicts(tmp_path, text)
    assert [finding.verdict for finding in found.findings] == ["right"], found.findings


def test_what_is_no_python_is_left_out_and_said(tmp_path):
    found = verdicts(
        tmp_path,
        "def sigmoid(x):\n    return x\n\na_next[4] = [ 0.5 0.25\n 0.125 ]\n\ndef d_sigmoid(x):\n    return 1 + 0 * x\n",
    )
    assert "line 4: SyntaxError" in found.loaded.failed[0]
    assert [finding.name for finding in found.findings] == ["d_sigmoid"]


def test_a_first_layer_needs_no_gradient_of_its_input_if_the_author_takes_none(tmp_path):
    text = """
    import numpy as np

    def fc_forward(x, W):
        return x @ W

    def fc_backward(dy, x, W):
        return x.T @ dy
    """
    caller = "\n    def step(x, W, dy):\n        return W - 0.1 * fc_backward(dy, x, W)\n"
    (alone,) = verdicts(tmp_path, text).findings
    found = verdicts(tmp_path, text + caller).findings
    assert alone.diagnosis == "input-gradient-missing"
    assert [remark.name for finding in found for remark in finding.remarks] == ["input-gradient-missing"]


def test_what_is_left_to_be_written_is_not_wrong(tmp_path):
    text = """
    import numpy as np

    def squared_loss(W, X, y, reg):
        dW = np.zeros(W.shape)
        e = X @ W - y
        loss = 0.5 * np.sum(e ** 2)
        # TODO: compute the gradient
        pass
        return loss, dW
    """
    (finding,) = verdicts(tmp_path, text).findings
    assert finding.verdict == "undecidable"
    assert "unfinished" in finding.evidence


def test_a_program_that_the_user_names_shows_how_a_file_is_used(tmp_path):
    package = tmp_path / "pkg" / "inner"
    package.mkdir(parents=True)
    for folder in (package, package.parent):
        (folder / "__init__.py").write_text("")
    (package.parent / "base.py").write_text("class Layer:\n    def scaled(self, x):\n        return 3 * x\n")
    (package / "hard.py").write_text(HARD)
    (alone,) = examination(package / "hard.py").findings
    (tmp_path / "train.py").write_text(
        "import numpy as np\nfrom pkg.inner.hard import Hard\n\n\nclass Plan:\n    shape = {'a': 5}\n\n\n"
        "layer = Hard(Plan())\nlayer.backward(layer.forward(np.ones((4, 5))))\n"
    )
    (seen,) = examination(package / "hard.py", run=tmp_path / "train.py").findings
    assert (alone["verdict"], seen["verdict"]) == ("undecidable", "right")


HARD = """
from ..base import Layer

class Hard(Layer):
    def __init__(self, plan):
        if plan.shape["a"] != 5:
            raise ValueError("plan")

    def forward(self, x):
        return self.scaled(x)

    def backward(self, dy):
        return 3 * dy
"""


def test_a_step_that_is_taken_too_soon_has_a_name(tmp_path):
    text = """
    import numpy as np

    class Dense:
        def __init__(self, n_in, n_out):
            self.W = np.random.randn(n_in, n_out)

        def forward(self, x):
            self.x = x
            return x @ self.W

        def backward(self, grad, learning_rate):
            self.W -= learning_rate * self.x.T @ grad
            return grad @ self.W.T
    """
    (finding,) = verdicts(tmp_path, text).findings
    assert finding.diagnosis == "weights-already-updated"


def test_images_that_are_not_square_show_what_square_ones_hide(tmp_path):
    text = """
    import numpy as np

    class Upsample:
        def forward(self, x):
            self.shape = x.shape
            return x.repeat(2, axis=2).repeat(2, axis=3)

        def backward(self, dout):
            n, c, h, w = self.shape
            return dout.reshape(n, c, w, 2, h, 2).sum(axis=(3, 5)){}
    """
    (finding,) = verdicts(tmp_path, text.format(".reshape(n, c, h, w)")).findings
    assert (finding.verdict, finding.diagnosis) == ("wrong", "height-and-width-exchanged")


def test_a_sigmoid_whose_derivative_is_forgotten_has_a_name(tmp_path):
    text = """
    import numpy as np

    def sigmoid(z):
        return 1 / (1 + np.exp(-z))

    def forward(X, W1, W2):
        A1 = sigmoid(X @ W1)
        Z2 = A1 @ W2
        return A1, Z2

    def backward(X, y, A1, Z2, W1, W2):
        d = (Z2 - y) / len(X)
        dW2 = A1.T @ d
        dW1 = X.T @ (d @ W2.T)
        return dW1, dW2
    """
    (finding,) = verdicts(tmp_path, text).findings
    assert (finding.verdict, finding.diagnosis) == ("wrong", "sigmoid-derivative-missing"), finding


def test_a_batch_size_that_is_kept_is_remarked_upon(tmp_path):
    text = """
    import numpy as np

    class Regression:
        def __init__(self, n_in, n_out, batch_size):
            self.W = np.random.randn(n_in, n_out)
            self.batch_size = batch_size

        def loss(self, X, y):
            self.error = X @ self.W - y
            return 0.5 * np.sum(self.error ** 2) / len(X)

        def gradient(self, X, y):
            return {"W": X.T @ (X @ self.W - y) / {}}
    """
    for divisor, remarks in (("self.batch_size", ["short-batch-divided-by-the-full-size"]), ("len(X)", [])):
        (finding,) = verdicts(tmp_path, text.replace("{}", divisor)).findings
        assert finding.verdict == "right"
        assert [remark.name for remark in finding.remarks] == remarks


def test_a_softmax_of_a_softmax_has_a_name(tmp_path):
    text = """
    import numpy as np

    def softmax(z):
        e = np.exp(z - z.max(axis=1, keepdims=True))
        return e / e.sum(axis=1, keepdims=True)

    class Net:
        def __init__(self, n_in, n_out):
            self.W = np.random.randn(n_in, n_out)

        def loss(self, X, y):
            n = len(X)
            p = softmax(X @ self.W)
            q = softmax(p)
            loss = -np.log(q[np.arange(n), y]).mean()
            d = {}.copy()
            d[np.arange(n), y] -= 1
            return loss, {{"W": X.T @ d / n}}
    """
    for which in ("q", "p"):
        (finding,) = verdicts(tmp_path, text.format(which)).findings
        assert (finding.verdict, finding.diagnosis) == ("wrong", "softmax-applied-twice"), finding


def layer(x, sizes, options, f, steps):
    n, c, h, w = x.shape
    for size in sizes[1:]:
        x = x + size
    return f(x)[: range(steps)[-1]] * options["pad"]


def test_what_is_done_with_an_argument_says_what_it_is():
    assert use_of(layer, "x").axes == 4
    assert use_of(layer, "sizes").through
    assert use_of(layer, "options").keys == ["pad"]
    assert use_of(layer, "f").called == 1
    assert use_of(layer, "steps").counts
