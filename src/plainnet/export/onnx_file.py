"""ONNX export: preparation, network and probabilities in one graph, which any ONNX runtime can run.

The inputs are the user's data: N examples as bytes or numbers in the shape that the network takes, or, for a table, one
input per column. The outputs are `probabilities` (N, K) or, for a regression, `numbers` (N, M).
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from plainnet import __version__
from plainnet.data.columns import Columns
from plainnet.errors import InputError
from plainnet.export import takes_bytes
from plainnet.export.onnx_graph import IR, OPSET, OPSET_ML, Graph, Value
from plainnet.export.onnx_layers import add_layers
from plainnet.export.precision import check
from plainnet.model import Model
from plainnet.writing import write_atomically

_SCALE = np.float32(1 / 255)


def as_onnx(
    model: Model, precision: str = "float32", about: Mapping[str, str] | None = None, *, rows: bool = False
) -> Any:
    """Return the model as an `onnx.ModelProto`; `about` is added to its metadata.

    With "float16" or "int8" the weights are stored in that precision, but the graph computes in float32. With `rows`,
    the inputs are rows (N, D), for any input shape of the network.

    Raises: `InputError` if onnx is not installed, a layer has no rule, or the preparation is unknown.
    """
    onnx = _onnx()
    check(precision, "onnx")
    model.expect_known_preparation()
    graph = Graph(precision)
    inputs, value = _prepared(graph, model, onnx, rows)
    if model.test_shifts:
        output = _of_views(graph, model, value)
    else:
        output = _answers(graph, model, add_layers(graph, _children(model), value).name)
    kind = "numbers" if model.kind == "numbers" else "probabilities"
    graph.nodes.append(onnx.helper.make_node("Identity", [output], [kind], name=kind))
    outputs = model.network.out_shapes[-1]
    width = len(model.class_names) if model.class_names else outputs[0]
    made = onnx.helper.make_graph(
        graph.nodes, "plainnet", inputs,
        [onnx.helper.make_tensor_value_info(kind, onnx.TensorProto.FLOAT, ["N", width])],
        [onnx.numpy_helper.from_array(array, name) for name, array in graph.constants.items()],
    )  # fmt: skip
    opsets = [onnx.helper.make_opsetid("", OPSET)]
    if any(node.domain == "ai.onnx.ml" for node in graph.nodes):
        opsets.append(onnx.helper.make_opsetid("ai.onnx.ml", OPSET_ML))
    whole = onnx.helper.make_model(
        made, opset_imports=opsets, ir_version=IR, producer_name="plainnet", producer_version=__version__
    )
    told = {"class_names": json.dumps(list(model.class_names)), "kind": model.kind, "precision": precision}
    onnx.helper.set_model_props(whole, told | dict(about or {}))
    onnx.checker.check_model(whole, full_check=True)
    return whole


def write(
    path: str | Path, model: Model, precision: str = "float32", about: Mapping[str, str] | None = None
) -> list[Path]:
    """Write the model to an ONNX file and return its path, in a list.

    Raises: as `as_onnx`; `InputError` if the file cannot be written.
    """
    write_atomically(Path(path), as_onnx(model, precision, about).SerializeToString())
    return [Path(path)]


def _onnx() -> Any:
    try:
        import onnx
        import onnx.checker
        import onnx.helper
        import onnx.numpy_helper
    except ImportError as error:
        raise InputError("ONNX files need onnx, which is not installed: pip install 'plainnet[onnx]'") from error
    return onnx


def _children(model: Model) -> Mapping[str, Any]:
    return model.network._layers.children


def _prepared(graph: Graph, model: Model, onnx: Any, rows: bool) -> tuple[list[Any], Value]:
    """Return the inputs of the graph, and the network's input computed from them."""
    shape = model.network.in_shape
    if model.preparation.get("type") == "columns":
        return _of_columns(graph, Columns.from_table(model.preparation), onnx)
    bytes_ = takes_bytes(model)
    kind = onnx.TensorProto.UINT8 if bytes_ else onnx.TensorProto.FLOAT
    graph.name("input")
    given = [onnx.helper.make_tensor_value_info("input", kind, ["N", *([math.prod(shape)] if rows else shape)])]
    name = "input"
    if rows and len(shape) > 1:
        name = graph.node("Reshape", [name, graph.constant(np.array([-1, *shape], np.int64), "shape")], "images")
    if not bytes_:
        return given, Value(name, shape)
    number = graph.node("Cast", [name], "as_numbers", to=onnx.TensorProto.FLOAT)
    return given, Value(graph.node("Mul", [number, graph.constant(_SCALE, "scale")], "from_0_to_1"), shape)


