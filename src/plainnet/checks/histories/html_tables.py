"""HTML tables: turn them into lines of text, as fastai's table of epochs in a notebook."""

from __future__ import annotations

import re
from html.parser import HTMLParser

_TAG = re.compile(r"<(?P<ends>/?)table\b[^>]{0,1000}>", re.IGNORECASE)


def as_lines(text: str) -> str:
    """Return a text with each HTML table as lines of words, one line for each of its rows."""
    parts, done, begin = [], 0, None
    for tag in _TAG.finditer(text):
        if not tag["ends"]:
            begin = tag.start()
        elif begin is not None:
            parts += [text[done:begin], _lines(text[begin : tag.end()])]
            done, begin = tag.end(), None
    return "".join([*parts, text[done:]])


def _lines(table: str) -> str:
    reader = _Rows()
    try:
        reader.feed(table)
        reader.close()
    except AssertionError:  # as the parser of the standard library calls markup that it does not know
        return table
    return "\n" + "\n".join(" ".join("_".join(cell.split()) or "-" for cell in row) for row in reader.rows) + "\n"


class _Rows(HTMLParser):
    """The cells of the rows of one table."""

    def __init__(self) -> None:
        super().__init__()
        self.rows: list[list[str]] = []
        self.inside = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "tr":
            self.rows.append([])
        elif tag in ("td", "th") and self.rows:
            self.rows[-1].append("")
            self.inside = True

    def handle_endtag(self, tag: str) -> None:
        self.inside = self.inside and tag not in ("td", "th", "tr")

    def handle_data(self, data: str) -> None:
        if self.inside:
            self.rows[-1][-1] += data
