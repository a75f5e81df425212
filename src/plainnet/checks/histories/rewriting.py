"""Rewriting: put what some programs print in a way of their own into the usual form before a log is read."""

from __future__ import annotations

import re
from collections.abc import Callable

BEGINNING = 200_000  # characters that show how a program writes its figures
_REWRITTEN: tuple[tuple[re.Pattern[str], str | Callable[[re.Match[str]], str]], ...] = (
    (re.compile(r"np\.float\d+\(([^()]*)\)"), r"\1"),
    (re.compile(r"(?<![\d.,])\d{1,3}(?:,\d{3})+(?=\.\d)"), lambda found: found[0].replace(",", "")),  # 1,231.5
    (re.compile(r"(?<=\S) (?=\[\d{2,4}\] (?:train|loss))"), "\n"),  # several records in a line
    (re.compile(r"(\.\d{4})(?=\d+/\d+ \[[=.>])"), r"\1\n"),  # bars of Keras without what goes back to their beginning
    (  # {'ner': 123.4}, as spaCy's examples print their losses
        re.compile(r"'(ner|textcat\w*|tagger|parser|tok2vec|transformer|spancat|morphologizer|senter)'(?=: \d)"),
        r"'\1_loss'",
    ),
    (  # iter: 1,000
        re.compile(r"\b(?:iter(?:ation)?|step)s?\b[\s:=#]*\d{1,3}(?:,\d{3})+(?!\d)", re.I),
        lambda found: found[0].replace(",", ""),
    ),
)
_DECIMAL_POINT = re.compile(r"[:=]\s*-?\d+\.\d")
_DECIMAL_COMMA = re.compile(r"([:=]\s*-?\d+),(\d+)(?=[\s%;]|$)", re.MULTILINE)  # loss: 0,55


def rewritten(text: str) -> str:
    """Return the text of a log in the usual form: numbers with a decimal point, one record in a line."""
    beginning = text[:BEGINNING]
    for pattern, plain in _REWRITTEN:
        text = pattern.sub(plain, text) if pattern.search(beginning) else text
    if _DECIMAL_COMMA.search(beginning) and not _DECIMAL_POINT.search(beginning):
        text = _DECIMAL_COMMA.sub(r"\1.\2", text)
    if text.count("\n") < 3 < text.count("\r"):
        text = text.replace("\r", "\n")  # the states of one bar are all there is
    return text
