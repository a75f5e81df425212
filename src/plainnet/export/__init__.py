"""Export: a trained model in the forms of other programs; one rule a layer and form.

`FORMS` maps the name of a form to the function that writes it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeVar

from plainnet.errors import InputError
from plainnet.layers import Layer

Rule = TypeVar("Rule", bound=Callable[..., object])


def rule_for(layer: Layer, rules: Mapping[str, Rule], form: str) -> Rule:
    """Return the rule for a layer, by its class.

    Raises: `InputError` if there is none, as for a layer of one's own.
    """
    name = type(layer).__name__
    if name not in rules or not type(layer).__module__.startswith("plainnet."):
        raise InputError(
            f"the layer {name} has no rule to be exported to {form}; there are rules for {', '.join(sorted(rules))}"
        )
    return rules[name]
