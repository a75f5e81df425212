"""Export: write a trained model in the formats of other programs, with one rule per layer and format.

`forms.FORMS` maps the name of a format to the function that writes it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeVar

from plainnet.data.columns import Columns
from plainnet.errors import InputError
from plainnet.foreign.showing import shown
from plainnet.layers import Layer
from plainnet.model import Model

_MOST_COLUMNS = 60

Rule = TypeVar("Rule", bound=Callable[..., object])


def rule_for(layer: Layer, rules: Mapping[str, Rule], form: str) -> Rule:
    """Return the rule for a layer, by its class.

    Raises: `InputError` if there is none, such as for your own layers.
    """
    name = type(layer).__name__
    if name not in rules or not type(layer).__module__.startswith("plainnet."):
        raise InputError(
            f"the layer {name} cannot be exported to {form}; the layers with a rule are {', '.join(sorted(rules))}"
        )
    return rules[name]


def takes_bytes(model: Model) -> bool:
    """Return whether the model's inputs are bytes from 0 to 255: true for images, unless it was trained on numbers."""
    if "inputs" in model.preparation:
        return bool(model.preparation["inputs"] == "bytes")
    largest = model.preparation.get("largest", 255.0)
    image = len(model.network.in_shape) > 1 or model.reads_a_pen
    return bool(image and isinstance(largest, int | float) and largest > 1)


def inputs_told(model: Model) -> str:
    """Return a description of the model's inputs and classes, for the header of a program."""
    kind, size = "bytes from 0 to 255" if takes_bytes(model) else "numbers", "x".join(map(str, model.network.in_shape))
    classes = f"\nClasses: {', '.join(model.class_names)}"[:500] if model.class_names else ""
    return f"Inputs are {kind}, N examples of {size}.{_columns_told(model)}{classes}"


def _columns_told(model: Model) -> str:
    """Return which input number is which column of a table, for the header of a program; "" for other inputs."""
    if model.preparation.get("type") != "columns":
        return ""
    columns = Columns.from_table(model.preparation)
    fills = {column.name: f" (a gap is {column.fill:.6g})" for column in columns.columns if column.fill is not None}
    names = [f"{name}{fills.get(name, '')}" for name in columns.inputs[:_MOST_COLUMNS]]
    more = ", ..." if len(columns.inputs) > _MOST_COLUMNS else ""
    return "\nThe numbers of a row (name=word is 1 or 0): " + shown(", ".join(names), 3000).replace("\\", "/") + more
