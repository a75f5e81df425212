"""Faults to put into the specimens, one at a time, where the text they replace stands exactly once.

A fault is (slug, name of the subject, the right text, the wrong text), so the line of the fault is known.
"""

from typing import NamedTuple

from specimens import source


class Injection(NamedTuple):
    """One fault: what it is called, where it goes, and the texts before and after."""

    slug: str
    subject: str
    right: str
    wrong: str


def _i(slug: str, *rest: str) -> Injection:
    return Injection(slug, *rest)


CLASS_FAULTS = [
    _i("gradient-divided-twice", "Dense", "self.dW = self.x.T @ dout\n", "self.dW = self.x.T @ dout / len(dout)\n"),
    _i("sign-flipped", "Dense", "self.dW = self.x.T @ dout\n", "self.dW = -self.x.T @ dout\n"),
    _i("sign-flipped", "Tanh", "return dout * (1 -", "return -dout * (1 -"),
    _i("bias-gradient-averaged", "Dense", "dout.sum(axis=0)", "dout.mean(axis=0)"),
    _i("bias-gradient-averaged", "Linear", "grad.sum(axis=0, keepdims", "grad.mean(axis=0, keepdims"),
    _i("bias-gradient-not-summed", "Dense", "self.db = dout.sum(axis=0)", "self.db = dout"),
    _i("weight-not-transposed-in-dx", "Dense", "return dout @ self.W.T", "return dout @ self.W"),
    _i("weight-not-transposed-in-dx", "Linear", 'grad @ self.params["weight"]\n', 'grad @ self.params["weight"].T\n'),
    _i("relu-mask-missing", "ReLU", "dx = dout * (self.x > 0)", "dx = dout"),
    _i("relu-mask-inclusive-on-output", "ReLU", "(self.x > 0)", "(self.out >= 0)"),
    _i("relu-mask-from-wrong-array", "ReLU", "(self.x > 0)", "(dout > 0)"),
    _i("relu-mask-missing", "TwoLayerNet", "dz1 = dh * (z1 > 0)", "dz1 = dh"),
    _i("gradient-not-divided-by-the-batch", "SoftmaxCrossEntropy", "(self.p - one_hot) / n", "(self.p - one_hot)"),
    _i("gradient-not-divided-by-the-batch", "TwoLayerNet", "dscores /= n", "dscores /= 1"),
    _i("gradient-divided-twice", "SoftmaxCrossEntropy", "(self.p - one_hot) / n", "(self.p - one_hot) / n / n"),
    _i(
        "softmax-over-the-whole-batch",
        "SoftmaxCrossEntropy",
        "np.exp(shifted).sum(axis=1, keepdims=True)",
        "np.exp(logits - logits.max()).sum() * np.exp(logits.max() - logits.max(axis=1, keepdims=True))",
    ),
    _i(
        "softmax-without-max-shift",
        "SoftmaxCrossEntropy",
        "shifted = logits - logits.max(axis=1, keepdims=True)",
        "shifted = logits",
    ),
    _i("log-of-zero", "SoftmaxCrossEntropy", "log_p = shifted - log_sum", "log_p = np.log(np.exp(shifted - log_sum))"),
    _i("one-hot-missing", "SoftmaxCrossEntropy", "(self.p - one_hot) / n", "self.p / n"),
    _i("labels-off-by-one", "SoftmaxCrossEntropy", "[self.labels]", "[self.labels - 1]"),
    _i(
        "sigmoid-derivative-applied-twice",
        "Sigmoid",
        "dout * self.out * (1 - self.out)",
        "dout * (1 / (1 + np.exp(-self.out))) * (1 - 1 / (1 + np.exp(-self.out)))",
    ),
    _i(
        "sigmoid-derivative-of-the-input", "Sigmoid", "dout * self.out * (1 - self.out)", "dout * self.x * (1 - self.x)"
    ),
    _i("tanh-derivative-missing", "Tanh", "dout * (1 - self.out ** 2)", "dout * 1.0"),
    _i("tanh-derivative-applied-twice", "Tanh", "(1 - self.out ** 2)", "(1 - np.tanh(self.out) ** 2)"),
    _i("tanh-derivative-of-the-input", "Tanh", "(1 - self.out ** 2)", "(1 - self.x ** 2)"),
    _i("l2-factor-wrong", "TwoLayerNet", "dscores + self.reg * W2", "dscores + 2 * self.reg * W2"),
    _i("l2-missing-in-the-gradient", "TwoLayerNet", "X.T @ dz1 + self.reg * W1", "X.T @ dz1"),
    _i("l2-applied-to-biases", "TwoLayerNet", "dscores.sum(axis=0)", "dscores.sum(axis=0) + self.reg * b2"),
    _i("dropout-scale-missing", "Dropout", "return dout * self.mask / self.keep", "return dout * self.mask"),
    _i(
        "dropout-mask-redrawn",
        "Dropout",
        "return dout * self.mask /",
        "return dout * (np.random.rand(*dout.shape) < self.keep) /",
    ),
    _i("batch-norm-mean-path-missing", "BatchNorm", " + dmean / n", ""),
    _i("batch-norm-variance-path-missing", "BatchNorm", " + dvar * 2 * self.centered / n", ""),
    _i("batch-norm-statistics-constant", "BatchNorm", " + dvar * 2 * self.centered / n + dmean / n", ""),
    _i(
        "batch-norm-wrong-variance",
        "BatchNorm",
        "dx = dx_hat / self.std + dvar * 2 * self.centered / n + dmean / n",
        "dx = (dx_hat + (dvar * 2 * self.centered / n + dmean / n) * self.std) / (self.var + 1e-5)",
    ),
    _i("max-pool-first-image-only", "MaxPool", "for n in range(N):", "for n in range(1):"),
    _i(
        "max-pool-gradient-to-every-tie",
        "MaxPool",
        "dx[n, c, i * k + p, j * k + q] += dout[n, c, i, j]",
        "dx[n, c, i * k:(i + 1) * k, j * k:(j + 1) * k] += dout[n, c, i, j] * (window == window.max())",
    ),
    _i("convolution-filters-not-flipped", "Conv2D", "filters = self.W\n", "filters = self.W[:, :, ::-1, ::-1]\n"),
    _i(
        "stride-ignored-in-backward",
        "Conv2D",
        "slice(i * s, i * s + K), slice(j * s, j * s + K)",
        "slice(i, i + K), slice(j, j + K)",
    ),
    _i(
        "padding-ignored-in-backward",
        "Conv2D",
        "return dxp[:, :, p:p + self.x.shape[2], p:p + self.x.shape[3]]",
        "return dxp[:, :, :self.x.shape[2], :self.x.shape[3]]",
    ),
    _i("input-edited-in-place", "ReLU", "self.out = np.maximum(0, x)", "self.out = 1.0 * np.maximum(0, x, out=x)"),
    _i("input-edited-in-place", "Sigmoid", "self.x = x\n", "self.x = x\n        x *= 1.5\n"),
    _i(
        "cached-previous-batch",
        "Dense",
        "        self.x = x\n",
        "        if not hasattr(self, 'x'):\n            self.x = x\n",
    ),
    _i(
        "gradient-accumulated",
        "Dense",
        "self.dW = self.x.T @ dout\n",
        "self.dW = getattr(self, 'dW', 0) + self.x.T @ dout\n",
    ),
    _i("momentum-sign", "SGD", "v = self.momentum * v - self", "v = -self.momentum * v - self"),
    _i(
        "clip-after-update",
        "SGD",
        '            g = np.clip(grads[name], -self.clip, self.clip)\n            if name.startswith("W"):\n'
        "                g = g + self.weight_decay * params[name]\n            v = self.velocity.get(name, 0.0)\n"
        "            v = self.momentum * v - self.lr * g\n            self.velocity[name] = v\n"
        "            params[name] = params[name] + v\n",
        "            params[name] = params[name] + 0.0\n            g = grads[name]\n"
        '            if name.startswith("W"):\n                g = g + self.weight_decay * params[name]\n'
        "            v = self.velocity.get(name, 0.0)\n            v = self.momentum * v - self.lr * g\n"
        "            self.velocity[name] = v\n            params[name] = np.clip(params[name] + v, -self.clip, self.clip)\n",
    ),
    _i("l2-applied-to-biases", "SGD", 'if name.startswith("W"):', "if True:  # decay"),
]
FUNCTION_FAULTS = [
    _i("gradient-divided-twice", "affine", ".T @ dout\n", ".T @ dout / len(x)\n"),
    _i("sign-flipped", "affine", "dx = (dout", "dx = (-dout"),
    _i("bias-gradient-averaged", "affine", "np.sum(dout, axis=0)", "np.mean(dout, axis=0)"),
    _i("bias-gradient-not-summed", "affine", "db = np.sum(dout, axis=0)", "db = dout"),
    _i("weight-not-transposed-in-dx", "affine", "dout @ w.T", "dout @ w"),
    _i("relu-mask-missing", "relu", "np.where(x > 0, dout, 0)", "dout * 1.0"),
    _i("relu-mask-inclusive-on-output", "relu", "np.where(x > 0, dout, 0)", "np.where(out >= 0, dout, 0)"),
    _i("relu-mask-from-wrong-array", "relu", "np.where(x > 0, dout, 0)", "np.where(dout > 0, dout, 0)"),
    _i("gradient-not-divided-by-the-batch", "softmax_loss", "    dx /= n\n", "    dx /= 1\n"),
    _i("gradient-divided-twice", "softmax_loss", "    dx /= n\n", "    dx /= n * n\n"),
    _i("softmax-over-the-whole-batch", "softmax_loss", "shifted = x - np.max(x, axis=1, keepdims=True)\n"
       "    z = np.sum(np.exp(shifted), axis=1, keepdims=True)", "shifted = x - np.max(x)\n    z = np.sum(np.exp(shifted))"),
    _i("softmax-without-max-shift", "softmax_loss", "shifted = x - np.max(x, axis=1, keepdims=True)", "shifted = x"),
    _i("log-of-zero", "softmax_loss", "-np.sum(log_probs[np.arange(n), y]) / n", "-np.sum(np.log(probs[np.arange(n), y])) / n"),
    _i("one-hot-missing", "softmax_loss", "dx[np.arange(n), y] -= 1", "dx[np.arange(n), y] -= 0"),
    _i("labels-off-by-one", "softmax_loss", "dx[np.arange(n), y] -= 1", "dx[np.arange(n), y - 1] -= 1"),
    _i("sigmoid-derivative-applied-twice", "sigmoid", "dout * sigmoid(x) * (1 - sigmoid(x))",
       "dout * sigmoid(out) * (1 - sigmoid(out))"),
    _i("sigmoid-derivative-of-the-input", "sigmoid", "dout * sigmoid(x) * (1 - sigmoid(x))", "dout * x * (1 - x)"),
    _i("tanh-derivative-missing", "tanh", "slope = 1 - out * out", "slope = 1.0"),
    _i("tanh-derivative-applied-twice", "tanh", "slope = 1 - out * out", "slope = 1 - np.tanh(out) ** 2"),
    _i("tanh-derivative-of-the-input", "tanh", "slope = 1 - out * out", "slope = 1 - x * x"),
    _i("dropout-scale-missing", "dropout", 'dout * mask / dropout_param["p"]', "dout * mask"),
    _i("dropout-mask-redrawn", "dropout", "dx = dout * mask /", "dx = dout * (np.random.rand(*dout.shape) < dropout_param['p']) /"),
    _i("batch-norm-mean-path-missing", "batchnorm", " - dxh.mean(axis=0)", ""),
    _i("batch-norm-variance-path-missing", "batchnorm", " - x_hat * (dxh * x_hat).mean(axis=0)", ""),
    _i("batch-norm-statistics-constant", "batchnorm", "(dxh - dxh.mean(axis=0) - x_hat * (dxh * x_hat).mean(axis=0))", "dxh"),
    _i("batch-norm-wrong-variance", "batchnorm", "dx = inv_std *",
       "dx = 1 / np.sqrt(var * len(dout) / (len(dout) - 1) + 1e-5) *"),
    _i("max-pool-gradient-to-every-tie", "max_pool", "mask = np.arange(window.size).reshape(window.shape) == window.argmax()",
       "mask = window == window.max()"),
    _i("max-pool-first-image-only", "max_pool", "for n in range(len(x)):", "for n in [0]:"),
    _i("convolution-filters-not-flipped", "conv", "wb = w\n", "wb = w[:, :, ::-1, ::-1]\n"),
    _i("stride-ignored-in-backward", "conv", "(slice(None), slice(i * s, i * s + HH), slice(j * s, j * s + WW))",
       "(slice(None), slice(i, i + HH), slice(j, j + WW))"),
    _i("padding-ignored-in-backward", "conv", "dx = dxp[:, :, p:p + x.shape[2], p:p + x.shape[3]]",
       "dx = dxp[:, :, :x.shape[2], :x.shape[3]]"),
    _i("input-edited-in-place", "relu", "out = np.maximum(0, x)", "x[x < 0] = 0; out = x.copy()"),
    _i("cached-previous-batch", "affine", "    cache = (x, w, b)\n",
       "    if not hasattr(affine_forward, 'x') or affine_forward.x.shape != x.shape:\n        affine_forward.x = x.copy()\n"
       "    cache = (affine_forward.x, w, b)\n"),
    _i("gradient-accumulated", "affine", "db = np.sum(dout, axis=0)",
       "db = affine_backward.db = getattr(affine_backward, 'db', np.zeros(b.shape)) * 1 + np.sum(dout, axis=0)"),
    _i("momentum-sign", "sgd_momentum", 'v = config["momentum"] * v -', 'v = -config["momentum"] * v -'),
    _i("clip-after-update", "sgd_momentum",
       '    dw = np.clip(dw, -config["clip"], config["clip"])\n    dw = dw + config["weight_decay"] * w\n'
       '    v = config["momentum"] * v - config["learning_rate"] * dw\n    config["velocity"] = v\n    next_w = w + v\n',
       '    dw = dw + 0.0\n    dw = dw + config["weight_decay"] * w\n'
       '    v = config["momentum"] * v - config["learning_rate"] * dw\n    config["velocity"] = v\n'
       '    next_w = np.clip(w + v, -config["clip"], config["clip"])\n'),
    _i("l2-factor-wrong", "sgd_momentum", 'config["weight_decay"] * w', '2 * config["weight_decay"] * w'),
]  # fmt: skip


def inject(specimens: dict[str, str], fault: Injection) -> tuple[str, list[int]]:
    """Return a file with one specimen that has one fault, and the numbers of the lines that differ."""
    right = source(specimens, fault.subject)
    assert right.count(fault.right) == 1, f"{fault.right!r} stands {right.count(fault.right)} times"
    wrong = right.replace(fault.right, fault.wrong)
    before, after = right.splitlines(), wrong.splitlines()
    return wrong, [n for n, line in enumerate(after, 1) if line not in before] or [
        n for n, (a, b) in enumerate(zip(before, after, strict=False), 1) if a != b
    ][:1]
