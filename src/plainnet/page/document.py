"""A self-contained page: one HTML text with its style, its program and its data, which loads nothing else."""

from __future__ import annotations

import base64
import hashlib
import html
import re
from pathlib import Path

from plainnet.page import FOLDER, bundled

_FETCHED = re.compile(r"\b(?:fetch|import|XMLHttpRequest|WebSocket|EventSource|sendBeacon)\s*\(|@import|\burl\(")


def document(title: str, data: str, modules: list[str | Path], styles: list[Path]) -> str:
    """Return a page with a program, made of these modules, that draws the data, a JSON text, into `main`.

    The page's content security policy allows no other program and no requests.
    """
    program = bundled(*modules)
    style = "".join(path.read_text(encoding="utf-8") for path in (FOLDER / "base.css", *styles))
    for text in (program, style):
        assert _FETCHED.search(text) is None, "a document must fetch nothing"
    policy = (
        f"default-src 'none'; script-src 'sha256-{_hash(program)}'; style-src 'sha256-{_hash(style)}'; "
        "base-uri 'none'; form-action 'none'"
    )
    inert = data.replace("<", "\\u003c")  # so that no text in the data can end the element
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{html.escape(title)}</title>
<style>{style}</style>
</head>
<body>
<main id="report"><noscript>This report needs JavaScript; please allow scripts.</noscript></main>
<script type="application/json" id="data">{inert}</script>
<script type="module">{program}</script>
</body>
</html>
"""


def _hash(text: str) -> str:
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
