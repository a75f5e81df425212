r"""Makes foreign texts (names, titles, paths, messages) safe to print.

A terminal obeys control characters: they move the cursor, rename the window or hide a line. Marks that change the
direction of writing make a text look like another one. Here they are all escaped, as in \x1b, and long texts are
shortened.
"""

from __future__ import annotations

import unicodedata

_LONGEST = 200  # characters of one foreign text
_INVISIBLE = {"Cc", "Cf", "Cs", "Co", "Zl", "Zp"}  # controls, formats, lone surrogates, private use, separators


def shown(text: object, most: int = _LONGEST) -> str:
    """Return a foreign text on one line with invisible characters escaped; a long text without its middle."""
    try:
        whole = str(text)
    except Exception:  # a foreign object, such as an error whose message raises another
        whole = f"a {type(text).__name__} that cannot be shown"
    if len(whole) > most:
        cut = f"{whole[: most - most // 4]} \u2026 ({len(whole):,} characters) \u2026 {whole[-(most // 4) :]}"
    else:
        cut = whole
    return cut if cut.isprintable() else "".join(map(_visible, cut))


def lines_shown(text: object, most: int = 20_000) -> str:
    """Return a text with its line breaks kept, and each line as in `shown`."""
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
