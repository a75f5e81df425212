"""NumPy export: a program of a few lines and an .npz file, which predict without plainnet.

It shows students that a trained network consists only of products, sums and maxima.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from plainnet import __version__
from plainnet.errors import InputError
from plainnet.export import inputs_told, rule_for, takes_bytes
from plainnet.export.precision import check
from plainnet.layers import BatchNorm, Conv2D, Dense, Layer, ReLU
from plainnet.model import Model
from plainnet.writing import write_atomically

NumpyRule = Callable[[Any, str, str], tuple[list[str], dict[str, np.ndarray]]]  # of a layer, its path, and an indent

_FUNCTIONS = {
    "convolved": '''def convolved(x, W, b, stride, above, below, left, right):
    """Sums of products of every patch of the images with the filters, W (K, K, C, F)."""
    x = np.pad(x.reshape(*x.shape[:3], -1), ((0, 0), (above, below), (left, right), (0, 0)))
    patches = np.lib.stride_tricks.sliding_window_view(x, W.shape[:2], (1, 2))[:, ::stride, ::stride]
    return np.tensordot(patches, W, ((4, 5, 3), (0, 1, 2))) + b
''',
    "deskewed": '''def deskewed(x):
    """Images sheared so that their bright pixels stand upright."""
    images, r, k = x.reshape(*x.shape[:3], -1), np.arange(x.shape[1])[:, None], np.arange(x.shape[2])

    def total(part):
        return part.sum(axis=(1, 2), keepdims=True)

    weight = np.maximum(images.sum(axis=3), 0)
    m = np.maximum(total(weight), 1e-30)
    away = r - total(weight * r) / m
    v, s = total(weight * away**2) / m, total(weight * away * k) / m
    place = np.clip(k + np.clip(s / np.maximum(v, 1e-9), -1, 1) * away, -1, len(k))[..., None]
    left = np.floor(place).astype(int)
    images = np.pad(images, ((0, 0), (0, 0), (1, 2), (0, 0)))
    near, far = (np.take_along_axis(images, left + step, axis=2) for step in (1, 2))
    return np.float32(near + (place - left) * (far - near)).reshape(x.shape)
''',
    "of_usual_size": '''def of_usual_size(x, spread, strength):
    """Images centered, and brought nearer to a usual height and width."""
    planes = np.moveaxis(x.reshape(*x.shape[:3], -1), 3, 1)
    weight = np.maximum(planes.sum(axis=1), 0)

    def matrix(weight):
        each = np.arange(weight.shape[1])
        m = np.maximum(weight.sum(axis=1, keepdims=True), 1e-30)
        away = each - (weight @ each)[:, None] / m
        v = np.maximum((weight * away**2).sum(axis=1, keepdims=True) / m, 1e-12)
        factor = np.clip((spread * len(each) / np.sqrt(v)) ** strength, 0.5, 2)
        places = (each - (len(each) - 1) / 2) / factor
        return np.maximum(1 - abs(places[:, :, None] - away[:, None, :]), 0)[:, None]

    planes = matrix(weight.sum(axis=2)) @ planes @ matrix(weight.sum(axis=1)).swapaxes(2, 3)
    return np.float32(np.moveaxis(planes, 1, 3)).reshape(x.shape)
''',
    "pooled": '''def pooled(x, size, how):
    """The maximum or the mean of every square of size x size pixels."""
    N, H, W, C = x.shape
    x = x[:, : H // size * size, : W // size * size].reshape(N, H // size, size, W // size, size, C)
    return how(x, (2, 4))
''',
    "logistic": """def logistic(x):
    return (1 + np.tanh(x / 2)) / 2
""",
    "softmax": """def softmax(x):
    e = np.exp(x - x.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)
