"""Right implementations in the forms that students write: layers and networks as classes, and pairs of functions."""

CLASSES = {
    "Dense": """
class Dense:
    def __init__(self, n_in, n_out):
        self.W = np.random.randn(n_in, n_out) * np.sqrt(2 / n_in)
        self.b = np.zeros(n_out)

    def forward(self, x):
        self.x = x
        return x @ self.W + self.b

    def backward(self, dout):
        self.dW = self.x.T @ dout
        self.db = dout.sum(axis=0)
        return dout @ self.W.T
""",
    "Linear": """
class Linear:
    def __init__(self, in_features, out_features):
        self.params = {"weight": 0.1 * np.random.randn(out_features, in_features), "bias": np.zeros((1, out_features))}
        self.grads = {"weight": None, "bias": None}

    def forward(self, inputs):
        self.inputs = inputs
        return inputs @ self.params["weight"].T + self.params["bias"]

    def backward(self, grad):
        self.grads["weight"] = grad.T @ self.inputs
        self.grads["bias"] = grad.sum(axis=0, keepdims=True)
        grad_inputs = grad @ self.params["weight"]
        return grad_inputs
""",
    "ReLU": """
class ReLU:
    def forward(self, x):
        self.x = x
        self.out = np.maximum(0, x)
        return self.out

    def backward(self, dout):
        dx = dout * (self.x > 0)
        return dx
""",
    "Sigmoid": """
class Sigmoid:
    def forward(self, x):
        self.x = x
        self.out = 1 / (1 + np.exp(-x))
        return self.out

    def backward(self, dout):
        return dout * self.out * (1 - self.out)
""",
    "Tanh": """
class Tanh:
    def forward(self, x):
        self.x = x
        self.out = np.tanh(x)
        return self.out

    def backward(self, dout):
        return dout * (1 - self.out ** 2)
""",
    "SoftmaxCrossEntropy": """
class SoftmaxCrossEntropy:
    def forward(self, logits, labels):
        self.labels = labels
        shifted = logits - logits.max(axis=1, keepdims=True)
        log_sum = np.log(np.exp(shifted).sum(axis=1, keepdims=True))
        log_p = shifted - log_sum
        self.p = np.exp(log_p)
        return -log_p[np.arange(len(labels)), labels].mean()

    def backward(self):
        n = len(self.labels)
        one_hot = np.eye(self.p.shape[1])[self.labels]
        dlogits = (self.p - one_hot) / n
        return dlogits
""",
    "Dropout": """
class Dropout:
    def __init__(self, p):
        self.keep = 1 - p

    def forward(self, x, training=True):
        self.mask = np.random.rand(*x.shape) < self.keep
        return x * self.mask / self.keep

    def backward(self, dout):
        return dout * self.mask / self.keep
""",
    "BatchNorm": """
class BatchNorm:
    def __init__(self, dim):
        self.gamma = np.ones(dim)
        self.beta = np.zeros(dim)

    def forward(self, x):
        self.mean = x.mean(axis=0)
        self.var = x.var(axis=0)
        self.std = np.sqrt(self.var + 1e-5)
        self.centered = x - self.mean
        self.x_hat = self.centered / self.std
        return self.gamma * self.x_hat + self.beta

    def backward(self, dout):
        n = len(dout)
        self.dgamma = (dout * self.x_hat).sum(axis=0)
        self.dbeta = dout.sum(axis=0)
        dx_hat = dout * self.gamma
        dvar = -0.5 * (dx_hat * self.centered).sum(axis=0) / self.std ** 3
        dmean = -dx_hat.sum(axis=0) / self.std
        dx = dx_hat / self.std + dvar * 2 * self.centered / n + dmean / n
        return dx
""",
    "MaxPool": """
class MaxPool:
    def __init__(self, size):
        self.size = size

    def forward(self, x):
        self.x = x
        N, C, H, W = x.shape
        k = self.size
        out = np.zeros((N, C, H // k, W // k))
        for i in range(H // k):
            for j in range(W // k):
                out[:, :, i, j] = x[:, :, i * k:(i + 1) * k, j * k:(j + 1) * k].max(axis=(2, 3))
        return out

    def backward(self, dout):
        dx = np.zeros_like(self.x)
        k = self.size
        N, C, H, W = dout.shape
        for n in range(N):
            for c in range(C):
                for i in range(H):
                    for j in range(W):
                        window = self.x[n, c, i * k:(i + 1) * k, j * k:(j + 1) * k]
                        p, q = np.unravel_index(window.argmax(), window.shape)
                        dx[n, c, i * k + p, j * k + q] += dout[n, c, i, j]
        return dx
""",
    "Conv2D": """
class Conv2D:
    def __init__(self, in_channels, out_channels, kernel_size, stride=1, padding=0):
        self.W = np.random.randn(out_channels, in_channels, kernel_size, kernel_size) * 0.1
        self.b = np.zeros(out_channels)
        self.stride = stride
        self.padding = padding

    def forward(self, x):
        self.x = x
        F, C, K, _ = self.W.shape
        N, _, H, W = x.shape
        s, p = self.stride, self.padding
        self.xp = np.pad(x, ((0, 0), (0, 0), (p, p), (p, p)))
        out = np.zeros((N, F, (H + 2 * p - K) // s + 1, (W + 2 * p - K) // s + 1))
        for i in range(out.shape[2]):
            for j in range(out.shape[3]):
                patch = self.xp[:, :, i * s:i * s + K, j * s:j * s + K]
                out[:, :, i, j] = np.tensordot(patch, self.W, ([1, 2, 3], [1, 2, 3])) + self.b
        return out

    def backward(self, dout):
        F, C, K, _ = self.W.shape
        s, p = self.stride, self.padding
        self.db = dout.sum(axis=(0, 2, 3))
        self.dW = np.zeros_like(self.W)
        xp = self.xp
        dxp = np.zeros_like(xp)
        filters = self.W
        for i in range(dout.shape[2]):
            for j in range(dout.shape[3]):
                rows, columns = slice(i * s, i * s + K), slice(j * s, j * s + K)
                self.dW += np.tensordot(dout[:, :, i, j], xp[:, :, rows, columns], ([0], [0]))
                dxp[:, :, rows, columns] += np.tensordot(dout[:, :, i, j], filters, ([1], [0]))
        return dxp[:, :, p:p + self.x.shape[2], p:p + self.x.shape[3]]
""",
    "TwoLayerNet": """
class TwoLayerNet:
    def __init__(self, input_size, hidden_size, output_size, reg=0.1):
        self.reg = reg
        self.params = {
            "W1": np.random.randn(input_size, hidden_size) * 0.1,
            "b1": np.zeros(hidden_size),
            "W2": np.random.randn(hidden_size, output_size) * 0.1,
            "b2": np.zeros(output_size),
        }

    def loss(self, X, y):
        W1, b1, W2, b2 = (self.params[name] for name in ("W1", "b1", "W2", "b2"))
        n = len(X)
        z1 = X @ W1 + b1
        h = np.maximum(0, z1)
        scores = h @ W2 + b2
        scores = scores - scores.max(axis=1, keepdims=True)
        log_p = scores - np.log(np.exp(scores).sum(axis=1, keepdims=True))
        loss = -log_p[np.arange(n), y].mean()
        loss += 0.5 * self.reg * (np.sum(W1 ** 2) + np.sum(W2 ** 2))
        grads = {}
        dscores = np.exp(log_p)
        dscores[np.arange(n), y] -= 1
        dscores /= n
        grads["W2"] = h.T @ dscores + self.reg * W2
        grads["b2"] = dscores.sum(axis=0)
        dh = dscores @ W2.T
        dz1 = dh * (z1 > 0)
        grads["W1"] = X.T @ dz1 + self.reg * W1
        grads["b1"] = dz1.sum(axis=0)
        return loss, grads
""",
    "SGD": """
class SGD:
    def __init__(self, lr, momentum, weight_decay, clip):
        self.lr, self.momentum, self.weight_decay, self.clip = lr, momentum, weight_decay, clip
        self.velocity = {}

    def step(self, params, grads):
        for name in params:
            g = np.clip(grads[name], -self.clip, self.clip)
            if name.startswith("W"):
                g = g + self.weight_decay * params[name]
            v = self.velocity.get(name, 0.0)
            v = self.momentum * v - self.lr * g
            self.velocity[name] = v
            params[name] = params[name] + v
""",
}

