"""Forms: recognize the format of a history by its content, not by the name of the file."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from plainnet.checks.histories import delimited, event_files, html_tables, json_forms, log_lines, number_lists
from plainnet.checks.histories.languages import in_english
from plainnet.checks.histories.table import Table
from plainnet.errors import InputError
from plainnet.foreign.opening import parse_json, read_bytes

_BINARY = re.compile(r"[\x01-\x06\x0e-\x1a\x1c-\x1f]")
_BARS = str.maketrans({"\u2502": "|", "\u2503": "|", "\u2551": "|"})


def readings(path: Path) -> Iterator[list[Table]]:
    """Try one format after the other; yield the tables that each finds in the file, until the caller accepts one.

    Raises: `InputError` if it cannot be read, or holds neither text nor TensorBoard's events.
    """
    content = read_bytes(path, "history")
    if event_files.recognized(content):
        yield event_files.read(path)
        return
    text = _text(content, path)
    del content
    if (said := _of_notebook(text)) is not None:
        said = in_english(html_tables.as_lines(said))
        yield log_lines.read(said)
        yield delimited.read(said)
        return
    text = in_english(html_tables.as_lines(text))
    if (found := json_forms.read(text)) is not None:
        yield found
        yield number_lists.read(text)
        return
    yield delimited.read(text)
    yield delimited.read(_drawn(text))
    yield log_lines.read(text)
    yield number_lists.read(text)


def _of_notebook(text: str) -> str | None:
    """Return the printed output of a notebook; None if the text is not a notebook."""
    if '"cells"' not in text[:100_000] or not text.lstrip().startswith("{"):
        return None
    try:
        outputs = [output for cell in parse_json(text)["cells"] for output in cell.get("outputs", ())]
        shown = [output.get("text") or output.get("data", {}) for output in outputs]
        texts = [
            part.get("text/html" if _drawn_in(part) else "text/plain", "") if isinstance(part, dict) else part
            for part in shown
        ]
    except (ValueError, KeyError, TypeError, AttributeError):
        return None
    return "\n".join(map(_joined, texts))


def _drawn_in(data: dict[str, Any]) -> bool:
    """Return whether what a notebook shows is a table in HTML that is not there as text, too."""
    return "<table" in _joined(data.get("text/html", "")) and "IPython.core.display.HTML" in _joined(
        data.get("text/plain", "")
    )


def _joined(lines: Any) -> str:
    return "".join(map(str, lines)) if isinstance(lines, list) else str(lines)


def _drawn(text: str) -> str:
    """Return the longest table drawn with bars in a text, as in Markdown and terminals."""
    best: list[str] = []
    block: list[str] = []
    if re.search(r"^[ \t]*[|\u2502\u2503\u2551]", text, re.MULTILINE) is None:
        return ""
    for line in [*text.translate(_BARS).split("\n"), ""]:
        if line.strip().startswith("|"):
            block.append(line.strip())
        elif not re.match(r"\s*[+|=\-\u2500-\u257f]", line):  # a rule
            best, block = max(best, block, key=len), []
    return "\n".join(best)


def _text(content: bytes, path: Path) -> str:
    encoding = "utf-16" if content[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"
    try:
        text = content.decode(encoding)
    except UnicodeDecodeError:
        text = content.decode("latin-1")
    zeros = text.count("\0")
    text = text.replace("\0", "") if zeros else text  # a log that was cut off can hold some
    if zeros > 0.2 * len(text) or (zeros and _BINARY.search(text)):
        raise InputError(f"{path} is not a text file; give a history as CSV, JSON, a log, or a TensorBoard event file")
    text = text.replace("\r\n", "\n")
    return text if "\n" in text else text.replace("\r", "\n")
