"""One source for the solution and the student's file: what stands between markers is the solution.

    ### BEGIN SOLUTION
    return x @ W + b
    ### BEGIN STARTER
    # return x @ W
    ### END SOLUTION

The student's file has the lines of the starter without their `# `, or, where there is no starter, a line to replace.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from plainnet.errors import InputError

_MARK = re.compile(r"^(\s*)### *(BEGIN SOLUTION|BEGIN STARTER|END SOLUTION)\s*$")
_GAP = "raise NotImplementedError  # replace this line"


def solution(text: str) -> str:
    """Return the text with its solution, without markers and starters.

    Raises: `InputError` if the markers do not fit together.
    """
    return "".join(line for line, part in _parts(text) if part in ("", "BEGIN SOLUTION"))


def starter(text: str) -> str:
    """Return the text that a student is given.

    Raises: `InputError` if the markers do not fit together.
    """
    return "".join(line for line, part in _parts(text) if part in ("", "BEGIN STARTER"))


def _parts(text: str) -> Iterator[tuple[str, str]]:
    """Yield each line with the part that it belongs to; a solution without a starter is followed by a gap."""
    part, given, began = "", False, 0
    for number, line in enumerate(text.splitlines(keepends=True), 1):
        mark = _MARK.match(line)
        if mark is None:
            if part == "BEGIN STARTER":
                given = True
                line = re.sub(r"^(\s*)# ?", r"\1", line, count=1)
            yield line, part
            continue
        follows = {"": "BEGIN SOLUTION", "BEGIN SOLUTION": "BEGIN STARTER", "BEGIN STARTER": "END SOLUTION"}[part]
        if mark[2] != follows and not (part == "BEGIN SOLUTION" and mark[2] == "END SOLUTION"):
            raise InputError(f"line {number} says ### {mark[2]} where ### {follows} should come")
        if mark[2] == "BEGIN SOLUTION":
            began, given = number, False
        if mark[2] == "END SOLUTION":
            if part == "BEGIN SOLUTION" and not given:
                yield f"{mark[1]}{_GAP}\n", "BEGIN STARTER"
            part = ""
        else:
            part = mark[2]
    if part:
        raise InputError(f"the solution that begins in line {began} has no ### END SOLUTION")