""",
}


def _lines(layers: Any, path: str, indent: str) -> tuple[list[str], dict[str, np.ndarray]]:
    lines: list[str] = []
    arrays: dict[str, np.ndarray] = {}
    before: Layer | None = None
    for name, layer in layers.children.items():
        if type(layer) is BatchNorm and type(before) in (Dense, Conv2D):  # folded into the weights of the layer before
            factor, shift = factor_and_shift(layer)
            W, b = list(arrays)[-2:]
            arrays[W], arrays[b] = arrays[W] * factor, arrays[b] * factor + shift
            continue
        more, own = rule_for(layer, RULES, "NumPy")(layer, f"{path}{name}", indent)
        if type(layer) is ReLU and lines and lines[-1].startswith(f"{indent}x = "):
            lines[-1] = f"{indent}x = np.maximum({lines[-1].strip().removeprefix('x = ')}, 0)"
        else:
            lines += [f"{indent}{line}" for line in more]
        arrays |= own
        before = layer
    return lines, arrays


def factor_and_shift(layer: BatchNorm) -> tuple[np.ndarray, np.ndarray]:
    """Return the factor and the shift with which batch normalization predicts: y = x factor + shift."""
    factor = layer.gamma.value / np.sqrt(layer.state["running_variance"] + layer.epsilon)
    return factor, layer.beta.value - layer.state["running_mean"] * factor


def _dense(layer: Any, path: str, indent: str) -> tuple[list[str], dict[str, np.ndarray]]:
    return [f'x = x @ P["{path}.W"] + P["{path}.b"]'], {f"{path}.W": layer.W.value, f"{path}.b": layer.b.value}


def _conv2d(layer: Any, path: str, indent: str) -> tuple[list[str], dict[str, np.ndarray]]:
    around = (*layer._zeros_around(layer.image[0]), *layer._zeros_around(layer.image[1]))
    numbers = ", ".join(map(str, (layer.stride, *around)))
    line = f'x = convolved(x, P["{path}.W"], P["{path}.b"], {numbers})'
    return [line], {f"{path}.W": layer.W.value, f"{path}.b": layer.b.value}


def _batch_norm(layer: Any, path: str, indent: str) -> tuple[list[str], dict[str, np.ndarray]]:
    factor, shift = factor_and_shift(layer)
    arrays = {f"{path}.factor": factor, f"{path}.shift": shift}
    return [f'x = x * P["{path}.factor"] + P["{path}.shift"]'], arrays


def _layer_norm(layer: Any, path: str, indent: str) -> tuple[list[str], dict[str, np.ndarray]]:
    lines = [
        "x = x - x.mean(axis=-1, keepdims=True)",
        f"x = x / np.sqrt((x * x).mean(axis=-1, keepdims=True) + {layer.epsilon})",
        f'x = x * P["{path}.gamma"] + P["{path}.beta"]',
    ]
    return lines, {f"{path}.gamma": layer.gamma.value, f"{path}.beta": layer.beta.value}


def _standardize(layer: Any, path: str, indent: str) -> tuple[list[str], dict[str, np.ndarray]]:
    arrays = {f"{path}.{name}": layer.state[name] for name in ("mean", "deviation")}
    mean, deviation = (f'P["{name}"]' for name in arrays)
    line = f"x = x * {deviation} + {mean}" if layer.inverse else f"x = (x - {mean}) / {deviation}"
    return [line], arrays


def _sequential(layer: Any, path: str, indent: str) -> tuple[list[str], dict[str, np.ndarray]]:
    lines, arrays = _lines(layer, f"{path}.", "")
    return lines, arrays


def _residual(layer: Any, path: str, indent: str) -> tuple[list[str], dict[str, np.ndarray]]:
    lines, arrays = _lines(layer, f"{path}.", "")
    kept = f"before_{path.replace('.', '_')}"
    return [f"{kept} = x", *lines, f"x = {kept} + x"], arrays


def _ensemble(layer: Any, path: str, indent: str) -> tuple[list[str], dict[str, np.ndarray]]:
    """Return a loop over the members with the lines of one; the members differ only in their weights."""
    written: list[list[str]] = []
    arrays: dict[str, np.ndarray] = {}
    for name, member in layer.children.items():
        lines, own = _lines(member, f"{path}.{name}.", "    ")
        arrays |= own
        written.append([line.replace(f'P["{path}.{name}.', f'P[f"{path}.{{member}}.') for line in lines])
    if any(lines != written[0] for lines in written):
        raise InputError("an ensemble of different networks cannot be exported to NumPy; export it to ONNX")
    logs = ["inputs, log_p = x, 0", f"for member in range({len(written)}):", "    x = inputs", *written[0]]
    return [*logs, f"    log_p = log_p + np.log(softmax(x)) / {len(written)}", "x = log_p"], arrays


def _plain(*lines: str) -> NumpyRule:
    return lambda layer, path, indent: ([line.format(**vars(layer)) for line in lines], {})


RULES: dict[str, NumpyRule] = {
    "AveragePool": _plain("x = pooled(x, {size}, np.mean)"),
    "BatchNorm": _batch_norm,
    "Conv2D": _conv2d,
    "Dense": _dense,
    "Deskew": _plain("x = deskewed(x)"),
    "Dropout": _plain(),
    "Ensemble": _ensemble,
    "Flatten": _plain("x = x.reshape(len(x), -1)"),
    "GELU": _plain("x = x * (1 + np.tanh(np.sqrt(2 / np.pi) * (x + 0.044715 * x**3))) / 2"),
    "GaussianNoise": _plain(),
    "GlobalAveragePool": _plain("x = x.mean(axis=(1, 2))"),
    "LayerNorm": _layer_norm,
    "LeakyReLU": _plain("x = np.where(x > 0, x, {slope} * x)"),
    "MaxPool": _plain("x = pooled(x, {size}, np.max)"),
    "NormalizeSize": _plain("x = of_usual_size(x, {spread}, {strength})"),
    "ReLU": _plain("x = np.maximum(x, 0)"),
    "Residual": _residual,
    "SiLU": _plain("x = x * logistic(x)"),
    "Sequential": _sequential,
    "Sigmoid": _plain("x = logistic(x)"),
    "Standardize": _standardize,
    "Tanh": _plain("x = np.tanh(x)"),
}

_PROGRAM = '''"""A network trained with plainnet {version}; it needs only NumPy.

    python {file} INPUTS.npy