def _of_columns(graph: Graph, columns: Columns, onnx: Any) -> tuple[list[Any], Value]:
    """Return an input (N, 1) for each column, and the network's input computed from them."""
    inputs, parts = [], []
    for column in columns.columns:
        name = graph.name(column.name)
        kind = onnx.TensorProto.STRING if column.words else onnx.TensorProto.FLOAT
        inputs.append(onnx.helper.make_tensor_value_info(name, kind, ["N", 1]))
        if column.words:
            hot = graph.node(
                "OneHotEncoder", [name], f"{name}.words", "ai.onnx.ml", cats_strings=list(column.words), zeros=1
            )
            parts.append(graph.node("Flatten", [hot], f"{name}.flat", axis=1))
        elif column.fill is not None:
            gap, fill = graph.node("IsNaN", [name]), graph.constant(np.float32(column.fill), f"{name}.fill")
            parts.append(graph.node("Where", [gap, fill, name], f"{name}.filled"))
        else:
            parts.append(name)
    return inputs, Value(graph.node("Concat", parts, "columns", axis=1), (len(columns.inputs),))


def _answers(graph: Graph, model: Model, logits: str) -> str:
    """Return the name of the probabilities, or of the numbers, computed from the outputs (N, K)."""
    if model.kind == "numbers":
        return logits
    if model.temperature != 1:
        logits = graph.node("Div", [logits, graph.constant(np.float32(model.temperature), "temperature")], "tempered")
    if model.kind == "labels":
        return graph.node("Sigmoid", [logits], "of_each_label")
    return graph.node("Softmax", [_two_columns(graph, model, logits)], "of_each_class", axis=1)


def _two_columns(graph: Graph, model: Model, logits: str) -> str:
    """Return the two logits (0, z) for a single logit z."""
    if model.network.out_shapes[-1] != (1,):
        return logits
    return graph.node("Concat", [graph.node("Sub", [logits, logits], "zero"), logits], "two_classes", axis=1)


def _of_views(graph: Graph, model: Model, value: Value) -> str:
    """Return the probabilities averaged over images (N, H, W) shifted by a few pixels in every direction."""
    shifts, (height, width) = model.test_shifts, value.shape[:2]
    ends = [0, shifts, shifts] + [0] * (len(value.shape) - 2)
    framed = graph.node("Pad", [value.name, graph.constant(np.array(ends * 2, np.int64), "frame")], "framed")
    views = []
    axes = graph.constant(np.array([1, 2], np.int64), "axes")
    for down in range(2 * shifts + 1):
        for right in range(2 * shifts + 1):
            corner = graph.constant(np.array([down, right], np.int64), "corner")
            opposite = graph.constant(np.array([down + height, right + width], np.int64), "opposite")
            views.append(graph.node("Slice", [framed, corner, opposite, axes], "view"))
    together = Value(graph.node("Concat", views, "views", axis=0), value.shape)
    logits = add_layers(graph, _children(model), together).name
    tempered = graph.node("Div", [logits, graph.constant(np.float32(model.temperature), "temperature")], "tempered")
    log_p = graph.node("LogSoftmax", [_two_columns(graph, model, tempered)], "log_p", axis=1)
    by_view = graph.constant(np.array([len(views), -1, len(model.class_names)], np.int64), "by_view")
    apart = graph.node("Reshape", [log_p, by_view], "of_views")
    mean = graph.node("ReduceMean", [apart, graph.constant(np.array([0], np.int64), "over")], "mean", keepdims=0)
    return graph.node("Softmax", [mean], "of_each_class", axis=1)
