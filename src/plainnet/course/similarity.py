"""Similar submissions: answers that share most of their code when names, strings and layout are left out.

It is a reason to look, not a proof: there are few ways to write three lines.
"""

from __future__ import annotations

import io
import keyword
import tokenize
from collections.abc import Iterator
from itertools import combinations

_LENGTH = 8  # of a run of tokens
_LEAST = 40  # runs beyond those handed out; an answer with fewer is not compared
_NOTHING = (tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT, tokenize.ENCODING)


def runs(text: str) -> set[tuple[str, ...]]:
    """Return the runs of tokens in a program, in which all names count as one token, and so do all strings."""
    tokens = list(_tokens(text))
    return {tuple(tokens[k : k + _LENGTH]) for k in range(len(tokens) - _LENGTH + 1)}


def _tokens(text: str) -> Iterator[str]:
    try:
        for token in tokenize.generate_tokens(io.StringIO(text).readline):
            if token.type == tokenize.NAME and not keyword.iskeyword(token.string):
                yield "name"
            elif token.type == tokenize.STRING:
                yield "text"
            elif token.type not in _NOTHING:
                yield token.string
    except (tokenize.TokenError, SyntaxError):
        return


def similar(texts: dict[str, str], handed_out: str, least: float = 0.8) -> list[tuple[str, str, float]]:
    """Return the pairs of answers that share at least `least` of their runs beyond those of the file as handed out."""
    common = runs(handed_out)
    own = {name: runs(text) - common for name, text in texts.items()}
    own = {name: found for name, found in own.items() if len(found) >= _LEAST}
    pairs = ((a, b, len(own[a] & own[b]) / len(own[a] | own[b])) for a, b in combinations(sorted(own), 2))
    return sorted((pair for pair in pairs if pair[2] >= least), key=lambda pair: -pair[2])
