"""PyTorch export: a readable module, and its weights in a safetensors file for `load_state_dict`.

PyTorch puts the channels of images first; the module converts the order where it matters, in `Flatten` and `LayerNorm`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from plainnet import __version__, safetensors
from plainnet.export import inputs_told, rule_for, takes_bytes
from plainnet.export.precision import check
from plainnet.export.torch_classes import CLASSES
from plainnet.model import Model
from plainnet.network import Network
from plainnet.writing import write_atomically

Shape = tuple[int, ...]


@dataclass
class Piece:
    """A layer in PyTorch: an expression that creates it, its tensors by name, and the classes it needs."""

    expression: str
    tensors: dict[str, np.ndarray] = field(default_factory=dict)
    needs: tuple[str, ...] = ()


TorchRule = Callable[[Any, Shape, str], Piece]


def sequence(layers: Any, shape: Shape, indent: str) -> tuple[list[str], Piece]:
    """Return the lines of the layers in a sequence or an ensemble, with all their tensors and needed classes.

    Raises: `InputError` for a layer without a rule.
    """
    lines, whole = [], Piece("")
    for number, layer in enumerate(layers.children.values()):
        piece = rule_for(layer, RULES, "PyTorch")(layer, shape, indent)
        lines.append(f"{indent}{piece.expression},")
        whole.tensors |= {f"{number}.{name}": tensor for name, tensor in piece.tensors.items()}
        whole.needs = (*whole.needs, *piece.needs)
        if hasattr(layers, "out_shapes"):  # the members of an ensemble all take the same input
            shape = layers.out_shapes[number]
    return lines, whole


def _dense(layer: Any, shape: Shape, indent: str) -> Piece:
    tensors = {"weight": layer.W.value.T, "bias": layer.b.value}
    return Piece(f"nn.Linear({shape[0]}, {layer.units})", tensors)


def _conv2d(layer: Any, shape: Shape, indent: str) -> Piece:
    (above, below), (left, right) = layer._zeros_around(layer.image[0]), layer._zeros_around(layer.image[1])
    tensors = {"weight": layer.W.value.transpose(3, 2, 0, 1), "bias": layer.b.value}
    stride = f", stride={layer.stride}" if layer.stride > 1 else ""
    conv = f"nn.Conv2d({layer.image[2]}, {layer.filters}, {layer.size}{stride}"
    if above == below and left == right:
        padding = f", padding={above}" if above == left else f", padding=({above}, {left})"
        return Piece(f"{conv}{padding if above or left else ''})", tensors)
    padded = f"nn.Sequential(nn.ZeroPad2d(({left}, {right}, {above}, {below})), {conv}))"
    return Piece(padded, {f"1.{name}": tensor for name, tensor in tensors.items()})


def _batch_norm(layer: Any, shape: Shape, indent: str) -> Piece:
    tensors = {
        "weight": layer.gamma.value, "bias": layer.beta.value,
        "running_mean": layer.state["running_mean"], "running_var": layer.state["running_variance"],
    }  # fmt: skip
    kind = "BatchNorm2d" if len(shape) > 1 else "BatchNorm1d"
    return Piece(f"nn.{kind}({layer.channels}, eps={layer.epsilon}, momentum={1 - layer.momentum:.6g})", tensors)


def _layer_norm(layer: Any, shape: Shape, indent: str) -> Piece:
    tensors = {"weight": layer.gamma.value, "bias": layer.beta.value}
    return Piece(f"LayerNormOfChannels({shape[-1]}, eps={layer.epsilon})", tensors, ("LayerNormOfChannels",))


def _standardize(layer: Any, shape: Shape, indent: str) -> Piece:
    features = len(layer.state["mean"])
    inverse = ", inverse=True" if layer.inverse else ""
    tensors = {name: layer.state[name] for name in ("mean", "deviation")}
    return Piece(f"Standardize({features}{inverse})", tensors, ("Standardize",))


def _container(kind: str) -> TorchRule:
    def rule(layer: Any, shape: Shape, indent: str) -> Piece:
        lines, whole = sequence(layer, shape, f"{indent}    ")
        own = f"nn.{kind}" if kind == "Sequential" else kind
        inside = "\n".join(lines)
        opening, closing = ("[", "]") if kind == "Ensemble" else ("", "")
        needs = whole.needs if kind == "Sequential" else (*whole.needs, kind)
        return Piece(f"{own}({opening}\n{inside}\n{indent}{closing})", whole.tensors, needs)

    return rule


def _plain(expression: str, *needs: str) -> TorchRule:
    return lambda layer, shape, indent: Piece(expression.format(**vars(layer)), needs=needs)


RULES: dict[str, TorchRule] = {
    "AveragePool": _plain("nn.AvgPool2d({size})"),
    "BatchNorm": _batch_norm,
    "Conv2D": _conv2d,
    "Dense": _dense,
    "Deskew": _plain("Deskew()", "Deskew"),
    "Dropout": _plain("nn.Dropout({rate})"),
    "Ensemble": _container("Ensemble"),
    "Flatten": _plain("FlattenChannelsLast()", "FlattenChannelsLast"),
    "GELU": _plain('nn.GELU(approximate="tanh")'),
    "GaussianNoise": _plain("GaussianNoise({deviation})", "GaussianNoise"),
    "GlobalAveragePool": _plain("MeanOfPixels()", "MeanOfPixels"),
    "LayerNorm": _layer_norm,
    "LeakyReLU": _plain("nn.LeakyReLU({slope})"),
    "MaxPool": _plain("nn.MaxPool2d({size})"),
    "NormalizeSize": _plain("NormalizeSize({spread}, {strength})", "NormalizeSize"),
    "ReLU": _plain("nn.ReLU()"),
    "Residual": _container("Residual"),
    "SiLU": _plain("nn.SiLU()"),
    "Sequential": _container("Sequential"),
    "Sigmoid": _plain("nn.Sigmoid()"),
    "Standardize": _standardize,
    "Tanh": _plain("nn.Tanh()"),
}


def module_source(network: Network) -> tuple[str, dict[str, np.ndarray]]:
    """Return Python code of `network()`, which creates an `nn.Sequential`, and its state by PyTorch's names."""
    lines, whole = sequence(network._layers, network.in_shape, "        ")
    classes = "\n\n".join(CLASSES[name] for name in dict.fromkeys(whole.needs))
    body = "\n".join(lines)
    source = f'''from pathlib import Path

import torch
from torch import nn

{chr(10) + classes + chr(10) if classes else ""}
def network():
    """Return the network without its trained weights."""
    return nn.Sequential(
{body}
    )
'''
    tensors = {name: np.ascontiguousarray(tensor) for name, tensor in whole.tensors.items()}
    return source, tensors