{said}
"""

import sys

import numpy as np

P = dict(np.load(__file__.rsplit(".", 1)[0] + ".npz"))


{functions}def network(x):
{lines}
    return x


def answers(inputs):
    """{what}."""
    x = np.float32(inputs){scale}
    {answer}


if __name__ == "__main__":
    print(answers(np.load(sys.argv[1])))
'''


def write(
    path: str | Path, model: Model, precision: str = "float32", about: Mapping[str, str] | None = None
) -> list[Path]:
    """Write the program to a .py file and the weights to an .npz file beside it; return both paths.

    Raises: `InputError` for a layer without a rule, or files that cannot be written.
    """
    path = Path(path)
    weights = path.with_suffix(".npz")
    lines, arrays = _lines(model.network._layers, "", "    ")
    what, answer = _answer(model)
    body = "\n".join(lines)
    functions = "".join(f"{text}\n\n" for name, text in _FUNCTIONS.items() if f"{name}(" in body + answer)
    program = _PROGRAM.format(
        version=__version__, file=path.name, said=inputs_told(model), functions=functions, lines=body, what=what,
        scale=" / 255" if takes_bytes(model) else "", answer=answer,
    )  # fmt: skip
    content = io.BytesIO()
    check(precision, "numpy")
    fewer = np.float16 if precision == "float16" else np.float32
    stored: dict[str, Any] = {name: a.astype(fewer if a.ndim > 1 else np.float32) for name, a in arrays.items()}
    np.savez_compressed(content, **stored)
    write_atomically(weights, content.getvalue())
    write_atomically(path, program.encode())
    return [path, weights]


def _answer(model: Model) -> tuple[str, str]:
    """Return a description of the program's answers, and the lines that compute them."""
    divided = "" if model.temperature == 1 else f" / {model.temperature!r}"
    if model.kind == "numbers":
        return "Return the numbers, (N, M)", "return network(x)"
    if model.kind == "labels":
        return "Return the probability of each label, (N, K)", f"return logistic(network(x){divided})"
    what = "Return the probability of each class, (N, K)"
    if model.network.out_shapes[-1] == (1,):
        return what, f"p = logistic(network(x){divided})\n    return np.hstack([1 - p, p])"
    if not model.test_shifts:
        return what, f"return softmax(network(x){divided})"
    s = model.test_shifts
    return f"{what}, averaged over the images shifted by up to {s} pixels", "\n    ".join([
        f"x = np.pad(x, ((0, 0), ({s}, {s}), ({s}, {s})))",
        f"H, W, log_p = x.shape[1] - {2 * s}, x.shape[2] - {2 * s}, 0",
        f"for i, j in np.ndindex({2 * s + 1}, {2 * s + 1}):",
        f"    log_p = log_p + np.log(softmax(network(x[:, i : i + H, j : j + W]){divided}))",
        f"return softmax(log_p / {(2 * s + 1) ** 2})",
    ])  # fmt: skip
