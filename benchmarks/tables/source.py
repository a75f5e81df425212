"""Helpers for every table: read a record, and write rows of cells in Markdown."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent.parent


def record(name: str) -> Any:
    """Return one record."""
    return json.loads((ROOT / "records" / name).read_text())


def table(head: str, rows: Iterable[tuple[object, ...]]) -> str:
    """Return a table in Markdown; `head` names its columns, with | between them."""
    columns = head.count("|") + 1
    lines = [f"| {head} |", "|" + "---|" * columns]
    return "\n".join([*lines, *("| " + " | ".join(map(str, row)) + " |" for row in rows)])


def measured_with(figures: Any) -> str:
    """Return on which machine and with which versions the figures of a record were measured."""
    versions = ", ".join(f"{name} {number}" for name, number in figures["versions"].items() if name != "plainnet")
    return f"Measured on {figures['hardware']}, {figures['threads']} threads; {versions}."
