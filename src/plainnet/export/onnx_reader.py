"""Read models from ONNX files of other programs, if their operators correspond to plainnet's layers.

Nodes are read in order. Every array of the graph is a chain of layers that lead to it from the input. An operator
extends one chain, or, like `Add` in a residual network, merges two.
"""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np

from plainnet.errors import InputError
from plainnet.export.onnx_chains import Chain, Item, without_sigmoid
from plainnet.export.onnx_operators import FOLDED, RULES
from plainnet.foreign.opening import open_file
from plainnet.foreign.showing import shown
from plainnet.layers import Layer, Sigmoid
from plainnet.model import PIXELS, Model
from plainnet.network import Network
from plainnet.softmax import log_softmax, sigmoid, softmax

_MOST_NODES = 5000
_LABELS = {  # operators that turn probabilities into labels
    "ArgMax", "ArrayFeatureExtractor", "Binarizer", "Cast", "Greater", "GreaterOrEqual", "Identity", "LabelEncoder",
    "TopK", "ZipMap",
}  # fmt: skip
_AFTER = _LABELS | {"Concat", "Exp", "Flatten", "Reshape", "Squeeze", "Sub"}  # or p into p and 1 - p
_CLOSE = 1e-3


def read(path: str | Path, task: str | None = None) -> tuple[Model, list[str]]:
    """Return the model in an ONNX file, and notes (sentences) on how it was interpreted.

    `task` is "classes", "labels" or "numbers"; by default, the graph decides, and several outputs that are not
    probabilities count as logits of classes.

    Raises: `InputError` if onnx is not installed, the file is damaged or too large, or it holds an operator or a
    sequence of operators that does not correspond to plainnet's layers.
    """
    from plainnet.export.onnx_file import _onnx

    onnx = _onnx()
    with open_file(path, "ONNX model") as file:
        content = file.read()
    try:
        proto = onnx.load_model_from_string(content)
        onnx.checker.check_model(proto)
    except Exception as error:  # damaged files make protobuf and the checker raise many kinds of errors
        raise InputError(f"{path} is not a valid ONNX model: {shown(str(error).splitlines()[0], 200)}") from error
    try:
        return _Reading(proto).model(task)
    except InputError as error:
        raise InputError(f"{path} cannot be read as a network: {error}") from error
    except (KeyError, IndexError, TypeError, ValueError, ArithmeticError, AttributeError, MemoryError) as error:
        raise InputError(f"{path} cannot be read as a network: {shown(error, 200)}") from error