_HEAD = '''"""A network trained with plainnet {version}, in PyTorch.

    python {file} IMAGES.npy

{inputs}
"""

'''
_VIEWS = '''def views(x, shifts={shifts}):
    """Return the images, shifted by 0 to `shifts` pixels in every direction."""
    framed, (height, width) = nn.functional.pad(x, (shifts,) * 4), x.shape[2:]
    steps = range(2 * shifts + 1)
    return [framed[:, :, i : i + height, j : j + width] for i in steps for j in steps]


'''
_TAIL = '''

def load(path=Path(__file__).with_suffix(".safetensors")):
    """Return the network with its trained weights, ready to predict."""
    from safetensors.torch import load_file

    made = network()
    made.load_state_dict(load_file(path))
    return made.eval()


def prepared(inputs):
    """Return inputs as the network takes them."""
    x = torch.tensor(inputs, dtype=torch.float32){scale}
    return {layout}


{views}def answers(made, inputs):
    """Return {what}."""
    with torch.inference_mode():
        {answer}


if __name__ == "__main__":
    import sys

    import numpy as np

    print(answers(load(), np.load(sys.argv[1])))
'''


def write(
    path: str | Path, model: Model, precision: str = "float32", about: Mapping[str, str] | None = None
) -> list[Path]:
    """Write the module to a .py file and its weights to a .safetensors file beside it; return both paths.

    Raises: `InputError` for a layer without a rule, or files that cannot be written.
    """
    path = Path(path)
    weights = path.with_suffix(".safetensors")
    source, tensors = module_source(model.network)
    shape = model.network.in_shape
    layout = {1: "x.flatten(1)", 2: "x[:, None] if x.ndim == 3 else x", 3: "x.permute(0, 3, 1, 2)"}[len(shape)]
    temperature = "" if model.temperature == 1 else f" / {model.temperature!r}"
    outputs = f"(made(prepared(inputs)){temperature})" if temperature else "made(prepared(inputs))"
    what, answer = {
        "numbers": ("the numbers, (N, M)", "return made(prepared(inputs))"),
        "labels": ("the probability of each label, (N, K)", f"return {outputs}.sigmoid()"),
        "classes": (
            "the probability of each class, (N, K)",
            f"return {outputs}.softmax(1)",
        ),
    }[model.kind]
    if model.kind == "classes" and model.network.out_shapes[-1] == (1,):
        answer = f"p = {outputs}.sigmoid()\n        return torch.cat([1 - p, p], 1)"
    if model.test_shifts:
        answer = (
            f"log_p = [{outputs.replace('prepared(inputs)', 'view')}.log_softmax(1) for view in "
            "views(prepared(inputs))]\n        return torch.stack(log_p).mean(0).softmax(1)"
        )
    head = _HEAD.format(version=__version__, file=path.name, inputs=inputs_told(model))
    tail = _TAIL.format(
        scale=" / 255" if takes_bytes(model) else "", layout=layout, what=what, answer=answer,
        views=_VIEWS.format(shifts=model.test_shifts) if model.test_shifts else "",
    )  # fmt: skip
    check(precision, "torch")
    tensors = {name: tensor.astype(np.float32) for name, tensor in tensors.items()}
    if precision == "float16":
        tensors = {name: t.astype(np.float16) if t.ndim > 1 else t for name, t in tensors.items()}
    told = {"producer": f"plainnet {__version__}", "precision": precision} | dict(about or {})
    safetensors.write(weights, tensors, told)
    write_atomically(path, (head + source + tail).encode())
    return [path, weights]
