"""The drawing of the floors (layers of imports), made from the contract that enforces them."""

from __future__ import annotations

import tomllib

from tables.source import ROOT


def floors() -> str:
    """Return the floors as a drawing, the highest on top."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    contract = project["tool"]["importlinter"]["contracts"][0]
    rows = [[name.strip().removeprefix("plainnet.") for name in row.split("|")] for row in contract["layers"]]
    width = max(len("  ".join(row)) for row in rows)
    edge = "+" + "-" * (width + 2) + "+"
    return "\n".join(["```", edge, *(f"| {'  '.join(row):<{width}} |" for row in rows), edge, "```"])
