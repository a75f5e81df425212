"""Convolutions: the time and the error of each method, and the accuracy of `cnn` with it."""

from __future__ import annotations

import statistics

from plainnet.layers.convolution import METHODS
from tables.source import measured_with, record, table


def times() -> str:
    """Return the time of each layer by each method, relative to the direct one; the chosen method is bold."""
    figures, rows = record("convolutions.json"), []
    for layer in figures["layers"]:
        seconds = {method: spread["median"] for method, spread in layer["seconds"].items()}
        cells = []
        for method in METHODS[1:]:
            ratio = f"{seconds[method] / seconds['direct']:.2f}" if method in seconds else ""
            cells.append(f"**{ratio}**" if method == layer["chosen"] else ratio)
        rows.append((layer["title"], f"{1000 * seconds['direct']:.1f} ms", *cells))
    return f"{table('layer | time of `direct` | ' + ' | '.join(METHODS[1:]), rows)}\n\n{measured_with(figures)}"


def errors() -> str:
    """Return the largest error of each method in float32 over all layers, relative to the largest output."""
    layers = record("convolutions.json")["layers"]
    rows = []
    for method in METHODS[1:]:
        found = [layer["errors"][method] for layer in layers if method in layer["errors"]]
        rows.append((f"`{method}`", f"{statistics.median(found):.1e}", f"{max(found):.1e}", len(found)))
    return table("method | median | largest | layers", rows)


def learning() -> str:
    """Return the validation accuracy that `cnn` reaches with each method."""
    figures = record("cnn/ablation_convolutions.json")
    found: dict[str, list[float]] = {}
    for row in figures["rows"]:
        found.setdefault(row["change"], []).append(row["validation_accuracy"])
    rows = []
    for change, values in found.items():
        said = "`auto` (chosen by shape)" if change == "as it is" else f"`{change}` in the three 3x3 layers"
        rows.append((said, len(values), f"{statistics.mean(values):.3%}", f"{100 * statistics.stdev(values):.3f}"))
    epochs = figures["shortened"]["epochs"]
    return table(f"`cnn`, {epochs} epochs, method | seeds | validation accuracy | sd, points", rows)
