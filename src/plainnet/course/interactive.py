"""The interactive figure of the course: the lab's Step, in one page that needs no server."""

from __future__ import annotations

from pathlib import Path

from plainnet.page.document import document

_LAB = Path(__file__).parent.parent / "lab" / "page"
_MODULES = ("smallnet", "moments", "graph", "faults", "stepping")


def step_page() -> str:
    """Return the page as one HTML text."""
    modules: list[str | Path] = [
        "dom",
        "step",
        *(_LAB / f"{name}.js" for name in _MODULES),
        Path(__file__).parent / "alone.js",
    ]
    return document("Step: one update of a small network, number by number", "{}", modules, [_LAB / "lab.css"])
