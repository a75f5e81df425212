"""Running the lessons: what their code prints, beside what their pages say that it prints."""

import contextlib
import io
import re
from typing import NamedTuple

BLOCK = re.compile(r"^```python\n(.*?)^```\n(?:```text( about)?\n(.*?)^```\n)?", re.MULTILINE | re.DOTALL)
NUMBER = re.compile(r"-?\d[\d,]*\.?\d*(?:e[-+]?\d+)?")


class Run(NamedTuple):
    """A block of code: where it stands, what it prints, what the page says, and whether that is meant roughly."""

    start: int
    code: str
    printed: str
    said: str | None
    about: bool


def runs(page, name):
    """Run the code of a page, block by block, in one namespace."""
    names = {"__name__": name}
    for block in BLOCK.finditer(page):
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed):
            exec(compile("\n" * page[: block.start()].count("\n") + block[1], name, "exec"), names)
        yield Run(block.start(), block[1], printed.getvalue(), block[3], block[2] is not None)


def with_outputs(page, name):
    """Return the page with what its code prints."""
    found = iter(list(runs(page, name)))

    def written(block):
        printed = next(found).printed
        said = f"```text{block[2] or ''}\n{printed}```\n" if printed else ""
        return f"```python\n{block[1]}```\n{said}"

    return BLOCK.sub(written, page)


def agree(said, printed, about):
    """Return whether two outputs are equal; or, if they are meant roughly, equal but for numbers that are near."""
    if not about:
        return said == printed
    if NUMBER.sub("#", said) != NUMBER.sub("#", printed):
        return False
    pairs = zip(numbers(said), numbers(printed), strict=True)
    return all(abs(a - b) <= max(0.1 * abs(a), 0.02) for a, b in pairs)


def numbers(text):
    return [float(number.replace(",", "")) for number in NUMBER.findall(text)]
