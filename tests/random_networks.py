"""Random right networks as students write them: of any depth, activation and loss, in one of two forms."""

import random

ACTIVATIONS = {
    "relu": ("np.maximum({z}, 0)", "{d} * ({z} > 0)"),
    "sigmoid": ("1 / (1 + np.exp(-{z}))", "{d} * {h} * (1 - {h})"),
    "tanh": ("np.tanh({z})", "{d} * (1 - {h} ** 2)"),
    "leaky": ("np.where({z} > 0, {z}, 0.1 * {z})", "{d} * np.where({z} > 0, 1, 0.1)"),
    "softplus": ("np.logaddexp(0, {z})", "{d} / (1 + np.exp(-{z}))"),
    "elu": ("np.where({z} > 0, {z}, np.expm1(np.minimum({z}, 0)))", "{d} * np.where({z} > 0, 1, {h} + 1)"),
}
LOSSES = {
    "cross-entropy": """
        s = {z} - {z}.max(axis=1, keepdims=True)
        log_p = s - np.log(np.exp(s).sum(axis=1, keepdims=True))
        loss = -log_p[np.arange(n), y].{mean}()
        d = np.exp(log_p)
        d[np.arange(n), y] -= 1
        d = d / {n}""",
    "squared": """
        error = {z} - np.eye({z}.shape[1])[y]
        loss = 0.5 * (error ** 2).sum(axis=1).{mean}()
        d = error / {n}""",
    "hinge": """
        margins = np.maximum(0, {z} - {z}[np.arange(n), y][:, None] + 1)
        margins[np.arange(n), y] = 0
        loss = margins.sum(axis=1).{mean}()
        d = (margins > 0) * 1.0
        d[np.arange(n), y] -= d.sum(axis=1)
        d = d / {n}""",
}


def random_network(rng: random.Random) -> str:
    """Return a file with one class `Net`, right in every line."""
    depth = rng.randint(1, 4)
    sizes = [rng.randint(2, 6) for _ in range(depth - 1)]
    activations = [rng.choice(list(ACTIVATIONS)) for _ in range(depth - 1)]
    mean = rng.random() < 0.8
    reg = rng.random() < 0.5
    bias = rng.random() < 0.9
    returned = rng.random() < 0.5
    lines = ["import numpy as np", "", "", "class Net:"]
    head = ", ".join(f"hidden{i}={size}" for i, size in enumerate(sizes, 1))
    lines.append(f"    def __init__(self, input_size=5, output_size=4{', ' + head if head else ''}, reg=0.1):")
    names = ["input_size", *(f"hidden{i}" for i in range(1, depth)), "output_size"]
    lines += ["        self.reg = reg", "        self.params = {}"]
    for i in range(1, depth + 1):
        lines.append(f"        self.params['W{i}'] = 0.1 * np.random.randn({names[i - 1]}, {names[i]})")
        if bias:
            lines.append(f"        self.params['b{i}'] = np.zeros({names[i]})")
    lines += ["", "    def loss(self, X, y):", "        n = len(X)", "        h0 = X"]
    for i in range(1, depth + 1):
        plus = f" + self.params['b{i}']" if bias else ""
        lines.append(f"        z{i} = h{i - 1} @ self.params['W{i}']{plus}")
        if i < depth:
            lines.append(f"        h{i} = {ACTIVATIONS[activations[i - 1]][0].format(z=f'z{i}')}")
    loss = LOSSES[rng.choice(list(LOSSES))]
    lines.append(loss.format(z=f"z{depth}", mean="mean" if mean else "sum", n="n" if mean else "1").strip("\n"))
    if reg:
        squares = " + ".join(f"np.sum(self.params['W{i}'] ** 2)" for i in range(1, depth + 1))
        lines.append(f"        loss += 0.5 * self.reg * ({squares})")
    lines.append("        grads = {}")
    for i in range(depth, 0, -1):
        penalty = f" + self.reg * self.params['W{i}']" if reg else ""
        lines.append(f"        grads['W{i}'] = h{i - 1}.T @ d{penalty}")
        if bias:
            lines.append(f"        grads['b{i}'] = d.sum(axis=0)")
        if i > 1:
            lines.append(f"        d = d @ self.params['W{i}'].T")
            back = ACTIVATIONS[activations[i - 2]][1].format(d="d", z=f"z{i - 1}", h=f"h{i - 1}")
            lines.append(f"        d = {back}")
    lines += ["        return loss, grads"] if returned else ["        self.grads = grads", "        return loss"]
    return "\n".join(lines) + "\n"
