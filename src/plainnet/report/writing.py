"""Writes a report as one HTML page."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from plainnet import __version__
from plainnet.foreign.showing import shown
from plainnet.page import FOLDER
from plainnet.page.document import document
from plainnet.writing import to_json

_HERE = Path(__file__).parent
_MODULES = "prepare", "forward", "dom", "chart", "pad", _HERE / "drawing.js", _HERE / "report.js"


def page(runs: list[dict[str, Any]]) -> str:
    """Return the report of one or more runs as one HTML text."""
    told = {"runs": runs, "written": datetime.now(UTC).isoformat(timespec="minutes"), "version": __version__}
    title = f"{' and '.join(shown(run['name'], 60) for run in runs[:3])}: a report by plainnet"
    return document(title, to_json(told).decode(), [*_MODULES], [FOLDER / "report.css"])
