"""JavaScript export: one module, including the weights, that predicts in a browser or in Node."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from plainnet import __version__
from plainnet.errors import InputError
from plainnet.export import inputs_told, rule_for, takes_bytes
from plainnet.export.numpy_program import factor_and_shift
from plainnet.export.precision import check
from plainnet.layers import BatchNorm, Layer
from plainnet.model import Model
from plainnet.page import bundled
from plainnet.writing import write_atomically

Table = dict[str, Any]
JsRule = Callable[[Any], Table | None]  # returns arguments and arrays; None: the layer does nothing in prediction


def _layers(parent: Layer) -> list[Table]:
    """Return the layers of a sequence as tables, each with its type, its arguments and its arrays."""
    found = []
    for layer in parent.children.values():
        table = rule_for(layer, RULES, "JavaScript")(layer)
        if table is not None:
            found.append({"type": "Scale" if isinstance(layer, BatchNorm) else type(layer).__name__} | table)
    return found


def _conv2d(layer: Any) -> Table:
    around = [*layer._zeros_around(layer.image[0]), *layer._zeros_around(layer.image[1])]
    return {"W": layer.W.value, "b": layer.b.value, "stride": layer.stride, "around": around}


def _batch_norm(layer: Any) -> Table:
    factor, shift = factor_and_shift(layer)
    return {"factor": factor, "shift": shift}


def _layer_norm(layer: Any) -> Table:
    return {"gamma": layer.gamma.value, "beta": layer.beta.value, "epsilon": float(layer.epsilon)}


def _standardize(layer: Any) -> Table:
    return {name: layer.state[name] for name in ("mean", "deviation")} | {"inverse": layer.inverse}


def _with(*names: str) -> JsRule:
    return lambda layer: {name: getattr(layer, name) for name in names}


RULES: dict[str, JsRule] = {
    "AveragePool": _with("size"),
    "BatchNorm": _batch_norm,
    "Conv2D": _conv2d,
    "Dense": lambda layer: {"W": layer.W.value, "b": layer.b.value},
    "Deskew": _with(),
    "Dropout": lambda layer: None,
    "Ensemble": lambda layer: {"members": [_layers(member) for member in layer.children.values()]},
    "Flatten": _with(),
    "GELU": _with(),
    "GaussianNoise": lambda layer: None,
    "GlobalAveragePool": _with(),
    "LayerNorm": _layer_norm,
    "LeakyReLU": _with("slope"),
    "MaxPool": _with("size"),
    "NormalizeSize": _with("spread", "strength"),
    "ReLU": _with(),
    "Residual": lambda layer: {"layers": _layers(layer)},
    "SiLU": _with(),
    "Sequential": lambda layer: {"layers": _layers(layer)},
    "Sigmoid": _with(),
    "Standardize": _standardize,
    "Tanh": _with(),
}


def as_table(model: Model) -> Table:
    """Return a model as `page/forward.js` takes it: plain values, and all weights as one string (float32 in base64).

    Raises: `InputError` for a layer without a rule.
    """
    arrays: list[np.ndarray] = []

    def placed(value: Any) -> Any:
        if isinstance(value, np.ndarray):
            arrays.append(value.astype("<f4").ravel())
            return {"start": sum(a.size for a in arrays[:-1]), "shape": list(value.shape)}
        if isinstance(value, dict):
            return {name: placed(part) for name, part in value.items()}
        return [placed(part) for part in value] if isinstance(value, list) else value

    layers = placed(_layers(model.network._layers))
    return {
        "shape": list(model.network.in_shape),
        "bytes": takes_bytes(model),
        "kind": model.kind,
        "classes": list(model.class_names),
        "temperature": model.temperature,
        "shifts": model.test_shifts,
        "thresholds": list(model.thresholds),
        "layers": layers,
        "weights": base64.b64encode(np.concatenate(arrays or [np.zeros(0, "<f4")]).tobytes()).decode(),
    }


_HEAD = """// A network trained with plainnet {version}; it needs no other file.
//
// {told}
//
//     import {{ answersOf, classes }} from "./{file}";
//     answersOf(example)   // {size} numbers, an image row by row; {what}
"""


def write(
    path: str | Path, model: Model, precision: str = "float32", about: Mapping[str, str] | None = None
) -> list[Path]:
    """Write the module to a .js file and return its path.

    Raises: `InputError` for a layer without a rule, a precision other than float32, or a file that cannot be written.
    """
    path = Path(path)
    check(precision, "js")
    if precision != "float32":
        raise InputError("JavaScript modules hold only float32 weights; export to js as float32")
    table = as_table(model)
    what = {
        "classes": "the probability of every class", "labels": "the probability of every label",
        "numbers": "the predicted numbers",
    }[model.kind]  # fmt: skip
    head = _HEAD.format(
        version=__version__, told=inputs_told(model).replace("\n", "\n// "), file=path.name,
        size=int(np.prod(model.network.in_shape)), what=what,
    )  # fmt: skip
    tail = (
        f"\nconst MODEL = load({json.dumps(table)});\n\nexport const classes = MODEL.classes;\n\n"
        "export function answersOf(inputs) {\n  return answers(MODEL, inputs);\n}\n"
    )
    write_atomically(path, (head + "\n" + bundled("forward") + tail).encode())
    return [path]
