"""A summary of a network: its layers, the shapes of their outputs, and the numbers of their parameters."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from plainnet.network import Network

_HEAD = ("layer", "output", "parameters")


def rows(network: Network) -> list[tuple[str, str, str]]:
    """Return a row for each layer, and one for all together."""
    found = []
    for layer, shape in zip(network.layers, network.out_shapes, strict=True):
        size = sum(parameter.size for _, part in layer.walk() for parameter in part.parameters)
        found.append((type(layer).__name__, "x".join(map(str, shape)), f"{size:,}"))
    return [*found, ("total", "", f"{network.theta.size:,}")]


def as_text(network: Network) -> str:
    """Return the summary as lines to read."""
    return "\n".join(f"{layer:<20}{shape:<20}{size:>12}" for layer, shape, size in (_HEAD, *rows(network)))


def as_html(network: Network) -> str:
    """Return the summary as a table for a notebook."""
    from plainnet.notebook import table

    if not hasattr(network, "parameters"):
        return f"<p>a network of {len(network.layers)} layers that is not built yet</p>"
    return table(_HEAD, rows(network))
