"""An ONNX graph under construction: constants, nodes, and the position of the images' channels."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

from plainnet.export.precision import as_int8

OPSET, OPSET_ML, IR = 21, 3, 10  # onnxruntime 1.20 (November 2024) reads these versions


class Value(NamedTuple):
    """An array in the graph: its name, its shape in plainnet without N, and whether its channels come first."""

    name: str
    shape: tuple[int, ...]
    channels_first: bool = False

    @property
    def places(self) -> tuple[int, ...]:
        """The shape in the graph, without N."""
        return (self.shape[2], *self.shape[:2]) if self.channels_first else self.shape


@dataclass
class Graph:
    """Nodes in order, and constants by name. `precision` is how weights are stored: float32, float16 or int8."""

    precision: str = "float32"
    nodes: list[Any] = field(default_factory=list)
    constants: dict[str, np.ndarray] = field(default_factory=dict)
    _names: set[str] = field(default_factory=set)

    def name(self, wanted: str) -> str:
        """Return a name that is not used yet."""
        name, number = wanted, 1
        while name in self._names:
            number += 1
            name = f"{wanted}_{number}"
        self._names.add(name)
        return name

    def node(self, kind: str, inputs: list[str], wanted: str = "", domain: str = "", **attributes: Any) -> str:
        """Add a node with one output and return its name."""
        from onnx import helper

        output = self.name(wanted or kind.lower())
        self.nodes.append(helper.make_node(kind, inputs, [output], name=output, domain=domain or None, **attributes))
        return output

    def constant(self, array: Any, wanted: str = "constant") -> str:
        """Add a constant and return its name."""
        name = self.name(wanted)
        self.constants[name] = np.asarray(array)
        return name

    def weight(self, array: np.ndarray, wanted: str, axis: int) -> str:
        """Add weights in the graph's precision, and return the name of their float32 values.

        `axis` is the axis of the units: with weights of 8 bits, each unit has its own scale.
        """
        array = np.ascontiguousarray(array, np.float32)
        if self.precision == "float16":
            stored = self.constant(array.astype(np.float16), f"{wanted}.float16")
            return self.node("Cast", [stored], wanted, to=1)
        if self.precision == "int8":
            whole, scale = as_int8(array, axis)
            stored, scales = self.constant(whole, f"{wanted}.int8"), self.constant(scale, f"{wanted}.scale")
            return self.node("DequantizeLinear", [stored, scales], wanted, axis=axis)
        return self.constant(array, wanted)

    def channels_first(self, value: Value) -> Value:
        """Return images with their channels first; images without a channel axis get one."""
        if value.channels_first:
            return value
        if len(value.shape) == 2:
            axis = self.constant(np.array([1], np.int64), "axis")
            return Value(self.node("Unsqueeze", [value.name, axis], "with_channel"), (*value.shape, 1), True)
        return Value(self.node("Transpose", [value.name], "channels_first", perm=[0, 3, 1, 2]), value.shape, True)

    def channels_last(self, value: Value) -> Value:
        """Return images with their channels last, and anything else unchanged."""
        if not value.channels_first:
            return value
        return Value(self.node("Transpose", [value.name], "channels_last", perm=[0, 2, 3, 1]), value.shape)

    def elementwise(
        self, kind: str, value: Value, wanted: str, others: tuple[str, ...] = (), **attributes: Any
    ) -> Value:
        """Add a node that changes each number separately."""
        return value._replace(name=self.node(kind, [value.name, *others], wanted, **attributes))

    def by_channel(self, array: np.ndarray, value: Value, wanted: str) -> str:
        """Add a constant with one number per channel, in a shape that broadcasts with `value`."""
        array = np.asarray(array, np.float32)
        return self.constant(array.reshape(-1, 1, 1) if value.channels_first else array, wanted)
