r"""Showing what is foreign: names, titles, paths and messages of others, so that they are text and nothing else.

A terminal obeys control characters: they move the cursor, rename the window, hide a line. Marks that change the
direction of writing make a text read as another one. Here all of them are written out, such as \x1b, and long texts
are cut.
"""

from __future__ import annotations

import unicodedata

_LONGEST = 200  # letters of one foreign text
_INVISIBLE = {"Cc", "Cf", "Cs", "Co", "Zl", "Zp"}  # controls, formats, lone surrogates, private use, separators


def shown(text: object, most: int = _LONGEST) -> str:
    """Return a foreign text on one line, every sign that is not visible written out; of a long one, begin and end."""
    try:
        whole = str(text)
    except Exception:  # an object of somebody's, such as an error whose message raises another
        whole = f"a {type(text).__name__} that cannot be shown"
    if len(whole) > most:
        cut = f"{whole[: most - most // 4]} \u2026 ({len(whole):,} letters) \u2026 {whole[-(most // 4) :]}"
    else:
        cut = whole
    return cut if cut.isprintable() else "".join(map(_visible, cut))


def lines_shown(text: object, most: int = 20_000) -> str:
    """Return a text that may have lines of its own, everything else in it as `shown` gives it."""
    whole = str(text)
    return "\n".join(shown(line, most) for line in whole[:most].split("\n")) + "\u2026" * (len(whole) > most)


def counted(number: int, what: str) -> str:
    """Return a number and what it counts: 1 epoch, 2 epochs, 3 batches."""
    plural = f"{what}es" if what.endswith(("tch", "s")) else f"{what}s"
    return f"{number:,} {what if number == 1 else plural}"


def _visible(sign: str) -> str:
    if unicodedata.category(sign) in _INVISIBLE:
        return sign.encode("unicode_escape").decode("ascii")
    return sign