class _Reading:
    """The state of reading a graph: its constants, the chains that lead to its arrays, and notes."""

    def __init__(self, proto: Any) -> None:
        from onnx import numpy_helper

        self.proto, self.graph = proto, proto.graph
        if len(self.graph.node) > _MOST_NODES:
            raise InputError(f"it has {len(self.graph.node):,} nodes; the limit is {_MOST_NODES:,}")
        if any(tensor.external_data for tensor in self.graph.initializer):
            raise InputError("its weights are in another file; save them inside with save_as_external_data=False")
        self.constants = {tensor.name: numpy_helper.to_array(tensor) for tensor in self.graph.initializer}
        self.chains: dict[str, Chain] = {}
        self.notes: list[str] = []
        self.class_names: tuple[str, ...] = ()

    def model(self, task: str | None) -> tuple[Model, list[str]]:
        """Return the model, after all nodes have been read."""
        in_shape = self._begin()
        for node in self.graph.node:
            self._read(node)
        name, chain = self._end()
        if chain.order is not None or chain.first:
            raise InputError("it ends in images; a network must end in one number per class")
        told = {entry.key: entry.value for entry in self.proto.metadata_props}.get("kind")
        kind = (
            task
            or chain.ended
            or (told if told == "numbers" else None)
            or ("classes" if chain.shape[0] > 1 else "numbers")
        )
        if not chain.ended and task is None and told is None and kind == "classes":
            self.notes.append(
                f"its {chain.shape[0]} outputs count as logits of classes; use --task if they are something else"
            )
        network = Network(*(item.layer for item in chain.items))
        network.build(in_shape)
        network.restore(_tensors(network, chain.items))
        self._expect_same_answers(name, network)
        names = self._names(chain, kind)
        preparation = PIXELS | {"pictures": "stored", "inputs": "bytes" if chain.of_bytes else "numbers"}
        about = {"onnx": {"producer": self.proto.producer_name[:100], "graph": self.graph.name[:100]}}
        return Model(network, names, about, preparation, kind=kind), self.notes

    def _begin(self) -> tuple[int, ...]:
        """Begin the chain of the input, and return the shape of an example in plainnet."""
        inputs = [value for value in self.graph.input if value.name not in self.constants]
        if len(inputs) != 1:
            names = ", ".join(shown(value.name, 40) for value in inputs[:6])
            raise InputError(f"it has {len(inputs)} inputs ({names}); plainnet supports only networks with one")
        tensor = inputs[0].type.tensor_type
        shape = tuple(dimension.dim_value for dimension in tensor.shape.dim)[1:]
        if not shape or min(shape) < 1 or len(shape) > 3 or math.prod(shape) > 10**8:
            raise InputError(
                f"its input has the shape (N, {', '.join(map(str, shape))}); all sizes except N must be known"
            )
        first = len(shape) == 3 and not (shape[2] in (1, 3) and shape[0] not in (1, 3))
        self.chains[inputs[0].name] = Chain((), shape, first, of_bytes=tensor.elem_type == 2)
        if not first:
            return shape
        if shape[0] > 1:
            self.notes.append("its images have their channels first; plainnet takes them last, (N, H, W, C)")
        return shape[1:] if shape[0] == 1 else (*shape[1:], shape[0])

    def _read(self, node: Any) -> None:
        """Read one node: fold it, if all its inputs are constant, or extend a chain."""
        from onnx import helper

        given = {attribute.name: helper.get_attribute_value(attribute) for attribute in node.attribute}
        inputs = [name for name in node.input if name]
        chains = [self.chains[name] for name in inputs if name in self.chains]
        if not chains:
            if node.op_type in FOLDED and (node.op_type == "Constant" or set(inputs) <= set(self.constants)):
                self.constants[node.output[0]] = FOLDED[node.op_type]([self.constants[n] for n in inputs], given)
            return  # otherwise it comes after the answer, from nodes that could not be read
        if node.op_type == "Shape":  # 0 stands for the number of examples
            self.constants[node.output[0]] = np.array([0, *chains[0].shape])
            return
        if any(chain.ended for chain in chains):
            self._after_the_answer(node, given, inputs)
            return
        if node.op_type not in RULES and self._answers_with_sigmoid(node):
            return
        if node.op_type not in RULES:
            raise InputError(
                f"the operator {shown(node.op_type, 40)} is not supported; the supported operators are "
                f"{', '.join(sorted(RULES))}"
            )
        operands = [self.chains.get(name, self.constants.get(name)) for name in node.input]
        try:
            self.chains[node.output[0]] = RULES[node.op_type](operands, given)
        except InputError as error:
            if not self._answers_with_sigmoid(node):
                raise InputError(f"{error} (node {shown(node.name or node.op_type, 60)})") from error

    def _answers_with_sigmoid(self, node: Any) -> bool:
        """Treat a sigmoid's output as the answer if later nodes turn it into labels, or into p and 1 - p."""
        for name in node.input:
            chain = self.chains.get(name)
            if chain is None or not chain.items or not isinstance(chain.items[-1].layer, Sigmoid):
                continue
            one = self.constants.get(node.input[0])
            other_class = node.op_type == "Sub" and one is not None and chain.shape == (1,) and (one == 1).all()
            outputs = {value.name for value in self.graph.output}
            if (other_class and node.output[0] not in outputs) or node.op_type in _LABELS:
                self.chains[name] = without_sigmoid(chain)
                return True
        return False

    def _after_the_answer(self, node: Any, given: dict[str, Any], inputs: list[str]) -> None:
        """Skip operators that turn probabilities into labels.

        Raises: `InputError` for operators that change the probabilities.
        """
        if node.op_type not in _AFTER:
            raise InputError(f"the operator {shown(node.op_type, 40)} changes probabilities, which no layer does")
        labels = given.get("classlabels_strings") or given.get("classlabels_int64s")
        if labels:
            self.class_names = tuple(v.decode() if isinstance(v, bytes) else str(v) for v in labels)
        if node.op_type in ("Identity", "Cast"):
            self.chains[node.output[0]] = self.chains[inputs[0]]

    def _end(self) -> tuple[str, Chain]:
        """Return the answer's name and its chain: probabilities if there are any, else the first output."""
        answers: dict[int, tuple[str, Chain]] = {}
        for name, chain in self.chains.items():
            if chain.ended:
                answers.setdefault(id(chain), (name, chain))
        if len(answers) > 1:
            raise InputError(f"it gives {len(answers)} answers; plainnet supports only networks with one")
        if answers:
            return next(iter(answers.values()))
        name = next((value.name for value in self.graph.output if value.name in self.chains), "")
        if not name or not self.chains[name].items:
            raise InputError("no output is computed from the input by layers; is this the right model?")
        found = self.chains[name]
        if len(self.graph.output) > 1:
            self.notes.append(f"it has {len(self.graph.output)} outputs; {shown(name, 40)} is used")
        return name, without_sigmoid(found) if isinstance(found.items[-1].layer, Sigmoid) else found

    def _expect_same_answers(self, name: str, network: Network) -> None:
        """Raise `InputError` unless the network's answers to some inputs equal those of ONNX's reference evaluator."""
        from onnx import helper
        from onnx.reference import ReferenceEvaluator

        needed: set[str] = {name}
        nodes: list[Any] = []
        for node in reversed(self.graph.node):
            if needed & set(node.output):
                nodes.insert(0, node)
                needed |= set(node.input)
        given = next(value for value in self.graph.input if value.name in self.chains)
        output = helper.make_tensor_value_info(name, 1, None)
        weights = [tensor for tensor in self.graph.initializer if tensor.name in needed]
        graph = helper.make_graph(nodes, "until the answer", [given], [output], weights)
        whole = helper.make_model(graph, opset_imports=self.proto.opset_import, ir_version=self.proto.ir_version)
        rng, chain = np.random.default_rng(0), self.chains[given.name]
        count = given.type.tensor_type.shape.dim[0].dim_value or 3
        inputs = (
            rng.integers(0, 256, (count, *chain.shape))
            if chain.of_bytes
            else rng.standard_normal((count, *chain.shape))
        )
        x = inputs.astype(
            np.uint8 if chain.of_bytes else helper.tensor_dtype_to_np_dtype(given.type.tensor_type.elem_type)
        )
        theirs = np.asarray(ReferenceEvaluator(whole).run(None, {given.name: x})[0], float).reshape(count, -1)
        last = np.moveaxis(x, 1, -1) if chain.first else x
        with np.errstate(all="ignore"):
            ours = network.logits(last.reshape(count, *network.in_shape).astype(x.dtype)).astype(float)
            forms = ours, softmax(ours), log_softmax(ours), sigmoid(ours)
        if not any(np.allclose(form, theirs, rtol=_CLOSE, atol=_CLOSE) for form in forms):
            raise InputError("built from plainnet layers, it gives different answers from ONNX's reference evaluator")

    def _names(self, chain: Chain, kind: str) -> tuple[str, ...]:
        if kind == "numbers":
            return ()
        count = 2 if kind == "classes" and chain.shape[0] == 1 else chain.shape[0]
        told = {entry.key: entry.value for entry in self.proto.metadata_props}.get("class_names")
        try:
            names = tuple(map(str, json.loads(told))) if told else self.class_names
        except (ValueError, TypeError):
            names = ()
        if not names:
            names = self._labels_in_constants(count)
        return names if len(names) == count else tuple(map(str, range(count)))

    def _labels_in_constants(self, count: int) -> tuple[str, ...]:
        """Return the class names that a node looks up in a constant, as in exports of scikit-learn."""
        for name, array in self.constants.items():
            if "classes" in name.lower() and array.ndim == 1 and len(array) == count:
                return tuple(v.decode() if isinstance(v, bytes) else str(v) for v in array.tolist())
        return ()


def _tensors(network: Network, items: tuple[Item, ...]) -> dict[str, np.ndarray]:
    """Return the tensors of a network made of these items; tensors that no item has stay unchanged."""
    found = {name: tensor.copy() for name, tensor in network.tensors().items()}

    def fill(children: dict[str, Layer], inside: tuple[Item, ...], path: str) -> None:
        for (name, layer), item in zip(children.items(), inside, strict=True):
            for own, array in item.arrays.items():
                found[f"{path}{name}.{own}"] = np.asarray(array)
            if item.inner:
                fill(dict(layer.children), item.inner, f"{path}{name}.")

    fill(dict(network._layers.children), items, "")
    return found
