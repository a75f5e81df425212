"""Summary of a network: its layers, the shapes of their outputs, and the numbers of their parameters."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from plainnet.network import Network


def rows(network: Network) -> list[tuple[str, ...]]:
    """Return the column names, a row for each layer, and a row of totals.

    If a layer can compute in several ways, a column shows the method.
    """
    found: list[tuple[str, ...]] = [("layer", "output", "parameters", "computed by")]
    for layer, shape in zip(network.layers, network.out_shapes, strict=True):
        size = sum(parameter.size for _, part in layer.walk() for parameter in part.parameters)
        methods = ", ".join(dict.fromkeys(part.computed_by for _, part in layer.walk() if part.computed_by))
        found.append((type(layer).__name__, "x".join(map(str, shape)), f"{size:,}", methods))
    found.append(("total", "", f"{network.theta.size:,}", ""))
    return found if network.methods() else [row[:3] for row in found]


def as_text(network: Network) -> str:
    """Return the summary as plain text."""
    lines = (f"{layer:<20}{shape:<20}{size:>12}   {''.join(method)}" for layer, shape, size, *method in rows(network))
    return "\n".join(line.rstrip() for line in lines)


def as_html(network: Network) -> str:
    """Return the summary as a table for a notebook."""
    from plainnet.notebook import table

    if not hasattr(network, "parameters"):
        return f"<p>a network of {len(network.layers)} layers that is not built yet</p>"
    head, *body = rows(network)
    return table(head, body)