FUNCTIONS = {
    "affine": """
def affine_forward(x, w, b):
    out = x.reshape(len(x), -1) @ w + b
    cache = (x, w, b)
    return out, cache


def affine_backward(dout, cache):
    x, w, b = cache
    dx = (dout @ w.T).reshape(x.shape)
    dw = x.reshape(len(x), -1).T @ dout
    db = np.sum(dout, axis=0)
    return dx, dw, db
""",
    "relu": """
def relu_forward(x):
    out = np.maximum(0, x)
    cache = (x, out)
    return out, cache


def relu_backward(dout, cache):
    x, out = cache
    dx = np.where(x > 0, dout, 0)
    return dx
""",
    "sigmoid": """
def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def sigmoid_forward(x):
    out = sigmoid(x)
    return out, (x, out)


def sigmoid_backward(dout, cache):
    x, out = cache
    return dout * sigmoid(x) * (1 - sigmoid(x))
""",
    "tanh": """
def tanh_forward(x):
    out = np.tanh(x)
    return out, (x, out)


def tanh_backward(dout, cache):
    x, out = cache
    slope = 1 - out * out
    return dout * slope
""",
    "softmax_loss": """
def softmax_loss(x, y):
    n = x.shape[0]
    shifted = x - np.max(x, axis=1, keepdims=True)
    z = np.sum(np.exp(shifted), axis=1, keepdims=True)
    log_probs = shifted - np.log(z)
    probs = np.exp(log_probs)
    loss = -np.sum(log_probs[np.arange(n), y]) / n
    dx = probs.copy()
    dx[np.arange(n), y] -= 1
    dx /= n
    return loss, dx
""",
    "dropout": """
def dropout_forward(x, dropout_param):
    p = dropout_param["p"]
    if "seed" in dropout_param:
        np.random.seed(dropout_param["seed"])
    mask = np.random.rand(*x.shape) < p
    out = x * mask / p
    return out, (dropout_param, mask)


def dropout_backward(dout, cache):
    dropout_param, mask = cache
    dx = dout * mask / dropout_param["p"]
    return dx
""",
    "batchnorm": """
def batchnorm_forward(x, gamma, beta, bn_param):
    mean = np.mean(x, axis=0)
    var = np.var(x, axis=0)
    inv_std = 1 / np.sqrt(var + bn_param["eps"])
    x_hat = (x - mean) * inv_std
    return gamma * x_hat + beta, (x_hat, gamma, inv_std, var)


def batchnorm_backward(dout, cache):
    x_hat, gamma, inv_std, var = cache
    dbeta = dout.sum(axis=0)
    dgamma = (dout * x_hat).sum(axis=0)
    dxh = dout * gamma
    dx = inv_std * (dxh - dxh.mean(axis=0) - x_hat * (dxh * x_hat).mean(axis=0))
    return dx, dgamma, dbeta
""",
    "max_pool": """
def max_pool_forward(x, pool_param):
    k = pool_param["stride"]
    N, C, H, W = x.shape
    x_windows = x[:, :, :H // k * k, :W // k * k].reshape(N, C, H // k, k, W // k, k)
    out = x_windows.max(axis=3).max(axis=4)
    return out, (x, k)


def max_pool_backward(dout, cache):
    x, k = cache
    dx = np.zeros(x.shape)
    for n in range(len(x)):
        for c, i, j in np.ndindex(dout.shape[1:]):
            window = x[n, c, i * k:(i + 1) * k, j * k:(j + 1) * k]
            mask = np.arange(window.size).reshape(window.shape) == window.argmax()
            dx[n, c, i * k:(i + 1) * k, j * k:(j + 1) * k] = mask * dout[n, c, i, j]
    return dx
""",
    "conv": """
def conv_forward(x, w, b, conv_param):
    s, p = conv_param["stride"], conv_param["pad"]
    N, C, H, W = x.shape
    F, _, HH, WW = w.shape
    xp = np.pad(x, ((0, 0), (0, 0), (p, p), (p, p)))
    out = np.zeros((N, F, 1 + (H + 2 * p - HH) // s, 1 + (W + 2 * p - WW) // s))
    for n, f, i, j in np.ndindex(out.shape):
        out[n, f, i, j] = np.sum(xp[n, :, i * s:i * s + HH, j * s:j * s + WW] * w[f]) + b[f]
    return out, (x, w, b, conv_param)


def conv_backward(dout, cache):
    x, w, b, conv_param = cache
    s, p = conv_param["stride"], conv_param["pad"]
    F, _, HH, WW = w.shape
    xp = np.pad(x, ((0, 0), (0, 0), (p, p), (p, p)))
    dxp, dw, db = np.zeros_like(xp), np.zeros_like(w), dout.sum(axis=(0, 2, 3))
    wb = w
    for n, f, i, j in np.ndindex(dout.shape):
        window = (slice(None), slice(i * s, i * s + HH), slice(j * s, j * s + WW))
        dw[f] += dout[n, f, i, j] * xp[n][window]
        dxp[n][window] += dout[n, f, i, j] * wb[f]
    dx = dxp[:, :, p:p + x.shape[2], p:p + x.shape[3]]
    return dx, dw, db
""",
    "sgd_momentum": """
def sgd_momentum(w, dw, config):
    v = config.get("velocity", np.zeros_like(w))
    dw = np.clip(dw, -config["clip"], config["clip"])
    dw = dw + config["weight_decay"] * w
    v = config["momentum"] * v - config["learning_rate"] * dw
    config["velocity"] = v
    next_w = w + v
    return next_w, config
""",
}


def source(specimens: dict[str, str], *names: str) -> str:
    """Return a file with the named specimens, all of them if none is named."""
    return "import numpy as np\n\n" + "\n".join(specimens[name] for name in names or specimens)
