"""The page of a report: one text with its style, its program and its data, that asks for nothing from elsewhere."""

from __future__ import annotations

import base64
import hashlib
import html
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from plainnet import __version__
from plainnet.foreign.showing import shown
from plainnet.page import FOLDER, bundled
from plainnet.writing import to_json

_HERE = Path(__file__).parent
_MODULES = ("prepare", "forward", "dom", "chart", "pad")
_FETCHED = re.compile(r"\b(?:fetch|import|XMLHttpRequest|WebSocket|EventSource|sendBeacon)\s*\(|@import|\burl\(")


def page(runs: list[dict[str, Any]]) -> str:
    """Return the report of one or more runs as one HTML text."""
    program = bundled(*_MODULES, _HERE / "drawing.js", _HERE / "report.js")
    style = (FOLDER / "base.css").read_text(encoding="utf-8") + (_HERE / "report.css").read_text(encoding="utf-8")
    for text in (program, style):
        assert _FETCHED.search(text) is None, "a report must fetch nothing"
    told = {"runs": runs, "written": datetime.now(UTC).isoformat(timespec="minutes"), "version": __version__}
    data = to_json(told).decode().replace("<", "\\u003c")  # no text in it ends the element
    title = " and ".join(shown(run["name"], 60) for run in runs[:3])
    policy = (
        f"default-src 'none'; script-src 'sha256-{_hash(program)}'; style-src 'sha256-{_hash(style)}'; "
        "base-uri 'none'; form-action 'none'"
    )
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{html.escape(title)}: a report by plainnet</title>
<style>{style}</style>
</head>
<body>
<main id="report"><noscript>This report is drawn by a program in the page; allow scripts.</noscript></main>
<script type="application/json" id="data">{data}</script>
<script type="module">{program}</script>
</body>
</html>
"""


def _hash(text: str) -> str:
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
