"""The findings as an HTML page: the verdicts, and the source of each file with a note at each wrong line."""

from __future__ import annotations

import html
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from plainnet.checks.code.faults import CATALOGUE
from plainnet.checks.code.sandboxed import Examination
from plainnet.checks.code.texts import NotPythonError, code_of
from plainnet.foreign.showing import shown

_STYLE = """
:root { color-scheme: light dark; --line: #d0d7de; --right: #1a7f37; --wrong: #cf222e; --open: #9a6700; --mark: #fff1f0; --soft: #57606a }
@media (prefers-color-scheme: dark) {
  :root { --line: #30363d; --right: #3fb950; --wrong: #ff7b72; --open: #d29922; --mark: #3d1418; --soft: #8b949e }
}
body { font: 16px/1.5 system-ui, sans-serif; max-width: 72rem; margin: 0 auto; padding: 1rem }
h1 { font-size: 1.4rem } h2 { font-size: 1.1rem; overflow-wrap: anywhere } code, pre { font: 13px/1.5 ui-monospace, monospace }
article { border: 1px solid var(--line); border-left-width: 6px; border-radius: 6px; padding: .5rem .8rem; margin: .6rem 0 }
article.right { border-left-color: var(--right) } article.wrong { border-left-color: var(--wrong) } article.undecidable { border-left-color: var(--open) }
article p { margin: .2rem 0; overflow-wrap: anywhere } .soft { color: var(--soft) }
.source { overflow-x: auto; border: 1px solid var(--line); border-radius: 6px; padding: .5rem 0 }
.source pre { margin: 0 } .source span { display: block; padding: 0 .8rem } .source b { color: var(--soft); font-weight: normal; display: inline-block; width: 3.5em }
.source .at { background: var(--mark) } .source i { color: var(--wrong); font-style: normal; display: block; padding-left: 3.5em }
"""


def page(found: list[Examination]) -> str:
    """Return a page of HTML that needs no other file."""
    parts = [
        "<!doctype html>",
        '<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">',
    ]
    parts.append(
        f"<title>Backpropagation examined</title><style>{_STYLE}</style></head><body><h1>Backpropagation examined</h1>"
    )
    for number, one in enumerate(found):
        if one.findings or one.left_out or one.error:
            parts += _file(one, f"f{number}-")
    return "\n".join([*parts, "</body></html>\n"])


def _file(one: Examination, mark: str) -> Iterator[str]:
    score = one.to_table()["score"]
    yield f"<h2>{_text(one.file)}</h2>"
    if one.error:
        yield f"<p>{_text(one.error)}</p>"
        return
    yield f"<p>{score['examined']} examined of {score['seen']} seen, {score['wrong']} wrong</p>"
    yield from (f'<p class="soft">{_text(note)}</p>' for note in one.notes)
    yield from (_article(finding, mark) for finding in one.findings)
    yield from (
        f'<article class="undecidable"><p><strong>{_text(left["name"])}</strong>: not examined; {_text(left["why"])}</p></article>'
        for left in one.left_out
    )
    yield _source(one, mark)


def _article(finding: dict[str, Any], mark: str) -> str:
    line = f', line <a href="#{mark}L{finding["line"]}">{finding["line"]}</a>' if finding["line"] else ""
    array = f", <code>{_text(finding['array'])}</code>" if finding["array"] else ""
    parts = [f"<p><strong>{_text(finding['name'])}</strong>: {finding['verdict']}{array}{line}</p>"]
    if finding["diagnosis"]:
        fault = CATALOGUE[finding["diagnosis"]]
        parts.append(
            f"<p>{_text(fault.title)} [{finding['diagnosis']}]</p><p>Should be: <code>{_text(fault.formula)}</code></p><p>{_text(fault.lesson)}</p>"
        )
    parts.append(f'<p class="soft">{_text(finding["evidence"])}</p>')
    parts += [f"<p>Remark: {_text(CATALOGUE[r['name']].title)} [{r['name']}]</p>" for r in finding["remarks"]]
    return f'<article class="{finding["verdict"]}">{"".join(parts)}</article>'


def _source(one: Examination, mark: str) -> str:
    """Return the source with each wrong line marked and its fault below it."""
    try:
        lines = code_of(Path(one.file)).splitlines()
    except (OSError, NotPythonError):
        return ""
    about: dict[int, list[str]] = {}
    for finding in one.findings:
        if finding["verdict"] == "wrong" and finding["line"]:
            said = CATALOGUE[finding["diagnosis"]].title if finding["diagnosis"] else "wrong; cause unknown"
            about.setdefault(finding["line"], []).append(f"{finding['name']}, {finding['array']}: {said}")
    shown_lines = []
    for number, line in enumerate(lines, 1):
        kind = ' class="at"' if number in about else ""
        notes = "".join(f"<i>{_text(note)}</i>" for note in about.get(number, []))
        shown_lines.append(f'<span id="{mark}L{number}"{kind}><b>{number}</b>{html.escape(line) or " "}{notes}</span>')
    return f'<div class="source"><pre>{"".join(shown_lines)}</pre></div>'


def _text(value: Any) -> str:
    return html.escape(shown(value, 2000))
